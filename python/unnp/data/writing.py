"""Writing structures with their labels: a stored data set or extended XYZ, by the name of the target."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.store_writer import write_store
from unnp.errors import DataError
from unnp.files.locks import hold_output
from unnp.files.writing import make_folder, write_atomically

EXTXYZ_SUFFIXES = (".xyz", ".extxyz", ".xyz.gz", ".extxyz.gz")


def is_extxyz(path: str | Path) -> bool:
    """Tell whether a path is to be written as extended XYZ, by its ending."""
    return str(path).lower().endswith(EXTXYZ_SUFFIXES)


def write_structures(
    structures: Iterable[Structure],
    path: str | Path,
    *,
    info: Sequence[Mapping[str, float]] | None = None,
    origins: Sequence[Mapping[str, str]] = (),
    overwrite: bool = False,
) -> None:
    """Write structures with all their labels, every number with all its digits.

    Args:
        structures: at least one.
        path: a name that ends in .xyz or .extxyz (.gz): extended XYZ; another name without ending: a stored data set.
        info: further numbers of each structure by name, for extended XYZ only.
        origins: what people should know of the labels, one entry for each source, see ``Labeller.origin``. Extended XYZ has
            the names of the sources in each frame, as ``labels_from``; the rest has its place in a stored data set.
        overwrite: replace what is there (only a stored data set or a file of the same kind).

    Raises:
        DataError: the target exists, or its ending is not known; there are no structures.
        UnnpError: the target cannot be written, or another process writes it.
    """
    path = Path(path)
    with holding_target(path, overwrite):
        if is_extxyz(path):
            _write_extxyz(structures, path, info, origins)
        elif info is not None:
            raise DataError(f"{path}: a stored data set has no place for {', '.join(info[0])}; end in .extxyz.")
        else:
            write_store(structures, path, origins=origins, overwrite=overwrite)


@contextmanager
def holding_target(path: Path, overwrite: bool) -> Iterator[None]:
    """Hold the lock of a target, so that nobody else writes it, and check it as ``check_target`` does.

    Raises:
        DataError: see ``check_target``.
        UnnpError: another process writes the same target, or its folder cannot be written.
    """
    check_target(path, overwrite)
    make_folder(path.parent)
    with hold_output(path):
        check_target(path, overwrite)
        yield


def check_target(path: Path, overwrite: bool) -> None:
    """Raise DataError where a target's ending is not known, or it exists and is not to be overwritten."""
    if not is_extxyz(path) and path.suffix not in ("", ".data"):
        raise DataError(
            f"{path}: the ending '{path.suffix}' cannot be written; end in {', '.join(EXTXYZ_SUFFIXES)} for extended "
            "XYZ, or in nothing (or .data) for a stored data set."
        )
    if path.exists() and not overwrite:
        raise DataError(f"{path} exists; choose another name, or overwrite it (--overwrite).")


def _write_extxyz(
    structures: Iterable[Structure],
    path: Path,
    info: Sequence[Mapping[str, float]] | None,
    origins: Sequence[Mapping[str, str]],
) -> None:
    text = BytesIO()
    names = ", ".join(origin.get("name", "") for origin in origins)
    pairs = zip(structures, info, strict=True) if info is not None else ((s, {}) for s in structures)
    for structure, numbers in pairs:
        text.write("".join(_extxyz_lines(structure, numbers, names)).encode())
    if not text.tell():
        raise DataError(f"there are no structures to write to {path}.")
    content = text.getvalue()
    # Without a time stamp the same structures give the same file.
    write_atomically(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _extxyz_lines(structure: Structure, info: Mapping[str, float], labels_from: str) -> Iterator[str]:
    yield f"{len(structure)}\n"
    comment = []
    if structure.cell.any():
        comment.append(f'Lattice="{_row(structure.cell)}"')
    columns = _columns(structure)
    properties = "".join(f":{name}:R:{column.shape[1]}" for name, column in columns.items())
    comment.append("Properties=species:S:1:pos:R:3" + properties)
    comment.append('pbc="' + " ".join("FT"[int(p)] for p in structure.pbc) + '"')
    for name, quantity in QUANTITIES.items():
        value = structure.label(name)
        if value is not None and not quantity.per_atom:
            comment.append(f'{name}="{_row(value)}"' if quantity.shape else f"{name}={_row(value)}")
    if structure.group:
        comment.append(f"group={_quoted(structure.group)}")
    if labels_from:
        comment.append(f"labels_from={_quoted(labels_from)}")
    comment += [f"{name}={float(value)!r}" for name, value in info.items()]
    yield " ".join(comment) + "\n"
    for number, row in zip(structure.numbers, np.hstack([structure.positions, *columns.values()]), strict=True):
        yield f"{chemical_symbols[int(number)]:2s} {_row(row)}\n"


def _columns(structure: Structure) -> dict[str, np.ndarray]:
    """Return what single atoms have, beside element and position, by name, (n_atoms, numbers)."""
    columns = {name: structure.label(name) for name, quantity in QUANTITIES.items() if quantity.per_atom}
    columns["forces_weight"] = structure.forces_weight
    return {name: column.reshape(len(structure), -1) for name, column in columns.items() if column is not None}


def _row(values: np.ndarray) -> str:
    return " ".join(repr(float(x)) for x in np.ravel(values))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
