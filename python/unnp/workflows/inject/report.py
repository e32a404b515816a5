"""Tables and figures of an injection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.files.writing import write_atomically
from unnp.plots import write_table
from unnp.workflows.inject.analysis import Row, choices, potentials, rows
from unnp.workflows.inject.comparison import PERCENT, comparison_columns, comparison_table, with_error
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.differences import Difference, difference_table, differences, draw_differences
from unnp.workflows.inject.figures import draw_choices, draw_gains, draw_map
from unnp.workflows.inject.judging import Outcome
from unnp.workflows.inject.material import Material
from unnp.workflows.inject.outliers import draw_outliers
from unnp.workflows.inject.runs import pretrained
from unnp.workflows.inject.seeds import Seed


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
    tables = {"results": method_table(report), "potentials": potential_table(report), "choices": choice_table(report)}
    shown = [comparison_table(report.config, report.rows), difference_table(report.differences), *tables.values()]
    write_atomically(folder / "table.md", "\n".join(_markdown(*table) for table in shown if table[1]))
    for name, (header, cells) in tables.items():
        write_table(folder / f"{name}.csv", dict(zip(header, zip(*cells, strict=True), strict=True)) if cells else {})
    write_table(folder / "comparison.csv", comparison_columns(report.config, report.rows))
    _draw(folder, report)


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


def choice_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: the choices of the classifiers by part, means over the seeds."""
    header = ["architecture", "part", "structures", "none", "right [%]", "none would be right [%]"]
    header += ["energy [meV/atom]", "outliers [%]"]
    keys = dict.fromkeys((row["architecture"], row["part"]) for row in report.choices)
    table = []
    for architecture, part in keys:
        own = [row for row in report.choices if (row["architecture"], row["part"]) == (architecture, part)]
        shown = [
            _mean(own, "structures"),
            _mean(own, "none"),
            _mean(own, "right", PERCENT),
            _mean(own, "none_right", PERCENT),
        ]
        shown += [_mean(own, "energy_mae"), _mean(own, "outliers", PERCENT)]
        table.append([architecture, part, *shown])
    return header, table


def _mean(own: Sequence[dict[str, Any]], key: str, factor: float = 1.0) -> str:
    values = [row[key] for row in own if key in row]
    return f"{factor * sum(values) / len(values):.4g}" if values else ""


def _sizes(report: Report) -> dict[str, int]:
    split = report.seeds[0].division.split
    parts = {name: len(getattr(split, name)) for name in ("train", "validation", "test")}
    return {**parts, "pool": len(report.material.pool)}


def _markdown(header: list[str], cells: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _draw(folder: Path, report: Report) -> None:
    draw_gains(folder / "gains.png", [row for row in report.rows if row.method in report.config.methods])
    draw_differences(folder / "variants.png", report.differences)
    draw_choices(folder / "choice-shares.png", report.choices)
    for architecture in report.config.architectures if report.choices else ():
        draw_outliers(folder / f"outliers-{architecture}.png", report.seeds[0], architecture)
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
