"""Asking LAMMPS for all that a potential gives, to the last digit, and reading it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np

NKTV2P = 1602176.5
"""bar per eV/A^3, as LAMMPS has it for units metal"""

_QUANTITIES = ["pe", *[f"c_p[{k}]" for k in range(1, 7)], "vol"]
_PRINTED = " ".join(f"$({quantity}:%.17g)" for quantity in _QUANTITIES)


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


def printed(text: str, label: str) -> np.ndarray | None:
    """Return the numbers of the last line "label: ..." of a log, None where there is none."""
    lines = re.findall(rf"^{re.escape(label)}:(.*)$", text, re.MULTILINE)
    return np.array(lines[-1].split(), dtype=float) if lines else None


def virial(numbers: np.ndarray) -> np.ndarray:
    """Return the symmetric virial (3, 3) [eV] of a line of `measure`, units metal."""
    xx, yy, zz, xy, xz, yz = numbers[1:7] * numbers[7] / NKTV2P
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


@dataclass
class Dump:
    """The last frame of a dump written by `measure`, atoms sorted by id."""

    columns: dict[str, np.ndarray]
    cell: np.ndarray
    pbc: list[bool]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def atoms(self, elements: Sequence[str]) -> ase.Atoms:
        """Return the structure; `elements` are those of the LAMMPS types."""
        symbols = [elements[int(t) - 1] for t in self["type"]]
        positions = np.stack([self[c] for c in "xyz"], 1)
        return ase.Atoms(symbols, positions, cell=self.cell, pbc=self.pbc)

    @property
    def forces(self) -> np.ndarray:
        """Forces (n, 3)."""
        return np.stack([self[c] for c in ("fx", "fy", "fz")], 1)

    @property
    def atom_energy(self) -> np.ndarray:
        """Energies (n,)."""
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
    return -np.stack([components[k] for k in order], 1).reshape(-1, 3, 3) / NKTV2P


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
