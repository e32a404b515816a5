"""Crystals of one potential, or of two, relaxed, compared and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ase.calculators.calculator import Calculator

from unnp.data.progress import counting
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder
from unnp.workflows.crystals.judge import Comparison, Numbers, compare, numbers_of
from unnp.workflows.crystals.prototypes import CrystalSpec
from unnp.workflows.crystals.relaxation import Crystal, Settings, relax_crystals
from unnp.workflows.crystals.report import write_crystals


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        crystals: of each potential, by its name.
        comparison: of the first with the second or with a table; None: there was nothing to compare with.
    """

    crystals: dict[str, list[Crystal]]
    comparison: Comparison | None


def run_crystals(
    specs: Sequence[CrystalSpec],
    potentials: Mapping[str, Calculator],
    folder: Path,
    settings: Settings | None = None,
    table: Mapping[str, Numbers] | None = None,
) -> Result:
    """Relax crystals of one potential or two, compare the first with the second or with a table, and write all of it.

    Args:
        specs: from ``parse_specs`` and ``given_crystals``.
        potentials: one or two calculators by name.
        folder: what is written goes there, see ``write_crystals``.
        settings: how crystals are relaxed; None: the defaults.
        table: what to compare with, in the place of a second potential.

    Raises:
        ModelError: a potential can compute none of the crystals.
        UnnpError: the folder cannot be written, or another process works in it.
    """
    make_folder(folder)  # said before the work, not after it, where it cannot be made
    with hold_folder(folder):
        crystals = {}
        for name, calculator in potentials.items():
            with counting(f"{name}: crystals", len(specs)) as advance:
                crystals[name] = relax_crystals(specs, calculator, settings, advance)
        own, *others = crystals.values()
        reference = numbers_of(others[0]) if others else table
        comparison = compare(own, reference) if reference is not None else None
        write_crystals(folder, crystals, comparison)
    return Result(crystals, comparison)
