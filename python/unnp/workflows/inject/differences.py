"""What a variant of a method changes: Tukey's loss, confidence and the choice of potentials, in numbers and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.special import stdtrit

from unnp.plots import new_figure, save_figure
from unnp.workflows.inject.analysis import Spread, gain
from unnp.workflows.inject.comparison import GAIN, PERCENT, Table, with_error
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.judging import Outcome

CERTAINTY = 0.95
"""How often a method that is as good as the first one is not said to hurt."""


@dataclass(frozen=True)
class Difference:
    """A variant beside its method and the first method, over the seeds.

    Attributes:
        architecture, method: its names.
        of, kind, what: method that it is a variant of, and what was changed; empty for methods.
        gain: in the energy, of the same seed.
        lost: gain of the method that it is a variant of, less its own, of the same seed; None for methods.
        injected: structures with labels of potentials, means over the seeds.
        n_seeds: how many seeds these are.
    """

    architecture: str
    method: str
    of: str
    kind: str
    what: str
    gain: Spread
    lost: Spread | None
    injected: float
    n_seeds: int

    @property
    def hurts(self) -> bool | None:
        """Whether it is worse than the first method: ``gain < -t error`` with Student's one-sided 95 % quantile t.

        The quantile is that for the number of seeds. None for one seed, whose gain has no error.
        """
        if self.gain.error is None:
            return None
        return bool(self.gain.mean < -stdtrit(self.n_seeds - 1, CERTAINTY) * self.gain.error)


def differences(config: InjectConfig, found: Sequence[Outcome]) -> list[Difference]:
    """Return a row for each variant that is finished, behind that of its method."""
    errors = {(o.architecture, o.method, o.seed): o.test["energy"] for o in found if "energy" in o.test}
    rows = []
    for architecture in config.architectures:
        for method in dict.fromkeys(variant.of for variant in config.further.values()):
            names = [method, *(name for name, variant in config.further.items() if variant.of == method)]
            rows += [row for name in names if (row := _row(config, found, errors, architecture, name)) is not None]
    return rows


def _row(
    config: InjectConfig,
    found: Sequence[Outcome],
    errors: dict[tuple[str, str, int], float],
    architecture: str,
    name: str,
) -> Difference | None:
    own = [o for o in found if (o.architecture, o.method) == (architecture, name) and "energy" in o.test]
    if not own:
        return None

    def of(method: str, seed: int) -> float:
        return gain(errors[architecture, method, seed], errors[architecture, config.baseline, seed])

    variant = config.further.get(name)
    lost = None if variant is None else Spread.of([of(variant.of, o.seed) - of(name, o.seed) for o in own])
    words = ("", "", "") if variant is None else (variant.of, variant.kind, variant.what)
    gains = Spread.of([of(name, o.seed) for o in own])
    return Difference(architecture, name, *words, gains, lost, sum(o.injected for o in own) / len(own), len(own))


def difference_table(rows: Sequence[Difference]) -> Table:
    """Return header and rows; means over the seeds with standard errors."""
    header = ["architecture", "method", "changed", "injected", "energy gain [%]", "less than the method [%]", "hurts"]
    table = []
    for row in rows:
        changed = f"{row.kind}: {row.what}" if row.kind else ""
        gains = [with_error(row.gain, PERCENT, ".1f"), with_error(row.lost, PERCENT, ".1f")]
        hurts = {None: "not known", True: "yes", False: "no"}[row.hurts]
        table.append([row.architecture, row.method, changed, f"{row.injected:.0f}", *gains, hurts])
    return header, table


def draw_differences(path: Path, rows: Sequence[Difference]) -> None:
    """Draw the gains of variants with their standard errors, a panel for each method that has some."""
    if not rows:
        return
    methods = list(dict.fromkeys(row.of or row.method for row in rows))
    panels = {method: [row for row in rows if method in (row.of, row.method)] for method in methods}
    most = max(len({row.method for row in own}) for own in panels.values())
    figure, axes = new_figure(len(panels), width=4.4, height=1.4 + 0.25 * most)
    for ax, (method, own) in zip(axes, panels.items(), strict=True):
        names = list(dict.fromkeys(row.method for row in own))
        architectures = list(dict.fromkeys(row.architecture for row in own))
        for k, architecture in enumerate(architectures):
            shown = [row for row in own if row.architecture == architecture]
            y = [names.index(row.method) + 0.6 * ((k + 0.5) / len(architectures) - 0.5) for row in shown]
            x = [PERCENT * row.gain.mean for row in shown]
            bars = [PERCENT * (row.gain.error or 0.0) for row in shown]
            drawn = ax.errorbar(x, y, xerr=bars, fmt="o", ms=4, capsize=2, label=architecture)
            ax.axvline(x[0], color=drawn[0].get_color(), lw=0.6, ls=":")
        ax.axvline(0, color="0.3", lw=0.8)
        words = [method, *(f"{row.kind}: {row.what}" for row in own if row.architecture == architectures[0] and row.of)]
        ax.set_yticks(range(len(names)), words, fontsize="small")
        ax.invert_yaxis()
        ax.set(xlabel=GAIN)
        ax.legend(frameon=False, fontsize="small")
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows]
        for name in ("architecture", "method", "of", "kind", "what", "injected")
    }
    for name in ("gain", "lost"):
        found = [getattr(row, name) for row in rows]
        columns[name] = [None if spread is None else PERCENT * spread.mean for spread in found]
        columns[f"{name}_error"] = [
            None if spread is None or spread.error is None else PERCENT * spread.error for spread in found
        ]
    columns["hurts"] = [row.hurts for row in rows]
    save_figure(figure, path, columns)
