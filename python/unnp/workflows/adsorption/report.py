"""What is shown and kept of the adsorption test: tables, and one figure of ends and paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from unnp.files.writing import write_atomically
from unnp.plots import new_figure, save_figure, write_table
from unnp.workflows.adsorption.config import Reference
from unnp.workflows.adsorption.judge import SAME_ENERGY, WHOLE, End
from unnp.workflows.adsorption.run import DISSOCIATED, Tested
from unnp.workflows.neb.path import distances
from unnp.workflows.neb.report import barriers, energies_of
from unnp.workflows.neb.report import notes as notes_of_band

ENDS = ["potential", "start", "above adsorbed [eV]", "bonds", "slab moved [A]", "molecule moved [A]"]
RESULTS = ["potential", "same state", "whole", "broken and lower", "barrier [eV]", "back [eV]", "reaction [eV]"]
_MARKS = ("o", "s", "^", "D", "v", "P", "*", "X")


def end_rows(found: Mapping[str, Tested]) -> list[list[str]]:
    """Return the cells of a table of the ends, under ``ENDS``; what is not at rest is marked."""
    return [
        [
            name,
            end.start + (" !" if end.problem else ""),
            "" if end.above is None else f"{end.above:+.3f}",
            "" if end.above is None else ("kept" if end.bonded else "changed"),
            *("" if end.above is None else f"{value:.2f}" for value in (end.slab_moved, end.moved)),
        ]
        for name, tested in found.items()
        for end in tested.all_ends
    ]


def result_rows(found: Mapping[str, Tested], reference: Reference | None) -> list[list[str]]:
    """Return the cells of a table of verdicts and barriers, under ``RESULTS``, the reference first."""
    rows: list[list[str]] = []
    numbers: tuple[float, ...]
    if reference is not None:
        numbers = (reference.forward, reference.back, reference.reaction)
        rows.append([reference.name, "", "", "", *(f"{value:.2f}" for value in numbers)])
    for name, tested in found.items():
        numbers = () if tested.band is None else tuple(barriers(tested.band).values())
        rows.append([name, *_verdict(tested), *(f"{value:.2f}" for value in numbers)])
        rows[-1] += [""] * (len(RESULTS) - len(rows[-1]))
    return rows


def notes(found: Mapping[str, Tested]) -> list[str]:
    """Return what the tables do not say."""
    said = []
    for name, tested in found.items():
        said += [f"! {name}: {end.start}: {end.problem}" for end in tested.all_ends if end.problem]
        lower = {
            end.start: end.above for end in tested.all_ends if end.lower and not end.broken and end.above is not None
        }
        said += [
            f"{name}: {start}: whole, and {-above:.2f} eV below the adsorbed start" for start, above in lower.items()
        ]
        said += [f"! {name}: {tested.problem}"] if tested.problem else []
        said += [] if tested.band is None else [f"{name}: {note}" for note in notes_of_band(tested.band)]
        apart = next((end for end in tested.ends if end.start == DISSOCIATED and end.bonded), None)
        said += [f"! {name}: the dissociated state has the bonds of the molecule again"] if apart else []
    return said


def write_report(folder: Path, found: Mapping[str, Tested], reference: Reference | None) -> None:
    """Write ``adsorption.json``, ``ends.csv``, and ``adsorption.png`` with its data."""
    content: dict[str, Any] = {
        "limits": {"same_energy_eV": SAME_ENERGY, "whole_slab_A": WHOLE},
        "reference": None if reference is None else reference.model_dump(),
        "potentials": {name: _content(tested) for name, tested in found.items()},
    }
    write_atomically(folder / "adsorption.json", json.dumps(content, indent=2) + "\n")
    rows = [{"potential": name, **asdict(end)} for name, tested in found.items() for end in tested.all_ends]
    keys = ["potential", *End.__dataclass_fields__]
    write_table(folder / "ends.csv", {key: [row[key] for row in rows] for key in keys})
    _draw(folder / "adsorption.png", found, reference)


def _content(tested: Tested) -> dict[str, Any]:
    verdict = tested.verdict
    return {
        "verdict": None if verdict is None else {**asdict(verdict), "passed": verdict.passed},
        "ends": [{**asdict(end), "broken": end.broken} for end in tested.all_ends],
        "path": None if tested.band is None else {**barriers(tested.band), "at_rest": tested.band.at_rest},
        "problem": tested.problem,
    }


def _verdict(tested: Tested) -> list[str]:
    verdict = tested.verdict
    if verdict is None:
        return ["", "", ""]
    same = {True: "yes", False: "no", None: "not at rest"}[verdict.same]
    return [same, "yes" if verdict.whole else "no", ", ".join(verdict.broken_lower) or "none"]


def _draw(path: Path, found: Mapping[str, Tested], reference: Reference | None) -> None:
    """Draw the ends of all starts above the adsorbed state, and the paths to the dissociated one beside the reference."""
    figure, (left, right) = new_figure(2)
    columns: dict[str, list[Any]] = {key: [] for key in ("potential", "kind", "name", "x", "energy_eV")}
    _draw_ends(left, found, columns)
    for name, tested in found.items():
        if tested.band is not None:
            lengths, energies = distances(tested.band.images), energies_of(tested.band)
            share, above = lengths / lengths[-1], energies - energies[0]
            right.plot(share, above, "o-", ms=4, lw=1, label=name)
            _add(columns, name, "path", "image", zip(share, above, strict=True))
    if reference is not None:
        places = [(0.0, 0.0), (0.5, reference.forward), (1.0, reference.reaction)]
        right.plot(*zip(*places, strict=True), "_", ms=24, mew=2, color="0.3", label=reference.name)
        _add(columns, reference.name, "path", "state", places)
    right.set(xlabel="share of the path", ylabel="energy above the adsorbed state [eV]")
    if right.lines:
        right.legend(frameon=False, fontsize="small")
    save_figure(figure, path, columns)


def _draw_ends(ax: Axes, found: Mapping[str, Tested], columns: dict[str, list[Any]]) -> None:
    starts = list(dict.fromkeys(end.start for tested in found.values() for end in tested.all_ends))
    for mark, start in zip(_MARKS * (1 + len(starts) // len(_MARKS)), starts, strict=False):
        for k, (name, tested) in enumerate(found.items()):
            for end in tested.all_ends:
                if end.start == start and end.above is not None:
                    place = k + 0.12 * (starts.index(start) - (len(starts) - 1) / 2)
                    ax.plot([place], [end.above], mark, color="C3" if end.broken else "C0", mfc="none", ms=6)
                    _add(columns, name, "broken" if end.broken else "whole", start, [(place, end.above)])
        ax.plot([], [], mark, color="0.4", mfc="none", label=start)
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xticks(range(len(found)), list(found))
    ax.set(ylabel="energy above the adsorbed state [eV]", xlim=(-0.6, len(found) - 0.4))
    ax.set_title("ends: blue whole, red with other bonds or a broken slab", fontsize="small")
    if starts:
        ax.legend(frameon=False, fontsize="small")


def _add(columns: dict[str, list[Any]], potential: str, kind: str, name: str, points: Any) -> None:
    for x, y in points:
        for column, value in zip(columns.values(), (potential, kind, name, float(x), float(y)), strict=True):
            column.append(value)
