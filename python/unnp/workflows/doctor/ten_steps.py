"""Ten steps of molecular dynamics with a small random model: LAMMPS against the ASE calculator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

from unnp.adapters.ase import UnnpCalculator
from unnp.exported.export import export_model
from unnp.lammps.data_file import data_file
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog
from unnp.lammps.run import run_lammps
from unnp.models import Head, PotentialConfig, TrainingData, build_potential

ELEMENTS = ["Al", "Ni"]
STEPS = 10
DECK = """units           metal
atom_style      atomic
read_data       structure.data
pair_style      unnp device {device}
pair_coeff      * * model.pt {elements}
velocity        all create 600 1 mom yes dist gaussian
fix             dynamics all nve
dump            frames all custom {steps} frames.{name} id x y z fx fy fz
dump_modify     frames sort id format float %.17g
thermo_style    custom step pe
thermo_modify   format float %.17g
thermo          {steps}
timestep        0.001
run             {steps}
"""


def write_model(folder: Path) -> Path:
    """Export the default architecture with random weights in float64 and return the file."""
    torch.manual_seed(0)
    head = Head(1.0, dict.fromkeys(ELEMENTS, -3.0))
    potential = build_potential(PotentialConfig(), ELEMENTS, [head], TrainingData(40.0)).double()
    export_model([potential], folder / "model.pt", name="random weights")
    return folder / "model.pt"


def crystal() -> Atoms:
    """Return a disordered Ni-Al crystal of 32 atoms."""
    atoms = bulk("Al", "fcc", a=4.05, cubic=True) * 2
    atoms.numbers[::3] = 28
    atoms.rattle(0.1, seed=0)
    return atoms


def ten_steps(folder: Path, ranks: int, device: str = "cpu", launcher: str = "mpirun -n {ranks}") -> float:
    """Run ten steps in LAMMPS and return how far it is from the ASE calculator.

    Args:
        folder: holds ``model.pt`` of ``write_model``.
        ranks: MPI processes.
        device: where LAMMPS computes; the calculator computes on the CPU.
        launcher: starts the processes.

    Returns:
        the largest difference of a force component [eV/A] or of the energy [eV] over the first and the last step.

    Raises:
        LammpsError: LAMMPS, mpirun or the plugin is missing, or the run failed.
    """
    atoms = crystal()
    name = f"{ranks}-{device.replace(':', '')}"
    (folder / "structure.data").write_text(data_file(atoms, ELEMENTS))
    deck = folder / f"in.{name}"
    deck.write_text(DECK.format(device=device, elements=" ".join(ELEMENTS), steps=STEPS, name=name))
    log = run_lammps(deck, Launch(ranks=ranks, launcher=launcher), log=f"log.{name}")
    return _difference(atoms, log, folder / f"frames.{name}", UnnpCalculator(folder / "model.pt", device="cpu"))


def _difference(atoms: Atoms, log: LammpsLog, dump: Path, calculator: UnnpCalculator) -> float:
    worst = 0.0
    rows = [line.split() for line in dump.read_text().splitlines()]
    numbers = np.array([row for row in rows if len(row) == 7 and row[0] != "ITEM:"], dtype=float)
    for frame, energy in zip(numbers.reshape(2, len(atoms), 7), log.blocks[0]["PotEng"], strict=True):
        moved = atoms.copy()
        moved.positions = frame[:, 1:4]
        moved.calc = calculator
        forces = np.abs(moved.get_forces() - frame[:, 4:]).max()
        worst = max(worst, float(forces), abs(moved.get_potential_energy() - float(energy)))
    return worst
