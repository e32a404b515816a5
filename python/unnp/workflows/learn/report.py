"""The report of a loop: numbers of each round, what was chosen why, and figures."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.config.base import read_yaml
from unnp.errors import DataError
from unnp.files.writing import read_json, write_atomically
from unnp.workflows.learn.config import LearnConfig
from unnp.workflows.learn.figures import draw_comparison, draw_costs, draw_coverage, draw_errors
from unnp.workflows.learn.loop import Loop
from unnp.workflows.learn.rounds import LABEL, PROPOSE, SELECT, TRAIN, Round, reason_to_stop

CONFIG_FILE = "learn.yaml"
REPORT_FILE = "report.json"


def write_report(folder: Path, rounds: Sequence[Round], pool: int, ended: Loop | None = None) -> dict[str, Any]:
    """Write the report of the finished rounds and return it.

    Args:
        folder: of the run; gets ``report.json``, ``chosen.csv``, ``errors.png``, ``cost.png``, at the end ``coverage.png``.
        rounds: in their order.
        pool: number of structures in the pools.
        ended: the loop, where it is over; None: it goes on.
    """
    report = {
        "stopped": "" if ended is None else reason_to_stop(rounds, ended.config.stop),
        "pool": pool,
        "rounds": _rows(rounds, pool),
    }
    write_atomically(folder / REPORT_FILE, json.dumps(report, indent=1) + "\n")
    _write_choices(folder, rounds)
    draw_errors(folder / "errors.png", report)
    draw_costs(folder / "cost.png", rounds)
    if ended is not None:
        draw_coverage(folder / "coverage.png", ended)
    return report


def _rows(rounds: Sequence[Round], pool: int) -> list[dict[str, Any]]:
    rows, learnt = [], 0
    for one in rounds:
        learnt += one.new
        row = {
            "round": one.number,
            "proposed": one.result(PROPOSE),
            "candidates": one.result(SELECT)["candidates"],
            "left_out": dict(Counter(one.result(SELECT)["left_out"]) + Counter(one.result(LABEL).get("left_out", {}))),
            "ended_early": one.result(SELECT).get("ended_early", {}),
            "failures": one.result(LABEL).get("failures", {}),
            "new": one.new,
            "learnt": learnt,
            "judges": one.judged,
            "scales": one.result(TRAIN).get("scales", {}),
            "seconds": one.seconds,
        }
        rows.append({**row, "fraction": learnt / pool} if pool else row)
    return rows


def _write_choices(folder: Path, rounds: Sequence[Round]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ["source", "group", "proposer", "score", "reason"]
    writer.writerow(["round", *columns])
    for one in rounds:
        writer.writerows([one.number, *(entry[name] for name in columns)] for entry in one.result(SELECT)["chosen"])
    write_atomically(folder / "chosen.csv", text.getvalue())


@dataclass(frozen=True)
class Compared:
    """A loop that is compared with others.

    Attributes:
        name: of its curve.
        report: as ``write_report`` has written it.
        judges: names of those whose errors can be compared: not of the kind ``new``, as each loop has other structures.
    """

    name: str
    report: dict[str, Any]
    judges: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Compared:
        """Read a folder, or ``NAME=FOLDER``; without a name it is the selector. Raise DataError where it holds no report."""
        name, _, place = ("", "", text) if Path(text).is_dir() else text.rpartition("=")
        path = Path(place)
        report, settings = _read_report(path), read_yaml(path / CONFIG_FILE)
        return cls(name or _selector(settings, path), report, comparable(settings.get("judge") or {}))


def comparable(judges: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the judges, by their settings, whose errors of several loops can be compared."""
    return frozenset(name for name, judge in judges.items() if judge["kind"] != "new")


def check_comparison(config: LearnConfig, others: Sequence[str]) -> None:
    """Raise DataError where a loop cannot be compared with others, before it runs; arguments as ``write_comparison``."""
    own = comparable(config.judge)
    for text in others:
        judges = Compared.of(text).judges
        if not own & judges:
            raise DataError(
                f"--compare {text}: that loop has the judges {', '.join(sorted(judges)) or 'none'}, this one "
                f"{', '.join(sorted(own)) or 'none'}; give one the same name in both, of another kind than `new`."
            )
        own &= judges


def write_comparison(folder: Path, others: Sequence[str]) -> None:
    """Draw the errors of a loop and of others in one figure, ``compare.png``; those with the same name as one curve.

    Judges that not all of them have are left out, and those of the kind ``new``.

    Args:
        folder: of the loop.
        others: folders, or ``NAME=FOLDER``; without a name it is the selector of the loop.

    Raises:
        DataError: a folder holds no report.
    """
    loops: dict[str, list[dict[str, Any]]] = {}
    compared = [Compared.of(text) for text in (str(folder), *others)]
    for loop in compared:
        loops.setdefault(loop.name, []).append(loop.report)
    draw_comparison(folder / "compare.png", loops, frozenset.intersection(*(loop.judges for loop in compared)))


def _selector(settings: Mapping[str, Any], folder: Path) -> str:
    """Return the selector of a loop as a legend says it, ``deviation, sigmas 5``."""
    selector = dict(settings.get("select") or {})
    words = [f"{name} {value}" for name, value in sorted(selector.items()) if name != "kind"]
    return ", ".join([str(selector.get("kind", folder.name)), *words])


def _read_report(folder: Path) -> dict[str, Any]:
    try:
        report = read_json(folder / REPORT_FILE)
        whole = isinstance(report["rounds"], list)
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise DataError(f"{folder} holds no report of a loop ({REPORT_FILE}); give the folder of `unnp learn`.")
    return dict(report)
