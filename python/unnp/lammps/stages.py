"""Stages of a run: a deck, its log, and a result that says the stage is done and what with."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.errors import LammpsError
from unnp.files.writing import read_json, write_atomically, writing
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog
from unnp.lammps.progress import MdProgress
from unnp.lammps.run import run_lammps


@dataclass(frozen=True)
class StageRunner:
    """Runs decks in one folder; a finished one only again if it or its input has changed.

    Attributes:
        launch: how LAMMPS is started.
        folder: folder for the decks.
        common: files in it that all decks read.
    """

    launch: Launch
    folder: Path
    common: Sequence[str]

    def run(
        self,
        name: str,
        title: str,
        deck: str,
        inputs: Sequence[str],
        steps: int,
        read: Callable[[LammpsLog], dict[str, Any]],
    ) -> dict[str, Any]:
        """Return the result of a stage, run now or before.

        Args:
            name: name that its files have: ``in.<name>.lammps``, ``log.<name>.lammps``, ``<name>.json``.
            title: what it does, for the line that is printed when it begins.
            deck: its text.
            inputs: files of earlier stages that it reads.
            steps: number of steps in the whole deck.
            read: makes the result, which goes into JSON, from the log.

        Raises:
            LammpsError: LAMMPS failed, or a file that the stage reads is not there.
        """
        stamp, path = self.folder / f"{name}.json", self.folder / f"in.{name}.lammps"
        digest = self._digest(deck, inputs)
        done = _read_stamp(stamp, digest)
        if done is not None:
            return done
        with writing(stamp):
            stamp.unlink(missing_ok=True)
        write_atomically(path, deck)
        print(f"{path}: {steps} steps, {title}", flush=True)
        with MdProgress(steps) as progress:
            log = run_lammps(path, self.launch, log=f"log.{name}.lammps", follow=progress)
        result = read(log)
        content = {"digest": digest, "result": result, "result_digest": _digest_of(result)}
        write_atomically(stamp, json.dumps(content, indent=1) + "\n")
        return result

    def _digest(self, deck: str, inputs: Sequence[str]) -> str:
        digest = hashlib.sha256(deck.encode())
        for file in (*self.common, *inputs):
            digest.update(hashlib.sha256(_content(self.folder / file)).digest())
        return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a named pipe would wait for somebody to write
            raise OSError(errno.EINVAL, "it is no ordinary file")
        return path.read_bytes()
    except OSError as error:
        raise LammpsError(
            f"cannot read {path}: {error.strerror}; delete the .json of the stage that wrote it, and that stage is run again."
        ) from None


def _read_stamp(path: Path, digest: str) -> dict[str, Any] | None:
    """Return the result of a finished stage; None where it has to be run: not done, other input, or a damaged file."""
    try:
        content = read_json(path)
        result = content["result"]
        sound = content["digest"] == digest and content["result_digest"] == _digest_of(result)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return result if sound and isinstance(result, dict) else None


def _digest_of(result: Any) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
