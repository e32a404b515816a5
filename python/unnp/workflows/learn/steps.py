"""The folder of a round, and which of its steps are finished."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unnp.errors import DataError
from unnp.files.kept import Result
from unnp.files.writing import make_folder, read_json, write_atomically


@dataclass(frozen=True)
class RoundFolder:
    """What is kept of a round: ``chosen`` and ``labelled`` structures, ``members``, ``model.pt``, ``steps.json``.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def chosen(self) -> Path:
        return self.path / "chosen"

    @property
    def labelled(self) -> Path:
        return self.path / "labelled"

    @property
    def labelling(self) -> Path:
        return self.path / "labelling"

    @property
    def model(self) -> Path:
        return self.path / "model.pt"

    def member(self, k: int) -> Path:
        """Return the run folder of a member of the committee."""
        return self.path / "members" / f"member-{k}"


class Steps:
    """The finished steps of a round, each with its result and its time; a step is done once, whatever happens.

    Args:
        folder: the round's, in which ``steps.json`` says what is finished.
        told: called with the name of a step before it is done.

    Raises:
        DataError: the file is damaged.
    """

    def __init__(self, folder: Path, told: Callable[[str], object] = lambda name: None) -> None:
        self._path, self._told = folder / "steps.json", told
        make_folder(folder)
        self.finished = read_steps(folder)

    def do(self, name: str, make: Callable[[], Result]) -> Result:
        """Return the result of a step, as JSON; make it where it is not finished."""
        if name not in self.finished:
            self._told(name)
            begin = time.monotonic()
            result = make()
            self.finished[name] = {"result": result, "seconds": round(time.monotonic() - begin, 3)}
            write_atomically(self._path, json.dumps(self.finished, indent=1) + "\n")
        found: Result = self.finished[name]["result"]
        return found


def read_steps(folder: Path) -> dict[str, Result]:
    """Return the finished steps of a round by name, each ``{"result": ..., "seconds": ...}``; none where it has not begun.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / "steps.json"
    if not path.exists():
        return {}
    try:
        content = read_json(path)
        whole = all(isinstance(step["result"], dict) and step["seconds"] >= 0 for step in content.values())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise DataError(f"{path} is damaged. Delete it, and the steps of this round are done again.")
    return dict(content)
