"""The rounds of a loop that are finished, as numbers: what decides when it is over, and what its report shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.data.journal import count_finished
from unnp.data.labelling import JOURNAL_FILE
from unnp.files.kept import Result
from unnp.workflows.learn.config import StopRulesConfig
from unnp.workflows.learn.steps import RoundFolder, read_steps

PROPOSE, SELECT, LABEL, BEFORE, TRAIN, AFTER = "propose", "select", "label", "judge before", "train", "judge"


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        number: from 0.
        steps: the finished ones by name, each with ``result`` and ``seconds``.
    """

    number: int
    steps: dict[str, Result]

    def result(self, step: str) -> Result:
        """Return the result of a step; empty where it is not finished."""
        found: Result = self.steps.get(step, {}).get("result", {})
        return found

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen."""
        return SELECT in self.steps and not self.result(SELECT)["chosen"] and not self.result(SELECT)["given"]

    @property
    def is_finished(self) -> bool:
        """Whether a model was learnt and judged, or nothing was chosen."""
        return AFTER in self.steps or self.is_empty

    @property
    def new(self) -> int:
        """Number of structures that were labelled and learnt."""
        return int(self.result(LABEL).get("labelled", 0))

    @property
    def judged(self) -> dict[str, Any]:
        """The numbers of all judges by their names."""
        return {**self.result(BEFORE), **self.result(AFTER)}

    @property
    def seconds(self) -> dict[str, float]:
        """Time of each step [s]."""
        return {name: step["seconds"] for name, step in self.steps.items()}


def round_path(folder: Path, number: int) -> Path:
    """Return the folder of a round."""
    return folder / f"round-{number:03d}"


def read_rounds(folder: Path) -> list[Round]:
    """Return the finished rounds of a run folder in their order."""
    found: list[Round] = []
    while (one := Round(len(found), read_steps(round_path(folder, len(found))))).is_finished:
        found.append(one)
    return found


def has_labelled(folder: Path) -> bool:
    """Tell whether a loop has labels of structures that it has chosen, be it in a round that is not finished."""
    number = 0
    while (place := RoundFolder(round_path(folder, number))).path.is_dir():
        one = Round(number, read_steps(place.path))
        if count_finished(place.labelling / JOURNAL_FILE) or (one.result(LABEL) and one.result(SELECT)["chosen"]):
            return True
        number += 1
    return False


def reason_to_stop(rounds: Sequence[Round], stop: StopRulesConfig) -> str:
    """Return why a loop is over after these rounds; empty where it is not."""
    if not rounds:
        return ""
    last, error = rounds[-1], stop.error
    if last.is_empty:
        return "no structure was chosen"
    if error is not None and last.judged.get(error.judge, {}).get(error.number, float("inf")) < error.below:
        return f"{error.number} of {error.judge} is below {error.below:g}"
    learnt = sum(one.new for one in rounds)
    if stop.frames is not None and learnt >= stop.frames:
        return f"{learnt} structures are learnt"
    return f"{stop.rounds} rounds are done" if last.number >= stop.rounds else ""
