"""What is shown and kept of crystals: tables, crystals.json, relaxed structures, equations of state as a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unnp.atoms.structure import Structure
from unnp.data.writing import write_structures
from unnp.files.writing import make_folder, write_atomically, writing
from unnp.plots import new_figure, save_figure
from unnp.workflows.crystals.judge import Comparison, Numbers, numbers_of, stability
from unnp.workflows.crystals.relaxation import QUANTITIES, Crystal

HEADER = ["", "E [eV/atom]", "above [meV]", "bond [A]", "shell [A]", "V [A^3]", "c/a", "B [GPa]", "B'"]
DEVIATIONS = ["", "E [meV/atom]", "above [meV]", "bond [A]", "shell [A]", "V [%]", "c/a", "B [GPa]", "B'"]
_COLUMNS = {
    "energy": (4, 1000.0, 1),
    "above_lowest": (1, 1000.0, 1),
    "bond": (3, 1.0, 3),
    "shell": (3, 1.0, 3),
    "volume": (3, 100.0, 2),
    "c_over_a": (4, 1.0, 4),
    "bulk_modulus": (1, 1.0, 1),
    "bulk_modulus_derivative": (2, 1.0, 2),
}
"""Digits in the table, and factor and digits of a deviation."""


def rows(crystals: Sequence[Crystal]) -> list[list[str]]:
    """Return the cells of a table of crystals, under ``HEADER``; of one that went wrong what is known, marked."""
    lowest = _lowest(crystals)
    return [[crystal.name + (" !" if crystal.problem else ""), *_cells(crystal, lowest)] for crystal in crystals]


def deviation_rows(comparison: Comparison) -> list[list[str]]:
    """Return the cells of a table of deviations from the reference, under ``DEVIATIONS``."""
    return [
        [name, *_deviations(differences, comparison.reference[name])]
        for name, differences in comparison.differences.items()
    ]


def sentences(crystals: Mapping[str, Sequence[Crystal]], comparison: Comparison | None) -> list[str]:
    """Return what the tables do not say: problems, the order of stability, and whether that is the reference's."""
    said = [
        f"! {name}: {each.name}: {each.problem}" for name, found in crystals.items() for each in found if each.problem
    ]
    own = next(iter(crystals.values()))
    said += [f"{formula}: {_order(names)}" for formula, names in stability(own, numbers_of(own)).items()]
    if comparison is not None:
        for formula, theirs in comparison.reference_orders.items():
            same = "the same" if theirs == comparison.orders[formula] else "another"
            said.append(f"{formula}, reference: {_order(theirs)}: {same} order of these")
    return said


def write_crystals(
    folder: Path, crystals: Mapping[str, Sequence[Crystal]], comparison: Comparison | None = None
) -> None:
    """Write ``crystals.json``, ``crystals.extxyz`` and ``equations-of-state.png`` with its CSV into a folder.

    Args:
        folder: made where it is missing.
        crystals: those of each potential by its name; the JSON and the structures are of the first.
        comparison: of the first with a reference.
    """
    make_folder(folder)
    potential, own = next(iter(crystals.items()))
    content: dict[str, Any] = {
        "potential": potential,
        "units": QUANTITIES,
        "crystals": {crystal.name: _description(crystal) for crystal in own},
        "orders": stability(own, numbers_of(own)),
    }
    if comparison is not None:
        content["reference"] = _reference(crystals, comparison)
    write_atomically(folder / "crystals.json", json.dumps(content, indent=2) + "\n")
    write_structures(_structures(own), folder / "crystals.extxyz", overwrite=True)
    _draw(folder / "equations-of-state.png", crystals)


def _reference(crystals: Mapping[str, Sequence[Crystal]], comparison: Comparison) -> dict[str, Any]:
    _, *others = crystals.items()
    return {
        "potential": others[0][0] if others else None,
        "numbers": comparison.reference,
        "problems": {crystal.name: crystal.problem for _, found in others for crystal in found if crystal.problem},
        "differences": comparison.differences,
        "orders": comparison.reference_orders,
        "order_is_right": comparison.order_is_right,
    }


def _description(crystal: Crystal) -> dict[str, Any]:
    return {
        "numbers": crystal.numbers(),
        "neighbours": crystal.shell and crystal.shell.neighbours,
        "problem": crystal.problem,
        "cell_A": None if crystal.atoms is None else crystal.atoms.cell.array.tolist(),
    }


def _structures(crystals: Sequence[Crystal]) -> list[Structure]:
    """Return what was relaxed, labelled with its energy, each as a group of its own."""
    found = []
    for crystal in crystals:
        if crystal.atoms is not None and crystal.energy is not None:
            energy = crystal.energy * len(crystal.atoms)
            found.append(replace(Structure.from_atoms(crystal.atoms), energy=energy, group=crystal.name))
    return found


def _draw(path: Path, crystals: Mapping[str, Sequence[Crystal]]) -> None:
    """Draw energies above the most stable crystal of the same formula, as zeros of potentials differ; list them as they are."""
    first, *others = crystals
    names = list(dict.fromkeys(crystal.name for found in crystals.values() for crystal in found))
    figure, (ax,) = new_figure(width=6.4)
    columns: dict[str, list[Any]] = {"potential": [], "crystal": [], "volume_A3_per_atom": [], "energy_eV_per_atom": []}
    for potential, found in crystals.items():
        lowest = _lowest(found)
        style = "o-" if potential == first else "--"
        for crystal, drawn in ((each, each.drawn) for each in found):
            if drawn is None:
                continue
            volumes, energies = drawn.T
            colour, label = f"C{names.index(crystal.name) % 10}", crystal.name if potential == first else None
            ax.plot(volumes, energies - lowest[crystal.spec.formula], style, color=colour, ms=3, lw=1, label=label)
            columns["potential"] += [potential] * len(volumes)
            columns["crystal"] += [crystal.name] * len(volumes)
            columns["volume_A3_per_atom"] += volumes.tolist()
            columns["energy_eV_per_atom"] += energies.tolist()
    if not ax.lines:
        with writing(path):
            path.unlink(missing_ok=True)  # of an earlier run
            path.with_suffix(".csv").unlink(missing_ok=True)
        return
    ax.set(xlabel="volume [A$^3$/atom]", ylabel="energy above the most stable [eV/atom]")
    ax.set_title(f"{first} (points), {', '.join(others)} (broken lines)" if others else first, fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)


def _cells(crystal: Crystal, lowest: Mapping[str, float]) -> list[str]:
    numbers = crystal.numbers()
    if "energy" in numbers and crystal.spec.formula in lowest:
        numbers["above_lowest"] = numbers["energy"] - lowest[crystal.spec.formula]
    factors = {"above_lowest": 1000.0}
    return [
        f"{factors.get(key, 1.0) * numbers[key]:.{digits}f}" if key in numbers else ""
        for key, (digits, _, _) in _COLUMNS.items()
    ]


def _deviations(differences: Numbers, reference: Numbers) -> list[str]:
    units = {key: factor for key, (_, factor, _) in _COLUMNS.items()}
    if "volume" in differences:
        units["volume"] /= reference["volume"]
    return [
        f"{units[key] * differences[key]:+.{digits}f}" if key in differences else ""
        for key, (_, _, digits) in _COLUMNS.items()
    ]


def _lowest(crystals: Sequence[Crystal]) -> dict[str, float]:
    """Return the energy of the most stable crystal of each formula."""
    own = numbers_of(crystals)
    return {formula: own[names[0]]["energy"] for formula, names in stability(crystals, own).items()}


def _order(names: Sequence[str]) -> str:
    return " < ".join(name.partition(":")[2] for name in names)
