"""``unnp models``: which architectures there are, what can be set about them, and whether they keep the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from unnp.models import PotentialConfig
    from unnp.testing import Outcome

STYLES = {"passed": "green", "failed": "red", "skipped": "yellow"}
HEADER = ["", "check", "measured", "allowed", "what"]
WIDTHS = [7, 28, 9, 11, 0]

app = typer.Typer(help="List, describe and check architectures.")


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """List, describe and check architectures; without a further word, list them."""
    if context.invoked_subcommand is None:
        list_all()


@app.command("list")
def list_all() -> None:
    """List the architectures, and why those that cannot be used cannot."""
    from unnp.models import architectures, unavailable

    for known, kind in architectures().items():
        presets = f"  presets: {', '.join(kind.presets)}" if kind.presets else ""
        print(f"{known:<12} {(kind.__doc__ or '').splitlines()[0]}{presets}")
    for known, reason in unavailable().items():
        print(f"{known:<12} cannot be used: {reason}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Architecture.")],
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of its settings instead.")] = False,
) -> None:
    """Describe an architecture: its settings with their defaults, its presets, what to cite."""
    import json

    from unnp.models import architecture

    kind = architecture(name)
    if schema:
        print(json.dumps(kind.Config.model_json_schema(), indent=2))
        return
    print(f"{name}: {(kind.__doc__ or '').strip()}\n\nSettings:")
    for key, field in kind.Config.model_fields.items():
        default = "required" if field.is_required() else repr(field.get_default(call_default_factory=True))
        print(f"  {key} = {default}\n      {field.description or ''}")
    for preset, settings in kind.presets.items():
        print(f"Preset {preset}: {', '.join(f'{k} = {v!r}' for k, v in settings.items()) or 'the defaults'}")
    print("\n".join(["References:", *(f"  {reference}" for reference in kind.references)]))


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="Architecture.")],
    file: Annotated[
        Path | None, typer.Option("--settings", help="YAML file with its settings; default: its example.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. cutoff=4.")
    ] = None,
    elements: Annotated[str, typer.Option(metavar="A,B", help="Two elements to try it with.")] = "Al,Ni",
    dtype: Annotated[Literal["both", "float64", "float32"], typer.Option(help="Number type in LAMMPS.")] = "both",
    ranks: Annotated[str, typer.Option(metavar="N,N,...", help="Numbers of ranks in LAMMPS.")] = "1,2,4",
    skip_lammps: Annotated[bool, typer.Option("--skip-lammps", help="Leave out what needs LAMMPS.")] = False,
) -> None:
    """Check an architecture with random weights: its physics, its exported file, ASE, and LAMMPS on several ranks.

    Each line says what was measured and what is allowed. The exit code is 1 where a check failed. Checks that cannot be made
    here, for instance without LAMMPS, are skipped, which is said and does not count as passed.
    """
    import torch

    from unnp.testing import Outcome, Subject, checks, run_checks
    from unnp.testing.parity import DTYPES, lammps_checks, numbers_of_ranks

    in_lammps = lammps_checks(numbers_of_ranks(ranks), DTYPES if dtype == "both" else [dtype])
    subject = Subject(_config(name, file, settings or []), elements.split(","))
    torch.set_num_threads(1)  # as LAMMPS; with more, the first call of some functions of MKL is less exact
    outcomes = run_checks(subject, [*checks(), *([] if skip_lammps else in_lammps)])
    left_out = [Outcome(left, "skipped", reason="left out by --skip-lammps.") for left in in_lammps if skip_lammps]
    verdicts: list[str] = [outcome.verdict for outcome in _shown(name, chain(outcomes, left_out))]
    print(", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in STYLES) + ".")
    if "failed" in verdicts:
        raise typer.Exit(1)


def _config(name: str, file: Path | None, settings: list[str]) -> PotentialConfig:
    from unnp.config.base import read_yaml
    from unnp.config.overrides import apply_settings
    from unnp.models import PotentialConfig, architecture

    given = dict(architecture(name).example_settings) if file is None else read_yaml(file)
    return PotentialConfig(architecture=name, settings=apply_settings(given, settings))


def _shown(name: str, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Show outcomes as they come and hand them on: as rows of a table on a terminal, else as lines."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        for outcome in outcomes:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(_row(outcome), WIDTHS, strict=True)).rstrip())
            yield outcome
        return
    table = Table(title=f"Checks of {name}", title_justify="left")
    for title in HEADER:
        table.add_column(title, no_wrap=title != HEADER[-1])
    with Live(table, console=console, vertical_overflow="visible"):
        for outcome in outcomes:
            verdict, *others = _row(outcome)
            table.add_row(Text(verdict, style=STYLES[outcome.verdict]), *map(Text, others))
            yield outcome


def _row(outcome: Outcome) -> list[str]:
    measurement = outcome.measurement
    if measurement is None:
        return [outcome.verdict, outcome.check.name, "", "", outcome.reason]
    return [outcome.verdict, outcome.check.name, f"{measurement.value:.3g}", measurement.bound, measurement.what]
