"""Decks of `fix momt` with the aluminium of the LAMMPS distribution, and reading back what they leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np
from ase.build import bulk
from lammps_run import Run, read_dump, write_data
from unnp.kim.potential_files import find_files

LATTICE = 4.05
VOIGT = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
COLUMNS = ["pe", "vol", "pxx", "pyy", "pzz", "pxy", "pxz", "pyz", "bias", "H", "s", "alpha", "T_eff", "dVb/ds"]
COLUMNS += ["rct", "updates", "round_trips"]
THERMO = "step pe vol pxx pyy pzz pxy pxz pyz f_momt f_momt[1] f_momt[2] f_momt[3] f_momt[4] f_momt[5] f_momt[6] "
THERMO += "f_momt[7] f_momt[8]"
PRINTED = " ".join(f"$({word}:%.17g)" for word in THERMO.split()[1:])


def eam() -> str:
    """Return the pair commands of Mendelev's aluminium of 2008."""
    return f"pair_style eam/fs\npair_coeff {find_files('* * Al_mm.eam.fs Al', Path())}\n"


def aluminium(cells: Sequence[int], noise: float = 0.15, lattice: str = "fcc", tilt: bool = False) -> ase.Atoms:
    """Return a disturbed crystal, its box tilted in all three ways if wanted."""
    a = LATTICE if lattice == "fcc" else 3.24
    atoms = bulk("Al", lattice, a=a, cubic=True) * tuple(cells)
    if tilt:
        cell = atoms.cell.array.copy()
        cell[1, 0], cell[2, 0], cell[2, 1] = 0.9, -1.3, 0.7
        atoms.set_cell(cell, scale_atoms=True)
    atoms.positions += np.random.default_rng(7).normal(0, noise, atoms.positions.shape)
    return atoms


def head(data: str = "a.data", before: str = "", pair: str | None = None) -> str:
    """Return the start of a deck: box, atoms, potential, thermo output with everything the fix gives."""
    return f"""units metal
atom_modify map yes
{before}read_data {data}
{eam() if pair is None else pair}neighbor 1.0 bin
neigh_modify every 1 delay 0 check yes
"""


def thermo(stride: int = 1) -> str:
    """Return the thermo commands; to be given after the fix."""
    return f"thermo {stride}\nthermo_style custom {THERMO}\nthermo_modify format float %.17g\n"


def report(name: str) -> str:
    """Return the command that prints COLUMNS of the last step, which has to be one with thermo output, behind a name."""
    return f'print "{name}: {PRINTED}"\n'


def show(name: str) -> str:
    """Return commands that evaluate the present configuration and print COLUMNS behind its name."""
    return f"run 0 post no\n{report(name)}"


def dump(name: str) -> str:
    """Return commands that evaluate the present configuration and write NAME.dump with its forces."""
    return f"""dump {name} all custom 1 {name}.dump id type x y z fx fy fz
dump_modify {name} sort id format float %.17g
run 0 post no
undump {name}
"""


def shown(run: Run, name: str) -> dict[str, float]:
    """Return what `show` printed."""
    return dict(zip(COLUMNS, map(float, run.printed(name)), strict=True))


def forces(run: Run, name: str) -> np.ndarray:
    """Return the forces (n, 3) [eV/A] of `dump`."""
    return read_dump(run.folder / f"{name}.dump").forces


def write_frames(path: Path, frames: Sequence[ase.Atoms]) -> None:
    """Write configurations for `each`, at steps 0, 1, ..."""
    parts = []
    for step, atoms in enumerate(frames):
        (xx, _, _), (xy, yy, _), (xz, yz, zz) = atoms.cell.array
        low, high = [min(0, xy, xz, xy + xz), min(0, yz), 0], [xx + max(0, xy, xz, xy + xz), yy + max(0, yz), zz]
        parts.append(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n")
        parts.append("ITEM: BOX BOUNDS xy xz yz pp pp pp\n")
        parts += [f"{a:.17g} {b:.17g} {t:.17g}\n" for a, b, t in zip(low, high, (xy, xz, yz), strict=True)]
        parts.append("ITEM: ATOMS id x y z\n")
        parts += [f"{k + 1} {x:.17g} {y:.17g} {z:.17g}\n" for k, (x, y, z) in enumerate(atoms.positions)]
    path.write_text("".join(parts))


def each(n_frames: int, path: str = "frames.dump") -> str:
    """Return commands that read every configuration of `write_frames` into the box and `show` it as frame0, ..."""
    return f"""label next_frame
variable frame loop 0 {n_frames - 1}
read_dump {path} ${{frame}} x y z box yes timestep no
{show("frame${frame}")}next frame
jump SELF next_frame
"""


def write_structure(folder: Path, atoms: ase.Atoms, name: str = "a.data") -> None:
    """Write a data file that `head` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    write_data(folder / name, atoms, ["Al"])


def read_state(path: Path) -> dict[str, Any]:
    """Return a state file."""
    return json.loads(path.read_text())


def updates_of(state: dict[str, Any]) -> int:
    """Return how often the bias of a state was updated; in mode wt its temperatures count."""
    bias = state["bias"]
    return (bias["temperatures"] if state["mode"] == "wt" else bias)["updates"]


def read_log(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Return the header of a log of the fix and its rows (n, 10)."""
    lines = path.read_text().splitlines()
    assert lines[0] == "# unnp momt log 1"
    return json.loads(lines[1].removeprefix("# ")), np.array([line.split() for line in lines[3:]], dtype=float)
