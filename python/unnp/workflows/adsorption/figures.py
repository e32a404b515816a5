"""The figure of the adsorption test: where all starts have ended, and the paths to the dissociated state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from unnp.plots import new_figure, save_figure
from unnp.workflows.adsorption.config import Reference
from unnp.workflows.adsorption.judge import End, State, Tested
from unnp.workflows.neb.path import distances
from unnp.workflows.neb.report import energies_of

MARKS = ("o", "s", "^", "v", "P", "D", "*", "X")
COLOURS: dict[State, str] = {"whole": "C0", "desorbed": "C2", "other bonds": "C1", "broken": "C3"}
Columns = dict[str, list[Any]]


def draw(path: Path, found: Mapping[str, Tested], reference: Reference | None) -> None:
    """Draw the ends of all starts above the adsorbed state, and the paths to the dissociated one beside the reference."""
    figure, (left, right) = new_figure(2)
    columns: Columns = {key: [] for key in ("potential", "kind", "name", "x", "energy_eV")}
    _draw_ends(left, found, columns)
    for name, tested in found.items():
        _draw_path(right, name, tested, columns)
    if reference is not None:
        places = [(0.0, 0.0), (0.5, reference.forward), (1.0, reference.reaction)]
        right.plot(*zip(*places, strict=True), "_", ms=24, mew=2, color="0.3", label=reference.name)
        _add(columns, reference.name, "path", "state", places)
    right.set(xlabel="share of the path", ylabel="energy above the adsorbed state [eV]")
    if right.lines:
        _legend(right)
    save_figure(figure, path, columns)


def _draw_ends(ax: Axes, found: Mapping[str, Tested], columns: Columns) -> None:
    kinds = list(dict.fromkeys(_kind(end) for tested in found.values() for end in tested.all_ends))
    marks = dict(zip(kinds, MARKS * (1 + len(kinds) // len(MARKS)), strict=False))
    for k, (name, tested) in enumerate(found.items()):
        shown = [(end, end.above) for end in tested.all_ends if end.above is not None]
        for i, (end, above) in enumerate(shown):
            place, state = k + 0.7 * ((i + 0.5) / len(shown) - 0.5), tested.state_of(end)
            ax.plot([place], [above], marks[_kind(end)], color=COLOURS[state], mfc="none", ms=6)
            _add(columns, name, state, end.start, [(place, above)])
    for state, colour in COLOURS.items():  # all four: with enough entries they fill the first column of the legend
        ax.plot([], [], lw=5, color=colour, label=state)
    for kind, mark in marks.items():
        ax.plot([], [], mark, color="0.4", mfc="none", label=kind)
    for _ in range(2 * len(COLOURS) - 2 - len(marks)):
        ax.plot([], [], " ", label=" ")
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xticks(range(len(found)), list(found))
    ax.set(ylabel="energy above the adsorbed state [eV]", xlim=(-0.6, len(found) - 0.4))
    _legend(ax)


def _draw_path(ax: Axes, name: str, tested: Tested, columns: Columns) -> None:
    if tested.band is None:
        return
    lengths, energies = distances(tested.band.images), energies_of(tested.band)
    share, above = lengths / lengths[-1], energies - energies[0]
    rest = tested.band.at_rest
    ax.plot(share, above, "o-" if rest else "o--", ms=4, lw=1, label=name if rest else f"{name}, not at rest")
    _add(columns, name, "path", "image", zip(share, above, strict=True))


def _kind(end: End) -> str:
    """Return the start without its number."""
    return end.start.rstrip("0123456789 ")


def _legend(ax: Axes) -> None:
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def _add(columns: Columns, potential: str, kind: str, name: str, points: Iterable[tuple[Any, Any]]) -> None:
    for x, y in points:
        for column, value in zip(columns.values(), (potential, kind, name, float(x), float(y)), strict=True):
            column.append(value)
