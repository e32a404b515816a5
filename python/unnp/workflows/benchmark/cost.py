"""What a potential costs in LAMMPS: time and memory per atom."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import Atoms

from unnp.atoms.structure import Structure
from unnp.errors import LammpsError
from unnp.files.writing import make_folder, write_atomically
from unnp.lammps.data_file import data_file
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog
from unnp.lammps.run import run_lammps
from unnp.lammps.system import DATA_FILE, place_potential
from unnp.lammps.system_config import InteractionConfig
from unnp.workflows.benchmark.config import CostConfig

DECK = """units           metal
atom_style      atomic
boundary        p p p
read_data       {data}
{potential}
neighbor        1.0 bin
velocity        all create {temperature} 1 mom yes dist gaussian
fix             dynamics all nve
timestep        0.001
thermo          {steps}
run             {warmup}
run             {steps} pre no
info            memory out log
"""
SHARE = 8
"""Two runs tell the memory of an atom from that of LAMMPS and the model; the smaller has so many times fewer atoms."""
_PEAK = re.compile(r"Maximum resident set size: *([\d.]+) Mbyte")


def cost(
    potential: InteractionConfig, structure: Structure, settings: CostConfig, launch: Launch, base: Path, folder: Path
) -> dict[str, float]:
    """Return ``us_per_atom_step`` (times ranks and threads: CPU time) and ``mb_per_atom`` of the first rank's atoms.

    Args:
        potential: model or pair style.
        structure: periodic in all directions; repeated until there are enough atoms.
        settings: how large and how long.
        launch: how LAMMPS is started.
        base: where relative paths begin.
        folder: gets decks and logs.

    Raises:
        LammpsError: LAMMPS is missing or failed, or the structure is not periodic.
    """
    if not np.all(structure.pbc):
        raise LammpsError("the cost is measured on a structure that is periodic in all directions; the data have none.")
    logs = {}
    for n_atoms in (settings.atoms // SHARE, settings.atoms):
        atoms = repeated(structure, n_atoms)
        name = f"{len(atoms)}"
        logs[len(atoms)] = _run(potential, atoms, settings, launch, base, folder / name)
    (few, before), (many, after) = min(logs.items()), max(logs.items())
    block = after[0].blocks[-1]
    seconds = block.loop_seconds or 0.0
    result = {"us_per_atom_step": 1e6 * seconds * launch.ranks * launch.threads / (many * block.n_steps)}
    if many > few:
        result["mb_per_atom"] = launch.ranks * (after[1] - before[1]) / (many - few)
    return result


def repeated(structure: Structure, n_atoms: int) -> Atoms:
    """Return copies of a structure along its shortest cell vectors first, with at least so many atoms."""
    atoms, copies = structure.to_atoms(), [1, 1, 1]
    lengths = atoms.cell.lengths()
    while len(atoms) * np.prod(copies) < n_atoms:
        copies[int(np.argmin(lengths * copies))] += 1
    return atoms.repeat(copies)


def _run(
    potential: InteractionConfig, atoms: Atoms, settings: CostConfig, launch: Launch, base: Path, folder: Path
) -> tuple[LammpsLog, float]:
    make_folder(folder)
    elements, lines = place_potential(potential, atoms, base, folder, device=launch.device)
    write_atomically(folder / DATA_FILE, data_file(atoms, elements))
    deck = DECK.format(
        data=DATA_FILE,
        potential="\n".join(lines),
        temperature=settings.temperature,
        warmup=max(1, settings.steps // 5),
        steps=settings.steps,
    )
    write_atomically(folder / "in.lammps", deck)
    log = run_lammps(folder / "in.lammps", launch)
    peak = _PEAK.findall((folder / "log.lammps").read_text(errors="replace"))
    if not peak:
        raise LammpsError(f"{folder}/log.lammps does not say how much memory LAMMPS used.")
    return log, float(peak[-1])
