"""What a search keeps while it runs, so that it goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from pydantic import BaseModel

from unnp.atoms.structure import Structure
from unnp.config.resume import is_free
from unnp.data.fingerprint import fingerprint
from unnp.data.journal import Journal
from unnp.data.store_checks import file_checksum
from unnp.errors import ConfigError
from unnp.lammps.structure_file import fixed_atoms

JOURNAL = "steps.jsonl"
SECONDS_BETWEEN = 5.0
"""How much of a search is lost at most where it is killed."""


def check_resume(folder: Path, *, resume: bool, sign: str = JOURNAL) -> None:
    """Raise ConfigError where a folder holds a run and none is to go on, or the other way round.

    Args:
        folder: of the run.
        resume: whether a run is to go on.
        sign: the file by which a run is known.
    """
    exists = (folder / sign).is_file()
    if exists and not resume:
        raise ConfigError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    if resume and not exists:
        raise ConfigError(f"{folder} holds no run that could be resumed (no {sign}); leave out --resume.")


def digest(structures: Sequence[Atoms], settings: BaseModel, potential: str) -> str:
    """Return the SHA-256 of all that the course of a search depends on: structures, fixed atoms, settings, potential."""
    fields = type(settings).model_fields
    fixed_settings = settings.model_dump(mode="json", exclude={name for name in fields if is_free(fields[name])})
    held = [fixed_atoms(atoms).tolist() for atoms in structures]
    text = json.dumps([fixed_settings, held, potential])
    return fingerprint([Structure.from_atoms(atoms) for atoms in structures], text)


def identity(path: Path, head: str | None) -> str:
    """Return what tells a potential from others: the checksum of its file, and its head."""
    return hashlib.sha256(f"{file_checksum(path)} {head}".encode()).hexdigest()


def keeper(journal: Journal, k: int, entry: Callable[[], dict[str, Any]]) -> Callable[[], None]:
    """Return a function to call after each step of item ``k``, which keeps where it stands now and then."""
    last = time.monotonic()

    def keep() -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN:
            last = time.monotonic()
            journal.add(k, entry())

    return keep
