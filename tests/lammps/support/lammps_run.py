"""Running real LAMMPS and reading back what it computed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
from unnp.core import is_available
from unnp.lammps.plugin import find_plugin

BIN = Path(sys.executable).parent
TIMEOUT = 900  # a hang, not a slow machine
BAR_PER_EV_PER_A3 = 1602176.5  # nktv2p of LAMMPS' units metal
KCAL_MOL_PER_EV = 23.060549  # of LAMMPS' utils


@dataclass
class Run:
    """Outcome of one lmp run."""

    folder: Path
    code: int
    output: str

    def printed(self, label: str) -> np.ndarray:
        """Return the numbers of the last line "label: ..." that the deck printed."""
        lines = re.findall(rf"^{re.escape(label)}:(.*)$", self.output, re.MULTILINE)
        assert lines, f"the deck printed no '{label}':\n{self.output[-3000:]}"
        return np.array(lines[-1].split(), dtype=float)


def installed() -> bool:
    """Return whether the compiled plugin and the lammps and mpich packages are there."""
    return bool(is_available() and find_plugin() and (BIN / "lmp").exists() and (BIN / "mpirun").exists())


def run_lammps(
    folder: Path,
    deck: str,
    ranks: int = 1,
    arguments: tuple[str, ...] = (),
    check: bool = True,
    timeout: float = TIMEOUT,
) -> Run:
    """Run a deck and return its outcome; fail with the log where LAMMPS failed and `check` is set."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.lmp").write_text(deck)
    run = run_program(folder, [str(BIN / "lmp"), "-in", "in.lmp", *arguments], ranks, timeout)
    assert not check or run.code == 0, f"lmp on {ranks} ranks failed ({run.code}):\n{run.output[-4000:]}"
    return run


def run_program(
    folder: Path, command: list[str], ranks: int, timeout: float = TIMEOUT, variables: dict[str, str] | None = None
) -> Run:
    """Run a program on several ranks in a folder, with `variables` of the environment, and return its outcome."""
    path = {"OMP_NUM_THREADS": "1", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(BIN / "mpirun"), "-n", str(ranks), *command],
        cwd=folder,
        env=os.environ | path | (variables or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    output = done.stdout + done.stderr
    if done.returncode and "ERROR" not in output:  # mpirun may lose what ranks that abort print last
        log = folder / "log.lammps"
        output += log.read_text(errors="replace") if log.is_file() else ""
    return Run(folder, done.returncode, output)


@dataclass
class Dump:
    """The last frame of a dump written by `MEASURE`, atoms sorted by id."""

    columns: dict[str, np.ndarray]
    cell: np.ndarray
    pbc: list[bool]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def atoms(self, elements: list[str]) -> ase.Atoms:
        """Return the structure; `elements` are those of the LAMMPS types."""
        symbols = [elements[int(t) - 1] for t in self["type"]]
        positions = np.stack([self[c] for c in "xyz"], 1)
        return ase.Atoms(symbols, positions, cell=self.cell, pbc=self.pbc)

    @property
    def forces(self) -> np.ndarray:
        return np.stack([self[c] for c in ("fx", "fy", "fz")], 1)

    @property
    def atom_energy(self) -> np.ndarray:
        return self["c_pe"]

    @property
    def atom_virial(self) -> np.ndarray:
        """Symmetric per-atom virials (n, 3, 3) [eV] from `compute stress/atom`."""
        return _tensor([self[f"c_stress[{k}]"] for k in range(1, 7)], [0, 3, 4, 3, 1, 5, 4, 5, 2])

    @property
    def centroid_virial(self) -> np.ndarray:
        """Per-atom virials (n, 3, 3) [eV] from `compute centroid/stress/atom`."""
        return _tensor([self[f"c_centroid[{k}]"] for k in range(1, 10)], [0, 3, 4, 6, 1, 5, 7, 8, 2])


def _tensor(components: list[np.ndarray], order: list[int]) -> np.ndarray:
    return -np.stack([components[k] for k in order], 1).reshape(-1, 3, 3) / BAR_PER_EV_PER_A3


_PRINTED = " ".join(f"$({quantity}:%.17g)" for quantity in ["pe", *[f"c_p[{k}]" for k in range(1, 7)], "vol"])


def measure(name: str) -> str:
    """Return commands that write NAME.dump and print "NAME: energy, six pressures, volume" of the present state."""
    return f"""
compute pe all pe/atom
compute stress all stress/atom NULL virial
compute centroid all centroid/stress/atom NULL virial
compute p all pressure NULL virial
thermo_style custom step pe c_p[*] vol
dump measure all custom 1 {name}.dump id type x y z fx fy fz c_pe c_stress[*] c_centroid[*]
dump_modify measure sort id format float %.17g
run 0 post no
undump measure
print "{name}: {_PRINTED}"
"""


def read_dump(path: Path) -> Dump:
    """Read the last frame of a dump of `measure`."""
    head, rest = path.read_text().split("ITEM: ATOMS ")[-2:]
    header, *rows = rest.splitlines()
    table = np.array([row.split() for row in rows if row and row[0].isdigit()], dtype=float)
    columns = dict(zip(header.split(), table.reshape(-1, len(header.split())).T, strict=True))
    box = head.split("ITEM: BOX BOUNDS ")[-1].splitlines()
    pbc = [word == "pp" for word in box[0].split()[-3:]]
    bounds = np.array([line.split() for line in box[1:4]], dtype=float)
    return Dump(columns, _cell(bounds), pbc)


def _cell(bounds: np.ndarray) -> np.ndarray:
    """Return the cell of the bounds of a dump, which for tilted boxes are those of the enclosing box."""
    xy, xz, yz = bounds[:, 2] if bounds.shape[1] == 3 else (0.0, 0.0, 0.0)
    low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    lx, ly, lz = high - low
    return np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]])


def virial(printed: np.ndarray) -> np.ndarray:
    """Return the symmetric virial (3, 3) [eV] of a line of `measure`, units metal."""
    xx, yy, zz, xy, xz, yz = printed[1:7] * printed[7] / BAR_PER_EV_PER_A3
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def write_data(path: Path, atoms: ase.Atoms, elements: list[str]) -> None:
    """Write a LAMMPS data file; the cell has to be lower triangular (LAMMPS' convention)."""
    cell = atoms.cell.array
    lines = ["structure of a test", "", f"{len(atoms)} atoms", f"{len(elements)} atom types", ""]
    for axis, name in enumerate("xyz"):
        lines.append(f"0 {cell[axis, axis]:.17g} {name}lo {name}hi")
    if cell[1, 0] or cell[2, 0] or cell[2, 1]:
        lines.append(f"{cell[1, 0]:.17g} {cell[2, 0]:.17g} {cell[2, 1]:.17g} xy xz yz")
    lines += ["", "Masses", ""] + [f"{k + 1} 50.0" for k in range(len(elements))] + ["", "Atoms # atomic", ""]
    for k, (symbol, r) in enumerate(zip(atoms.get_chemical_symbols(), atoms.positions, strict=True)):
        lines.append(f"{k + 1} {elements.index(symbol) + 1} {r[0]:.17g} {r[1]:.17g} {r[2]:.17g}")
    path.write_text("\n".join(lines) + "\n")
