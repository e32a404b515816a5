"""Checks of what a stored data set holds: the checksums of its files, and numbers that can be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import LARGEST_LABEL
from unnp.errors import DataError

_ROWS_AT_ONCE = 1_000_000
_verified: set[tuple[object, ...]] = set()


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file; raise DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from None


def index_checksum(index: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the entries of a dataset.json, but for the entry of that name."""
    entries = {name: value for name, value in index.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def verify_files(index_file: Path, index: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Raise DataError where a file is not what was written, or holds what cannot be.

    Files that have not changed since this process verified them are not read again.

    Args:
        index_file: the dataset.json, beside the arrays.
        index: its content.
        arrays: opened arrays by name.
    """
    files = {name: index_file.with_name(f"{name}.npy") for name in arrays}
    state = tuple(_state(path) for path in (index_file, *files.values()))
    if state in _verified:
        return
    if index.get("sha256", index_checksum(index)) != index_checksum(index):
        raise DataError(f"{index_file} has changed since it was written; make the data set again.")
    for name, path in files.items():
        if file_checksum(path) != index["arrays"][name].get("sha256"):
            raise DataError(f"{path} has changed since it was written; make the data set again.")
        _check_content(name, path, arrays[name], len(index["groups"]))
    _verified.add(state)


def _state(path: Path) -> tuple[object, ...]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _check_content(name: str, path: Path, array: np.ndarray, n_groups: int) -> None:
    check = _CHECKS.get(name)
    for start in range(0, len(array), _ROWS_AT_ONCE) if check else ():
        rows = np.asarray(array[start : start + _ROWS_AT_ONCE])
        good = check(rows, n_groups).reshape(len(rows), -1).all(axis=1)  # type: ignore[misc]
        if not good.all():
            k = start + int(np.flatnonzero(~good)[0])
            raise DataError(f"{path} holds {array[k].tolist()} in row {k}, which cannot be; make the data set again.")


def _is_label(rows: np.ndarray, n_groups: int) -> np.ndarray:
    return np.isnan(rows) | (np.abs(rows) <= LARGEST_LABEL)


def _is_finite(rows: np.ndarray, n_groups: int) -> np.ndarray:
    return np.abs(rows) <= LARGEST_LABEL


# What the rows of an array may be, given the number of groups.
_CHECKS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "numbers": lambda rows, n_groups: (rows >= 1) & (rows < len(chemical_symbols)),
    "positions": _is_finite,
    "forces_weight": lambda rows, n_groups: (rows >= 0) & (rows <= LARGEST_LABEL),
    "cell": _is_finite,
    "pbc": lambda rows, n_groups: rows.view(np.uint8) <= 1,
    **dict.fromkeys(QUANTITIES, _is_label),
    "group": lambda rows, n_groups: (rows >= 0) & (rows < n_groups),
}
