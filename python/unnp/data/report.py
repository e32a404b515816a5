"""Tables about structures for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unnp.atoms.elements import Elements
from unnp.atoms.quantities import FURTHER, QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.opening import origins_of
from unnp.data.reference_energies import fit_reference_energies
from unnp.data.statistics import RunningStatistics, Statistics, group_names
from unnp.errors import printable
from unnp.units import GPA_PER_EV_PER_A3

_NO_GROUP = "(none)"


def print_information(structures: Sequence[Structure], cutoff: float | None) -> None:
    """Print what structures hold: totals, elements with fitted reference energies, and a line for each group."""
    total = RunningStatistics(cutoff)
    groups: dict[str, RunningStatistics] = {}
    for structure in structures:
        total.add(structure)
        groups.setdefault(structure.group, RunningStatistics(None)).add(structure)
    statistics = total.result()
    console = Console()
    console.print(_totals(statistics))
    table, remark = _elements(structures, statistics)
    console.print(table)
    if remark:
        console.print(remark, highlight=False)
    console.print(_groups({name: groups[name].result() for name in sorted(groups)}))
    print_origins(origins_of(structures))


def print_origins(origins: Sequence[Mapping[str, str]]) -> None:
    """Print what people should know of labels, where it is known: name, level of theory, zero of energy, licence, citation."""
    for origin in origins:
        table = Table(title="Labels from", title_justify="left", box=SIMPLE_HEAD, show_header=False)
        for name, text in origin.items():
            table.add_row(escape(printable(name)), escape(printable(text)))
        Console().print(table, highlight=False)


def print_parts(
    structures: Sequence[Structure], indices: Mapping[str, Sequence[int]], folder: Path, suffix: str
) -> None:
    """Print how many structures of each group each part has got."""
    names = group_names(structures)
    table = _table("Parts", "group", *indices)
    for group in sorted(set(names)):
        counts = [sum(names[k] == group for k in indices[part]) for part in indices]
        table.add_row(group or _NO_GROUP, *map(str, counts))
    table.add_section()
    table.add_row("all", *(str(len(indices[part])) for part in indices))
    Console().print(table)
    print("Written: " + ", ".join(str(folder / f"{part}{suffix}") for part in indices))


def _totals(s: Statistics) -> Table:
    table = Table(title="Structures", title_justify="left", box=SIMPLE_HEAD, show_header=False)
    table.add_row("structures", str(s.n_structures))
    smallest, largest = s.atoms_per_structure
    table.add_row("atoms", f"{s.n_atoms} ({smallest} to {largest} per structure)")
    table.add_row("energy per atom", _range(s.energy_per_atom))
    forces, stress = s.rms.get("forces"), s.rms.get("stress")
    table.add_row("forces", _or_none(forces, "rms {:.4f} eV/A") + _or_nothing(s.forces_max, ", largest {:.3f} eV/A"))
    table.add_row(
        "stress",
        _or_none(stress, "rms {:.5f} eV/A^3") + _or_nothing(_gpa(stress), " ({:.3f} GPa)") + _uncounted(s),
    )
    for name in FURTHER:
        if name in s.rms:
            table.add_row(QUANTITIES[name].words, f"rms {s.rms[name]:.4f} {QUANTITIES[name].unit}")
    table.add_row("shortest distances", ", ".join(f"{p} {d:.2f} A" for p, d in s.shortest_distances.items()) or "-")
    if s.average_neighbors is not None:
        table.add_row("neighbours", f"{s.average_neighbors:.2f} within {s.cutoff} A")
    missing = [f"{label} in {s.missing[label]}" for label in s.missing if s.missing[label]]
    table.add_row("missing labels", ", ".join(missing) or "none")
    return table


def _gpa(stress: float | None) -> float | None:
    return None if stress is None else stress * GPA_PER_EV_PER_A3


def _uncounted(s: Statistics) -> str:
    if not s.uncounted_stress:
        return ""
    labelled = s.n_structures - s.missing["stress"]
    return (
        f"; counts in {labelled - s.uncounted_stress} of {labelled} structures that have one, the others are not periodic "
        "in all three directions"
    )


def _elements(structures: Sequence[Structure], s: Statistics) -> tuple[Table, str]:
    """Return the table of elements, and what is to be said about the reference energies."""
    fitted, remark = None, ""
    if s.energy_per_atom is not None:
        fitted = fit_reference_energies(structures, Elements(list(s.elements)), "least-squares")
        remark = fitted.message or f"least-squares reference energies leave {fitted.residual:.4f} eV/atom (rms)."
    table = _table("Elements", "element", "atoms", "fraction", "reference energy (eV)")
    for symbol, count in s.elements.items():
        energy = "-" if fitted is None else f"{fitted.energies[symbol]:.4f}"
        table.add_row(symbol, str(count), f"{count / s.n_atoms:.4f}", energy)
    return table, remark


def _groups(groups: Mapping[str, Statistics]) -> Table:
    columns = ("number", "atoms", "lowest eV/atom", "highest eV/atom", "forces eV/A", "stress GPa")
    table = _table("Groups (forces and stress: root mean square)", "group", *columns)
    for name, s in groups.items():
        lowest, _, highest = s.energy_per_atom or (None, None, None)
        forces, gpa = s.rms.get("forces"), _gpa(s.rms.get("stress"))
        energies = (_or_none(lowest, "{:.4f}"), _or_none(highest, "{:.4f}"))
        counts = (str(s.n_structures), str(s.n_atoms))
        table.add_row(name or _NO_GROUP, *counts, *energies, _or_none(forces, "{:.4f}"), _or_none(gpa, "{:.3f}"))
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _range(values: tuple[float, float, float] | None) -> str:
    return "-" if values is None else "{0:.4f} to {2:.4f} eV, mean {1:.4f} eV".format(*values)


def _or_none(value: float | None, text: str) -> str:
    return "-" if value is None else text.format(value)


def _or_nothing(value: float | None, text: str) -> str:
    return "" if value is None else text.format(value)
