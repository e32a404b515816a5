"""A table of all architectures and methods for each quantity, as publications have it: errors, gains, published ones beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unnp.atoms.quantities import QUANTITIES
from unnp.workflows.inject.analysis import Row, Spread, gain
from unnp.workflows.inject.config import InjectConfig

PERCENT = 100
ENERGY = "energy"
"""The quantity that published errors are of."""
_SPREAD = "mean and standard error over the seeds [%]"
GAIN = f"gain in the energy error,\n{_SPREAD}"
GAIN_IN_ERRORS = f"gain in the error,\n{_SPREAD}"
"""What axes of figures are called."""
Table = tuple[list[str], list[list[str]]]


def comparison_table(config: InjectConfig, rows: list[Row], quantity: str = ENERGY) -> Table:
    """Return header and rows: errors of a quantity and gains in brackets, a column for each method.

    A number is a mean over the seeds, with its standard error; the published energies of an architecture stand below its own.
    """
    header = [f"{quantity} [{QUANTITIES[quantity].errors_in[0]}] (gain [%])", "numbers", *config.methods]
    table = []
    for architecture in config.architectures:
        own = {row.method: row for row in rows if row.architecture == architecture}
        if not own:
            continue
        table.append([architecture, "here", *(_found(own.get(method), quantity) for method in config.methods)])
        if quantity == ENERGY and (published := config.published.get(architecture)):
            table.append([architecture, "published", *(_published(config, published, name) for name in config.methods)])
    return header, table


def comparison_columns(config: InjectConfig, rows: list[Row], further: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Return the numbers of these tables, a row for each architecture and method; gains in percent.

    Args:
        config: of all.
        rows: of the tables.
        further: quantities beside the energy.
    """
    names = ["architecture", "method", ENERGY, "energy_error", "gain", "gain_error", "published", "published_gain"]
    names += [f"{quantity}{what}" for quantity in further for what in ("", "_error", "_gain", "_gain_error")]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        published = config.published.get(row.architecture, {})
        theirs = published_gain(config, published, row.method)
        values = [row.architecture, row.method, *_both(row, ENERGY)]
        values += [published.get(row.method), None if theirs is None else PERCENT * theirs]
        values += [value for quantity in further for value in _both(row, quantity)]
        for name, value in zip(names, values, strict=True):
            columns[name].append(value)
    return columns


def published_gain(config: InjectConfig, published: Mapping[str, float], method: str) -> float | None:
    """Return the gain in published errors; None for the first method, and where one of both is missing.

    These are means over splits, so that it is a ratio of means, where the gains of a run are means of the ratios of each split.
    """
    if method == config.baseline or method not in published or config.baseline not in published:
        return None
    return gain(published[method], published[config.baseline])


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


def _found(row: Row | None, quantity: str) -> str:
    if row is None:
        return ""
    own = with_error(row.gain.get(quantity), PERCENT, ".1f")
    return with_error(row.test.get(quantity)) + (f" ({own})" if own else "")


def _published(config: InjectConfig, published: Mapping[str, float], method: str) -> str:
    if method not in published:
        return ""
    theirs = published_gain(config, published, method)
    return f"{published[method]:.3g}" + ("" if theirs is None else f" ({PERCENT * theirs:.0f})")


def _both(row: Row, quantity: str) -> list[float | None]:
    """Return error and gain of a quantity, each with its standard error."""
    return [*_numbers(row.test.get(quantity), 1), *_numbers(row.gain.get(quantity), PERCENT)]


def _numbers(found: Spread | None, factor: float) -> list[float | None]:
    if found is None:
        return [None, None]
    return [factor * found.mean, None if found.error is None else factor * found.error]
