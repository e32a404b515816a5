"""What a search keeps while it runs, so that it goes on where it was stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from ase import Atoms
from pydantic import BaseModel

from unnp.atoms.structure import Structure
from unnp.config.resume import is_free
from unnp.data.fingerprint import fingerprint
from unnp.data.journal import Journal
from unnp.lammps.structure_file import fixed_atoms

JOURNAL = "steps.jsonl"
SECONDS_BETWEEN = 5.0
"""How much of a search is lost at most where it is killed."""


def digest(structures: Sequence[Atoms], settings: BaseModel, potential: str) -> str:
    """Return the SHA-256 of all that the course of a search depends on: structures, fixed atoms, settings, potential."""
    fields = type(settings).model_fields
    fixed_settings = settings.model_dump(mode="json", exclude={name for name in fields if is_free(fields[name])})
    held = [fixed_atoms(atoms).tolist() for atoms in structures]
    text = json.dumps([fixed_settings, held, potential])
    return fingerprint([Structure.from_atoms(atoms) for atoms in structures], text)


def keeper(journal: Journal, k: int, entry: Callable[[], dict[str, Any]]) -> Callable[[], None]:
    """Return a function to call after each step of item ``k``, which keeps where it stands now and then."""
    last = time.monotonic()

    def keep() -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN:
            last = time.monotonic()
            journal.add(k, entry())

    return keep
