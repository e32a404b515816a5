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

BIN = Path(sys.executable).parent
TIMEOUT = 300


@dataclass
class Run:
    """Outcome of one lmp run."""

    folder: Path
    code: int
    output: str

    def printed(self, label: str) -> list[np.ndarray]:
        """Return the numbers of every line "label: ..." that the deck printed."""
        lines = re.findall(rf"^{re.escape(label)}:(.*)$", self.output, re.MULTILINE)
        return [np.array(line.split(), dtype=float) for line in lines]


def run_lammps(folder: Path, deck: str, ranks: int = 1, arguments: tuple[str, ...] = (), check: bool = True) -> Run:
    """Run a deck and return its outcome; fail with the log where LAMMPS failed and `check` is set."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.lmp").write_text(deck)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = [str(BIN / "mpirun"), "-n", str(ranks), str(BIN / "lmp"), "-in", "in.lmp", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL
    )
    run = Run(folder, done.returncode, done.stdout + done.stderr)
    assert not check or run.code == 0, f"lmp on {ranks} ranks failed ({run.code}):\n{run.output[-4000:]}"
    return run


@dataclass
class Dump:
    """Columns of a dump written by `DUMP`, sorted by atom id."""

    columns: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    @property
    def forces(self) -> np.ndarray:
        return np.stack([self["fx"], self["fy"], self["fz"]], 1)

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


BAR_PER_EV_PER_A3 = 1602176.5  # LAMMPS' own nktv2p of units metal


def _tensor(components: list[np.ndarray], order: list[int]) -> np.ndarray:
    return -np.stack([components[k] for k in order], 1).reshape(-1, 3, 3) / BAR_PER_EV_PER_A3


def read_dump(path: Path) -> Dump:
    """Read the last frame of a text dump."""
    text = path.read_text().split("ITEM: ATOMS ")[-1]
    header, *rows = text.splitlines()
    table = np.array([row.split() for row in rows if row.strip()], dtype=float).reshape(-1, len(header.split()))
    table = table[np.argsort(table[:, 0])]
    return Dump(dict(zip(header.split(), table.T, strict=True)))


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
