"""What a loop shows while it runs: a line for each step, and a table of the rounds, on a terminal after each of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from unnp.workflows.learn.rounds import Round

WORDS = {
    "propose": "proposing structures",
    "select": "selecting",
    "label": "labelling",
    "judge before": "judging the new structures before they are learnt",
    "train": "training",
    "judge": "judging",
}


def say_step(number: int, step: str) -> None:
    """Say what begins."""
    print(f"{time.strftime('%H:%M:%S')}  round {number}: {WORDS[step]}", flush=True)


def say_round(rounds: Sequence[Round], pool: int) -> None:
    """Show the finished rounds: all of them as a table on a terminal, the last as a line in a log."""
    from rich.console import Console

    header, rows = table(rounds, pool)
    if Console(file=sys.stdout).is_terminal:
        _print(header, rows)
    else:
        cells = [f"{name} {cell}" for name, cell in zip(header, rows[-1], strict=True) if cell]
        print("  ".join(cells), flush=True)


def table(rounds: Sequence[Round], pool: int) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the finished rounds as texts.

    Args:
        rounds: in their order.
        pool: number of structures in the pools; 0: there are none, and no share of them is shown.
    """
    columns = list(dict.fromkeys((judge, name) for one in rounds for judge, own in one.judged.items() for name in own))
    shown = [(judge, name) for judge, name in columns if name.endswith("_mae") or "_" not in name]
    titles = [f"{judge} {name.removesuffix('_mae')}" for judge, name in shown]
    header = ["round", "new", "learnt", *(["of the pool"] if pool else []), *titles, "min"]
    rows, learnt = [], 0
    for one in rounds:
        learnt += one.new
        share = [f"{learnt / pool:.1%}"] if pool else []
        numbers = [one.judged.get(judge, {}).get(name) for judge, name in shown]
        cells = ["" if number is None else f"{number:.4g}" for number in numbers]
        minutes = sum(one.seconds.values()) / 60
        rows.append([str(one.number), str(one.new), str(learnt), *share, *cells, f"{minutes:.1f}"])
    return header, rows


def _print(header: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for name in header:
        shown.add_column(escape(name), justify="right")
    for row in rows:
        shown.add_row(*map(escape, row))
    Console().print(shown)
