"""What a loop shows: a line for each step and some for each round while it runs, and tables of all rounds at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from unnp.workflows.learn.judges.base import Judge, Shown
from unnp.workflows.learn.rounds import Round

WORDS = {
    "propose": "proposing structures",
    "select": "selecting",
    "label": "labelling",
    "judge before": "judging the new structures before they are learnt",
    "train": "training",
    "judge": "judging",
}
Judges = Mapping[str, Judge | type[Judge]]
"""judges by their names in the configuration"""
Table = tuple[str, list[str], list[list[str]]]
"""title, header and rows"""


def say_step(number: int, step: str) -> None:
    """Say what begins."""
    print(f"{time.strftime('%H:%M:%S')}  round {number}: {WORDS[step]}", flush=True)


def say_round(rounds: Sequence[Round], pool: int, judges: Judges) -> None:
    """Show the round that was finished last: a line, and one for each judge."""
    _, header, rows = rounds_table(rounds, pool)
    print("  ".join(f"{name} {cell}" for name, cell in zip(header, rows[-1], strict=True)), flush=True)
    width = max(map(len, judges), default=0)
    for name, judge in judges.items():
        said = rounds[-1].judged.get(name, {})
        cells = [f"{title} {_cell(said[key])} {unit}".strip() for key, (title, unit) in _shown(judge, [said]).items()]
        if cells:
            print(f"  {name:{width}}  {'  '.join(cells)}", flush=True)


def tables(rounds: Sequence[Round], pool: int, judges: Judges) -> Iterator[Table]:
    """Yield the tables of the finished rounds: what was learnt, and what each judge has said."""
    yield rounds_table(rounds, pool)
    for name, judge in judges.items():
        said = [one.judged.get(name, {}) for one in rounds]
        shown = _shown(judge, said)
        header = ["round", *(f"{title} [{unit}]" if unit else title for title, unit in shown.values())]
        rows = [
            [str(one.number), *(_cell(own.get(key)) for key in shown)]
            for one, own in zip(rounds, said, strict=True)
            if own
        ]
        if rows:
            yield f"Judge {name}", header, rows


def rounds_table(rounds: Sequence[Round], pool: int) -> Table:
    """Return what was learnt in each of the finished rounds.

    Args:
        rounds: in their order.
        pool: number of structures in the pools; 0: there are none, and no share of them is shown.
    """
    rows, learnt = [], 0
    for one in rounds:
        learnt += one.new
        share = [f"{learnt / pool:.1%}"] if pool else []
        minutes = sum(one.seconds.values()) / 60
        rows.append([str(one.number), str(one.new), str(learnt), *share, f"{minutes:.1f}"])
    return "Rounds", ["round", "new", "learnt", *(["of the pool"] if pool else []), "min"], rows


def _shown(judge: Judge | type[Judge], said: Sequence[Mapping[str, float]]) -> dict[str, Shown]:
    """Return title and unit of the numbers to show that were said in any round; of a judge that names none all of them."""
    names = dict.fromkeys(name for own in said for name in own)
    found = {name: words for name, words in judge.shown.items() if name in names}
    return found or {name: (name, "") for name in names}


def _cell(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"
