"""What is shown and kept of the adsorption test: tables, and one figure of ends and paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unnp.files.writing import write_atomically
from unnp.plots import write_table
from unnp.workflows.adsorption.config import Reference
from unnp.workflows.adsorption.figures import draw
from unnp.workflows.adsorption.judge import BOND, DISSOCIATED, SAME_ENERGY, SAME_PLACE, SLID, WHOLE, End, Tested
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.report import barriers, energies_of, parts_of
from unnp.workflows.neb.report import notes as notes_of_band

ENDS = ["potential", "start", "above adsorbed [eV]", "bonds", "slab moved [A]", "molecule moved [A]", "site"]
RESULTS = ["potential", "same state", "whole", "broken and lower", "passes"]
RESULTS += ["barrier [eV]", "back [eV]", "reaction [eV]"]


def end_rows(found: Mapping[str, Tested]) -> list[list[str]]:
    """Return the cells of a table of the ends, under ``ENDS``; what is not at rest is marked."""
    return [
        [
            name,
            end.start + (" !" if end.problem else ""),
            "" if end.above is None else f"{end.above:+.3f}",
            "" if end.above is None else ("kept" if end.bonded else "changed"),
            *("" if end.above is None else f"{value:.2f}" for value in (end.slab_moved, end.moved)),
            end.site,
        ]
        for name, tested in found.items()
        for end in tested.all_ends
    ]


def result_rows(found: Mapping[str, Tested], reference: Reference | None) -> list[list[str]]:
    """Return the cells of a table of verdicts and barriers, under ``RESULTS``, the reference first.

    Barriers of a band that is not at rest are marked. There are none where the highest image is an end.
    """
    rows: list[list[str]] = []
    if reference is not None:
        numbers = (reference.forward, reference.back, reference.reaction)
        rows.append([reference.name, "", "", "", "", *(f"{value:.2f}" for value in numbers)])
    for name, tested in found.items():
        rows.append([name, *_verdict(tested), *_barriers(tested.band)])
    return rows


def notes(found: Mapping[str, Tested]) -> list[str]:
    """Return what the tables do not say."""
    return [f"{name}: {note}" for name, tested in found.items() for note in _notes(tested)]


def _notes(tested: Tested) -> list[str]:
    said = [f"! {end.start}: {end.problem}" for end in tested.all_ends if end.problem]
    if tested.verdict is not None and not tested.verdict.passed:
        said.append(f"does not pass: {'; '.join(tested.verdict.reasons)}")
    said += [line for end in tested.all_ends if (line := _remark(end, tested))]
    said += [
        f"{end.start}: a layer of the slab has slid by {end.slid:.1f} A along the surface"
        for end in tested.all_ends
        if end.slid > SLID
    ]
    said += [f"! {tested.problem}"] if tested.problem else []
    said += [] if tested.band is None else notes_of_band(tested.band)
    if any(end.start == DISSOCIATED and end.bonded for end in tested.ends):
        said.append("! the dissociated state has the bonds of the molecule again")
    return said


def _remark(end: End, tested: Tested) -> str:
    """Return what is remarkable about where a start has led and the verdict does not say; empty: nothing."""
    said = () if tested.verdict is None else tested.verdict.reasons
    if end.above is None or end.problem or any(reason.startswith(f"{end.start}:") for reason in said):
        return ""
    if (state := tested.state_of(end)) == "broken":
        return ""
    place = f"at another place ({end.site}, {end.from_alike:.1f} A away)"
    if end.lower:
        words = {"whole": place if end.elsewhere else "whole", "desorbed": "desorbed"}
        return (
            f"{end.start}: {words.get(state, 'a whole slab, other bonds in the molecule')}, "
            f"and {-end.above:.2f} eV below the adsorbed start"
        )
    if state == "desorbed":
        return f"{end.start}: desorbed, {end.above:+.2f} eV from the adsorbed start"
    if end is tested.ends[0]:
        return "" if end.site == tested.placed else f"{end.start}: put in {tested.placed}, ends in {end.site}"
    if state == "whole" and end.elsewhere:
        return f"{end.start}: {place}, {end.above:+.2f} eV from the adsorbed start"
    return ""


def write_report(folder: Path, found: Mapping[str, Tested], reference: Reference | None) -> None:
    """Write ``adsorption.json``, ``ends.csv``, and ``adsorption.png`` with its data."""
    content: dict[str, Any] = {
        "limits": {"same_energy_eV": SAME_ENERGY, "same_place_A": SAME_PLACE, "whole_slab_A": WHOLE, "bond": BOND},
        "reference": None if reference is None else reference.model_dump(),
        "potentials": {name: _content(tested) for name, tested in found.items()},
    }
    write_atomically(folder / "adsorption.json", json.dumps(content, indent=2) + "\n")
    rows = [{"potential": name, **asdict(end)} for name, tested in found.items() for end in tested.all_ends]
    keys = ["potential", *End.__dataclass_fields__]
    write_table(folder / "ends.csv", {key: [row[key] for row in rows] for key in keys})
    draw(folder / "adsorption.png", found, reference)


def _content(tested: Tested) -> dict[str, Any]:
    verdict = tested.verdict
    return {
        "verdict": None if verdict is None else {**asdict(verdict), "passed": verdict.passed},
        "ends": [{**asdict(end), "broken": None if end.above is None else end.broken} for end in tested.all_ends],
        "placed": tested.placed,
        "path": None if tested.band is None else _path(tested.band),
        "problem": tested.problem,
        "notes": _notes(tested),
    }


def _path(band: Band) -> dict[str, Any]:
    state = {"steps": band.steps, "largest_force_eV_per_A": band.force, "at_rest": band.at_rest}
    return {**barriers(band), **state, "parts": parts_of(band)}


def _barriers(band: Band | None) -> list[str]:
    """Return barriers forward and back and the energy of reaction as texts."""
    if band is None:
        return ["", "", ""]
    mark, energies = "" if band.at_rest else " !", energies_of(band)
    forward, back, reaction = barriers(band).values()
    if int(energies.argmax()) in (0, len(energies) - 1):
        return ["none" + mark, "none" + mark, f"{reaction:.2f}"]
    return [f"{forward:.2f}{mark}", f"{back:.2f}{mark}", f"{reaction:.2f}"]


def _verdict(tested: Tested) -> list[str]:
    verdict = tested.verdict
    if verdict is None:
        return ["", "", "", ""]
    same = {True: "yes", False: "no", None: "not at rest"}[verdict.same]
    return [
        same,
        "yes" if verdict.whole else "no",
        ", ".join(verdict.broken_lower) or "none",
        "yes" if verdict.passed else "no",
    ]
