"""What is shown and kept of surface energies: tables, and figures with their data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unnp.files.writing import write_atomically, writing
from unnp.plots import write_table
from unnp.workflows.surfaces.config import LABELS
from unnp.workflows.surfaces.energies import Measured
from unnp.workflows.surfaces.errors import QUANTITIES, Pair, pairs, summarise
from unnp.workflows.surfaces.figures import draw_errors, draw_parity
from unnp.workflows.surfaces.slabs import Energies, Slab
from unnp.workflows.surfaces.triangles import draw_triangles

ERRORS = [
    "potential",
    "formula",
    "slabs",
    "gamma MAE",
    "RMSE",
    "bias [J/m^2]",
    "at rest",
    "relaxed MAE",
    "bulk MAE",
    "slab MAE [meV/atom]",
]
FIGURES = ("parity", "errors", "triangles", "map", "distances")

_COLUMNS = {"bulk": "bulk_energy", "slab": "slab_energy", "relaxed": "relaxed_energy"}


def rows(slabs: Sequence[Slab], measured: Mapping[str, Sequence[Measured]]) -> tuple[list[str], list[list[str]]]:
    """Return header and cells of a table of surface energies [J/m^2], relaxed ones in brackets; what went wrong is marked."""
    labelled = any(slab.labels is not None for slab in slabs)
    header = ["slab", *([LABELS] if labelled else []), *measured]
    table = []
    for k, slab in enumerate(slabs):
        label = [f"{slab.labels.gamma:.3f}" if slab.labels else ""] if labelled else []
        table.append([slab.name, *label, *(_cell(own[k]) for own in measured.values())])
    return header, table


def error_rows(found: Sequence[Pair]) -> list[list[str]]:
    """Return the cells of a table of errors, under ``ERRORS``; slabs at rest are counted apart from those as they were cut."""
    return [
        [
            potential,
            formula,
            str(int(own["gamma"]["n"])),
            *(f"{own['gamma'][measure]:.3f}" for measure in ("mae", "rmse")),
            f"{own['gamma']['bias']:+.3f}",
            *_at_rest(own.get("gamma_relaxed")),
            *(f"{1000 * own[quantity]['mae']:.1f}" for quantity in ("bulk", "slab")),
        ]
        for potential, formulas in summarise(found).items()
        for formula, own in formulas.items()
        if "gamma" in own
    ]


def notes(slabs: Sequence[Slab], measured: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Return what went wrong with single slabs, which gammas are below 0, and of which substances a potential has no file."""
    said = [
        f"{name} has no file for {', '.join(missing)}"
        for name, own in measured.items()
        if (missing := dict.fromkeys(slab.formula for slab, each in zip(slabs, own, strict=True) if each == Measured()))
    ]
    said += _below_zero(LABELS, [(slab.name, slab.labels.gamma) for slab in slabs if slab.labels is not None])
    for name, own in measured.items():
        known = [(slab.name, each.gamma) for slab, each in zip(slabs, own, strict=True) if each.gamma is not None]
        said += _below_zero(name, known)
    return said + [
        f"! {name}: {slab.name}: {each.problem}"
        for name, own in measured.items()
        for slab, each in zip(slabs, own, strict=True)
        if each.problem
    ]


def _below_zero(name: str, gammas: Sequence[tuple[str, float]]) -> list[str]:
    """Return in a line which surface energies of labels or a potential are below 0."""
    below = [(gamma, slab) for slab, gamma in gammas if gamma < 0]
    if not below:
        return []
    lowest, slab = min(below)
    return [
        f"! {name}: surface energies below 0: {len(below)}, down to {lowest:.3f} J/m^2 ({slab}); no crystal falls apart by "
        "itself: look at the crystal that they count from, and at the potential"
    ]


def write_report(
    folder: Path,
    slabs: Sequence[Slab],
    measured: Mapping[str, Sequence[Measured]],
    reference: str | None,
    said: Sequence[str] = (),
) -> list[Pair]:
    """Write ``surfaces.json``, with notes, and ``.csv``, and with a reference three figures; return what is compared."""
    found = pairs(slabs, measured, reference)
    content = {
        "units": {**QUANTITIES, "relaxed": "eV/atom", "area": "A^2"},
        "reference": reference,
        "slabs": {slab.name: _description(slab, k, measured) for k, slab in enumerate(slabs)},
        "errors": summarise(found),
        "notes": list(said),
    }
    write_atomically(folder / "surfaces.json", json.dumps(content, indent=2) + "\n")
    write_table(folder / "surfaces.csv", _columns(slabs, measured))
    if found:
        draw_parity(folder / "parity.png", found, str(reference))
        draw_errors(folder / "errors.png", found)
        draw_triangles(folder / "triangles.png", found)
    else:
        for path in (folder / f"{name}.{ending}" for name in FIGURES for ending in ("png", "csv")):
            with writing(path):
                path.unlink(missing_ok=True)  # of an earlier run, with a reference
    return found


def _description(slab: Slab, k: int, measured: Mapping[str, Sequence[Measured]]) -> dict[str, Any]:
    return {
        "formula": slab.formula,
        "plane": slab.plane,
        "crystal": slab.crystal_source or None,
        "labels": None if slab.labels is None else asdict(slab.labels),
        "potentials": {name: asdict(own[k]) for name, own in measured.items()},
    }


def _columns(slabs: Sequence[Slab], measured: Mapping[str, Sequence[Measured]]) -> dict[str, list[Any]]:
    names = [_COLUMNS.get(name, name) for name in Measured.__dataclass_fields__]
    entries: list[dict[str, Any]] = [
        {"potential": LABELS, "slab": slab.name, "formula": slab.formula, **_energies(slab.labels)}
        for slab in slabs
        if slab.labels is not None
    ]
    entries += [
        {"potential": name, "slab": slab.name, "formula": slab.formula, **_energies(each)}
        for name, own in measured.items()
        for slab, each in zip(slabs, own, strict=True)
    ]
    return {key: [entry.get(key) for entry in entries] for key in ("potential", "slab", "formula", *names)}


def _energies(of: Measured | Energies) -> dict[str, Any]:
    """Return the fields by the names of the columns, so that none has that of the slab's name."""
    return {_COLUMNS.get(key, key): value for key, value in asdict(of).items()}


def _at_rest(relaxed: Mapping[str, float] | None) -> tuple[str, str]:
    """Return of how many slabs at rest errors are known, and their mean."""
    return ("", "") if relaxed is None else (str(int(relaxed["n"])), f"{relaxed['mae']:.3f}")


def _cell(each: Measured) -> str:
    text = "" if each.gamma is None else f"{each.gamma:.3f}"
    text += "" if each.gamma_relaxed is None else f" ({each.gamma_relaxed:.3f})"
    return text + (" !" if each.problem else "")
