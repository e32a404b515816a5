"""What is shown and kept of relaxed structures: a table, the structures, and energies and forces over the steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.writing import write_structures
from unnp.files.writing import write_atomically
from unnp.plots import new_figure, save_figure, write_table
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.structures import NAME

SHOWN = {
    "steps": ("steps", "{:.0f}"),
    "energy_eV": ("energy [eV]", "{:.5f}"),
    "energy_change_eV_per_atom": ("gained [eV/atom]", "{:.5f}"),
    "largest_force_eV_per_A": ("largest force [eV/A]", "{:.2g}"),
    "largest_displacement_A": ("farthest [A]", "{:.3f}"),
    "volume_change_percent": ("volume [%]", "{:+.2f}"),
    "pressure_GPa": ("pressure [GPa]", "{:.3g}"),
}
"""Numbers by name, with heading and form in the table."""
HEADER = ["structure", "formula", *(title for title, _ in SHOWN.values())]
MOST_LINES = 10
"""More structures than this have lines of one colour, and no legend."""


def name_of(relaxation: Relaxation, k: int) -> str:
    """Return the name of a structure for people."""
    return str(relaxation.start.info.get(NAME, f"structure {k}"))


def rows(relaxations: Sequence[Relaxation]) -> list[list[str]]:
    """Return the cells of a table, under ``HEADER``; a structure that is not at rest is marked."""
    return [
        [
            name_of(each, k) + (" !" if each.note() else ""),
            each.start.get_chemical_formula(),
            *(form.format(numbers[key]) if key in numbers else "" for key, (_, form) in SHOWN.items()),
        ]
        for k, each in enumerate(relaxations)
        for numbers in [each.numbers()]
    ]


def notes(relaxations: Sequence[Relaxation]) -> list[str]:
    """Return what the table does not say: which structures are not at rest, and why."""
    return [f"! {name_of(each, k)}: {each.note()}" for k, each in enumerate(relaxations) if each.note()]


def write_report(folder: Path, relaxations: Sequence[Relaxation]) -> None:
    """Write ``relax.json``, ``relax.csv``, ``relaxed.extxyz`` and ``steps.png`` with its CSV.

    Args:
        folder: is there.
        relaxations: in their order; those of which nothing could be computed are in the tables alone.
    """
    entries = [_description(each, k) for k, each in enumerate(relaxations)]
    write_atomically(folder / "relax.json", json.dumps(entries, indent=2) + "\n")
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    write_table(folder / "relax.csv", {name: [entry.get(name) for entry in entries] for name in names})
    computed = [(k, each) for k, each in enumerate(relaxations) if each.energies]
    if computed:
        numbers = [{"structure": float(k), "at_rest": float(each.at_rest)} for k, each in computed]
        structures = [_structure(each) for _, each in computed]
        write_structures(structures, folder / "relaxed.extxyz", info=numbers, overwrite=True)
        _draw(folder / "steps.png", dict(computed))


def _description(relaxation: Relaxation, k: int) -> dict[str, Any]:
    return {
        "structure": name_of(relaxation, k),
        "formula": relaxation.start.get_chemical_formula(),
        "atoms": len(relaxation.start),
        "at_rest": relaxation.at_rest,
        **relaxation.numbers(),
        "note": relaxation.note(),
    }


def _structure(relaxation: Relaxation) -> Structure:
    labels = {
        "energy": relaxation.energies[-1],
        "forces": relaxation.atomic_forces,
        "stress": relaxation.stress,
    }
    return Structure.from_atoms(relaxation.atoms).with_labels(labels)


def _draw(path: Path, relaxations: Mapping[int, Relaxation]) -> None:
    """Draw energies above the lowest of each structure, and the largest forces, over the steps."""
    figure, (left, right) = new_figure(2)
    columns: dict[str, list[Any]] = {"structure": [], "step": [], "energy_eV": [], "largest_force_eV_per_A": []}
    few = len(relaxations) <= MOST_LINES
    for k, each in relaxations.items():
        style = {"label": name_of(each, k)} if few else {"color": "C0", "alpha": 0.4}
        energies = np.array(each.energies)
        left.plot((energies - energies.min()) / len(each.atoms), ".-", ms=3, lw=1, **style)
        right.plot(each.forces, ".-", ms=3, lw=1, **style)
        columns["structure"] += [name_of(each, k)] * len(energies)
        columns["step"] += range(len(energies))
        columns["energy_eV"] += each.energies
        columns["largest_force_eV_per_A"] += each.forces
    left.set(xlabel="step", ylabel="energy above the lowest [eV/atom]")
    left.set_yscale("symlog", linthresh=1e-6)
    right.set(xlabel="step", ylabel="largest force [eV/A]")
    if any(force > 0 for force in columns["largest_force_eV_per_A"]):
        right.set_yscale("log")
    if few:
        left.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)
