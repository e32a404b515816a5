"""One table of all architectures and methods, as publications have it: energy errors and gains beside published ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unnp.workflows.inject.analysis import Row, Spread
from unnp.workflows.inject.config import InjectConfig

PERCENT = 100
GAIN = "gain in the energy error,\nmean and standard error over the seeds [%]"
"""What axes of figures are called."""
Table = tuple[list[str], list[list[str]]]


def comparison_table(config: InjectConfig, rows: list[Row]) -> Table:
    """Return header and rows: errors of the energy [meV/atom] and gains in brackets, a column for each method.

    A number is a mean over the seeds, with its standard error; the published numbers of an architecture stand below its own.
    """
    header = ["energy [meV/atom] (gain [%])", "numbers", *config.methods]
    table = []
    for architecture in config.architectures:
        own = {row.method: row for row in rows if row.architecture == architecture}
        if not own:
            continue
        table.append([architecture, "here", *(_found(own.get(method)) for method in config.methods)])
        if published := config.published.get(architecture):
            table.append([architecture, "published", *(_published(config, published, name) for name in config.methods)])
    return header, table


def comparison_columns(config: InjectConfig, rows: list[Row]) -> dict[str, list[Any]]:
    """Return the numbers of this table, a row for each architecture and method; gains in percent."""
    names = ("architecture", "method", "energy", "energy_error", "gain", "gain_error", "published", "published_gain")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        published = config.published.get(row.architecture, {})
        gain = published_gain(config, published, row.method)
        own = row.gain.get("energy")
        values = [row.architecture, row.method, *_numbers(row.test.get("energy"), 1), *_numbers(own, PERCENT)]
        values += [published.get(row.method), None if gain is None else PERCENT * gain]
        for name, value in zip(names, values, strict=True):
            columns[name].append(value)
    return columns


def published_gain(config: InjectConfig, published: Mapping[str, float], method: str) -> float | None:
    """Return ``1 - error / error of the first method`` of published errors; None for that method, and where one is missing."""
    if method == config.baseline or method not in published or config.baseline not in published:
        return None
    return 1 - published[method] / published[config.baseline]


def with_error(found: Spread | None, factor: float = 1.0, form: str = ".3g") -> str:
    """Return mean and standard error as a text; empty for nothing."""
    if found is None:
        return ""
    mean = factor * found.mean
    text = f"{mean:.0f}" if abs(mean) >= 1000 else f"{mean:{form}}"
    return text if found.error is None else f"{text} ± {short(factor * found.error)}"


def short(value: float) -> str:
    """Return two digits of a number, and all before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


def _found(row: Row | None) -> str:
    if row is None:
        return ""
    gain = with_error(row.gain.get("energy"), PERCENT, ".1f")
    return with_error(row.test.get("energy")) + (f" ({gain})" if gain else "")


def _published(config: InjectConfig, published: Mapping[str, float], method: str) -> str:
    if method not in published:
        return ""
    gain = published_gain(config, published, method)
    return f"{published[method]:.3g}" + ("" if gain is None else f" ({PERCENT * gain:.0f})")


def _numbers(found: Spread | None, factor: float) -> list[float | None]:
    if found is None:
        return [None, None]
    return [factor * found.mean, None if found.error is None else factor * found.error]
