"""Tables and figures of an injection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.files.writing import write_atomically
from unnp.plots import write_table
from unnp.workflows.inject.analysis import Row, Spread, choices, potentials, rows
from unnp.workflows.inject.classifiers import Among, chosen_among
from unnp.workflows.inject.comparison import ENERGY, PERCENT, comparison_columns, comparison_table, with_error
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.differences import Difference, difference_table, differences, draw_differences
from unnp.workflows.inject.figures import draw_choices, draw_gains, draw_map
from unnp.workflows.inject.judging import Outcome
from unnp.workflows.inject.material import Material
from unnp.workflows.inject.outliers import draw_outliers
from unnp.workflows.inject.runs import pretrained
from unnp.workflows.inject.seeds import Seed, name_of
from unnp.workflows.inject.trainings import learnt


@dataclass(frozen=True)
class Report:
    """What is finished of an injection.

    Attributes:
        config, material: what it was made of.
        seeds: those that are finished.
        outcomes: of each method, architecture and seed.
    """

    config: InjectConfig
    material: Material
    seeds: list[Seed]
    outcomes: list[Outcome]

    @cached_property
    def rows(self) -> list[Row]:
        """A row for each architecture and method."""
        return rows(self.config, self.outcomes)

    @cached_property
    def differences(self) -> list[Difference]:
        """A row for each variant of a method, and for the method."""
        return differences(self.config, self.outcomes)

    @cached_property
    def potentials(self) -> dict[str, dict[str, Any]]:
        """What each potential is worth."""
        return potentials(self.seeds)

    @cached_property
    def choices(self) -> list[dict[str, Any]]:
        """What the classifiers chose."""
        return choices(self.seeds)


def write_report(folder: Path, report: Report) -> None:
    """Write ``results.json``, ``table.md``, CSV files and figures of what is finished."""
    content = {
        "units": {name: QUANTITIES[name].errors_in[0] for name in STANDARD},
        "seeds": [seed.seed for seed in report.seeds],
        "structures": _sizes(report),
        "rows": [asdict(row) for row in report.rows],
        "differences": [{**asdict(row), "hurts": row.hurts} for row in report.differences],
        "outcomes": [{**asdict(each), "run": each.run.relative_to(folder).as_posix()} for each in report.outcomes],
        "potentials": report.potentials,
        "choices": report.choices,
    }
    write_atomically(folder / "results.json", json.dumps(content, indent=1) + "\n")
    tables = {
        "results": method_table(report),
        "potentials": potential_table(report),
        "choices": choice_table(report),
    }
    shown = [comparison_table(report.config, report.rows, name) for name in compared(report)]
    shown.append(difference_table(report.differences))
    shown += [tables["results"], tables["potentials"], choice_table(report, brief=True)]
    write_atomically(folder / "table.md", "\n".join(_markdown(*table) for table in shown if table[1]))
    for name, (header, cells) in tables.items():
        write_table(folder / f"{name}.csv", dict(zip(header, zip(*cells, strict=True), strict=True)) if cells else {})
    write_table(folder / "comparison.csv", comparison_columns(report.config, report.rows, compared(report)[1:]))
    _draw(folder, report)


def compared(report: Report) -> list[str]:
    """Return the quantities that have a first table: the energy, and what else is learnt and known of the test structures."""
    learnt_too = [name for name in learnt(report.config) if name != ENERGY]
    return [ENERGY, *(name for name in learnt_too if any(name in row.test for row in report.rows))]


def method_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: errors of each method, gains, both with standard errors over the seeds, and alphas."""
    quantities = [name for name in STANDARD if any(name in row.test for row in report.rows)]
    on_pool = [name for name in STANDARD if any(name in row.pool for row in report.rows)]
    header = ["architecture", "method", *(f"{name} [{QUANTITIES[name].errors_in[0]}]" for name in quantities)]
    header += [f"{name} gain [%]" for name in quantities]
    header += [f"pool {name} [{QUANTITIES[name].errors_in[0]}]" for name in on_pool] + ["injected", "alpha"]
    table = []
    for row in report.rows:
        cells = [with_error(row.test.get(name)) for name in quantities]
        cells += [with_error(row.gain.get(name), PERCENT, ".1f") for name in quantities]
        cells += [with_error(row.pool.get(name)) for name in on_pool]
        alphas = ", ".join(f"{alpha:g}" for alpha in row.alphas) if any(row.alphas) else ""
        injected = f"{row.injected:.0f}" if report.config.ways[row.method].augment is not None else ""
        table.append([row.architecture, row.method, *cells, injected, alphas])
    return header, table


def potential_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: what each potential is worth."""
    header = ["potential", "shift [eV]", "energy [meV/atom]", "forces [eV/A]", "nearest [%]"]
    header += ["pool energy [meV/atom]", "its median", "pool forces [eV/A]", "left out"]
    table = []
    for name, own in report.potentials.items():
        labelled, pool = own.get("labelled", {}), own.get("pool", {})
        shift = ", ".join(f"{e} {value:+.3f}" for e, value in own.get("shift", {}).items())
        numbers = [labelled.get("energy"), labelled.get("forces"), PERCENT * own["nearest"]]
        numbers += [pool.get("energy"), pool.get("energy_median"), pool.get("forces")]
        left_out = f"{own['failed'] + own['masked']:.0f}" if "failed" in own else ""
        table.append([name, shift, *("" if n is None else f"{n:.4g}" for n in numbers), left_out])
    return header, table


def choice_table(report: Report, *, brief: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: the choices of each classifier by part, means over the seeds with their standard errors.

    Args:
        report: of all.
        brief: whether classifiers that variants of methods alone need have a row for the pool only.
    """
    header = ["architecture", "chooses among", "for", "part", "structures", "none", "right [%]"]
    header += ["none would be right [%]", "energy [meV/atom]", "outliers [%]"]
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in report.choices:
        if not brief or row["part"] == "pool" or _of_method(report, row):
            named = [name for name in row["methods"] if name in report.config.methods] or row["methods"]
            key = (row["architecture"], row["among"], ", ".join(named), row["part"])
            found.setdefault(key, []).append(row)
    numbers = {
        "structures": 1,
        "none": 1,
        "right": PERCENT,
        "none_right": PERCENT,
        "energy_mae": 1,
        "outliers": PERCENT,
    }
    return header, [[*key, *(_over_seeds(own, *each) for each in numbers.items())] for key, own in found.items()]


def _over_seeds(own: Sequence[dict[str, Any]], key: str, factor: float) -> str:
    values = [row[key] for row in own if key in row]
    return with_error(Spread.of(values) if values else None, factor)


def _among(config: InjectConfig) -> list[Among]:
    """Return what the classifiers choose among that methods need, and not variants of them alone."""
    return [among for among, methods in chosen_among(config).items() if not config.methods.keys().isdisjoint(methods)]


def _of_method(report: Report, row: dict[str, Any]) -> bool:
    """Return whether a choice is that of a classifier that a method needs, and not variants of it alone."""
    return not report.config.methods.keys().isdisjoint(row["methods"])


def _sizes(report: Report) -> dict[str, int]:
    split = report.seeds[0].division.split
    parts = {name: len(getattr(split, name)) for name in ("train", "validation", "test")}
    return {**parts, "pool": len(report.material.pool)}


def _markdown(header: list[str], cells: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _draw(folder: Path, report: Report) -> None:
    methods = [row for row in report.rows if row.method in report.config.methods]
    draw_gains(folder / "gains.png", methods, compared(report))
    draw_differences(folder / "variants.png", report.differences)
    draw_choices(folder / "choice-shares.png", [row for row in report.choices if _of_method(report, row)])
    seed = report.seeds[0]
    for architecture, among in product(report.config.architectures, _among(report.config)):
        name = architecture if list(among) == seed.potentials else f"{architecture}-{name_of(among)}"
        draw_outliers(folder / f"outliers-{name}.png", seed, architecture, among)
    _draw_maps(folder, report)


def _draw_maps(folder: Path, report: Report) -> None:
    """Draw a map for each architecture of the first seed: before, after pretraining, and by the best method."""
    seed = report.seeds[0]
    for architecture in report.config.architectures:
        own = {o.method: o for o in report.outcomes if (o.architecture, o.seed) == (architecture, seed.seed)}
        base, best = own[report.config.baseline], min(own.values(), key=lambda o: o.test[report.config.judge])
        shown = {"random weights": (base.run, False), report.config.baseline: (base.run, True)}
        folders = [pretrained(seed, architecture, method) for method in report.config.methods.values()]
        if begun := [folder for folder in folders if folder is not None]:
            shown["pretrained"] = (begun[0], True)
        if best is not base:
            shown[best.method] = (best.run, True)
        draw_map(folder / f"map-{architecture}.png", seed, architecture, shown)
