"""The contract of a proposer and the registry that finds it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.kinds import registering
from unnp.data.generation.resumable import STOPPED
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.errors import DataError
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.plugins.registry import Registry
from unnp.workflows.learn.situation import Situation

LEFT_OUT_FILE = "left_out.json"
EMPTY = ".empty"
ENDED_FILE = "ended_early.json"


class Proposer(ABC):
    """Makes or finds structures that may be worth learning.

    A subclass lives in one file of ``unnp.workflows.learn.proposers``, or of a package that names it in the entry-point group
    ``unnp.proposers``, and is decorated with ``@register(kind)``. The loop may ask for the proposals of a round again: what
    took long is kept in the folder.

    Args:
        config: the settings.
        base: where relative paths in them begin.
        name: of the proposer in the configuration.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[Config]]
    needs_model: bool = True
    """Whether it proposes nothing before there is a model; of the class, or set where it depends on the settings."""

    computes: ClassVar[bool] = True
    """Whether its structures come from a computation that can go astray, and are looked at."""

    def __init__(self, config: Any, base: Path, name: str) -> None:
        self.config, self.base, self.name = config, base, name

    @abstractmethod
    def propose(self, at: Situation) -> Sequence[Structure]:
        """Return the structures of a round; labels that they have are hidden until they are chosen.

        Raises:
            UnnpError: there can be none.
        """

    def left_out(self, at: Situation) -> dict[str, int]:
        """Return what it did not propose in a round, although it could have: numbers by reason."""
        path = self.folder(at) / LEFT_OUT_FILE
        return dict(read_json(path)) if path.exists() else {}

    def ended_early(self, at: Situation) -> str:
        """Return why the first of its runs has ended early that has; empty where none has."""
        path = self.folder(at) / ENDED_FILE
        return str(read_json(path)) if path.exists() else ""

    def leave_out(self, at: Situation, reasons: Mapping[str, int], ended: Sequence[str] = ()) -> None:
        """Keep what is not proposed in a round, before the structures are stored that are.

        Args:
            at: the round.
            reasons: numbers by reason.
            ended: why runs have ended early, for each that has; they are counted under one reason.
        """
        make_folder(self.folder(at))
        counts = dict(reasons) | ({STOPPED: len(ended)} if ended else {})
        write_atomically(self.folder(at) / LEFT_OUT_FILE, json.dumps(counts, indent=1) + "\n")
        said = self.folder(at) / ENDED_FILE
        if ended:
            write_atomically(said, json.dumps(ended[0]) + "\n")
        else:
            said.unlink(missing_ok=True)

    def ask_again(self, at: Situation) -> None:
        """Forget that there was nothing to propose in a round."""
        for path in self.folder(at).glob(f"*{EMPTY}"):
            path.unlink()

    def folder(self, at: Situation) -> Path:
        """Return the folder for what it computes in a round."""
        return at.folder / "proposals" / self.name


REGISTRY: Registry[type[Proposer]] = Registry("proposer", "unnp.workflows.learn.proposers", "unnp.proposers")
register = registering(REGISTRY)
"""Make a proposer known: ``@register("pool")``."""


def none_left(name: str, ended: Sequence[str]) -> DataError:
    """Return what is said where all runs of a proposer have ended before their first frame."""
    return DataError(
        f"propose.{name}: no run has left a frame; {len(ended)} ended early, the first: {ended[0]} Repair that and go on with "
        "--resume, or begin another loop (-o) with other runs."
    )


def stored(path: Path, make: Callable[[], Iterable[Structure]]) -> Sequence[Structure]:
    """Return the structures of a stored data set, which is written first where it does not exist; it may be empty."""
    empty = path.with_name(f"{path.name}{EMPTY}")
    if not is_store(path) and not empty.exists():
        found = list(make())
        if not found:
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
            return []
        write_store(found, path)
    return [] if empty.exists() else Store(path)
