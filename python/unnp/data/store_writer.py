"""Writing a stored data set, structure by structure, so that it may be larger than memory."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from unnp import __version__
from unnp.atoms.quantities import QUANTITIES, Quantity
from unnp.atoms.structure import Structure
from unnp.data.statistics import RunningStatistics
from unnp.data.store import ARRAYS, FORMAT, INDEX_FILE, OPTIONAL, VERSION, Store, is_store
from unnp.data.store_checks import file_checksum, index_checksum
from unnp.errors import DataError
from unnp.files.locks import hold_output
from unnp.files.writing import make_folder, temporary_beside, writing

_HEADER_BYTES = 128


def write_store(
    structures: Iterable[Structure],
    path: str | Path,
    *,
    origins: Sequence[Mapping[str, str]] = (),
    overwrite: bool = False,
) -> Store:
    """Write structures as a stored data set and open it.

    Args:
        structures: at least one.
        path: the folder to make; it appears only when everything is written.
        origins: what people should know of the labels, one entry for each source of them, see ``Labeller.origin``.
        overwrite: replace a stored data set that is there.

    Raises:
        DataError: the folder exists, there are no structures, or one has no atoms.
        UnnpError: the disk is full or read-only, or another process writes the same folder.
    """
    with StoreWriter(path, origins=origins, overwrite=overwrite) as writer:
        for structure in structures:
            writer.append(structure)
    return Store(path)


class StoreWriter:
    """Writes a stored data set under a temporary name and renames it when the ``with`` block ends without error."""

    def __init__(self, path: str | Path, *, origins: Sequence[Mapping[str, str]] = (), overwrite: bool = False) -> None:
        self.path = Path(os.path.abspath(path))
        self._origins = [dict(origin) for origin in origins]
        self._overwrite = overwrite
        _check_target(self.path, overwrite)
        self._held = contextlib.ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self._rows = dict.fromkeys(ARRAYS, 0)
        self._needed = set(ARRAYS) - set(OPTIONAL)
        self._groups: dict[str, int] = {}
        self._statistics = RunningStatistics(cutoff=None)

    def __enter__(self) -> StoreWriter:
        with contextlib.ExitStack() as held:
            make_folder(self.path.parent)
            held.enter_context(hold_output(self.path))
            _check_target(self.path, self._overwrite)  # again: now nobody else can make it
            held.enter_context(writing(self.path))
            self._temporary = held.enter_context(temporary_beside(self.path))
            held.callback(self._close)
            self._temporary.mkdir()
            for name in ARRAYS:
                self._files[name] = (self._temporary / f"{name}.npy").open("wb")
                self._files[name].write(bytes(_HEADER_BYTES))
            for name in ("offsets", "source_offsets"):
                self._write(name, np.array([0]))
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            if error is None:
                self._finish()

    def append(self, structure: Structure) -> None:
        """Add a structure at the end; raise DataError for one without atoms, UnnpError where the disk is full."""
        n_atoms = len(structure)
        if not n_atoms:
            raise DataError(f"{structure.source or 'a structure'} has no atoms; leave it out.")
        source = np.frombuffer(structure.source.encode("utf-8"), dtype=np.uint8)
        rows = {
            "numbers": structure.numbers,
            "positions": structure.positions,
            "cell": structure.cell[None],
            "pbc": structure.pbc[None],
            **{name: _rows(quantity, structure) for name, quantity in QUANTITIES.items()},
            "forces_weight": np.ones(n_atoms) if structure.forces_weight is None else structure.forces_weight,
            "group": np.array([self._groups.setdefault(structure.group, len(self._groups))]),
            "offsets": np.array([self._rows["numbers"] + n_atoms]),
            "source_offsets": np.array([self._rows["source"] + len(source)]),
            "source": source,
        }
        with writing(self.path):
            for name, values in rows.items():
                self._write(name, values)
        self._needed |= set(structure.further) | ({"forces_weight"} if structure.forces_weight is not None else set())
        self._statistics.add(structure)

    def _write(self, name: str, values: np.ndarray) -> None:
        dtype, row, _ = ARRAYS[name]
        array = np.ascontiguousarray(values, dtype=dtype).reshape(-1, *row)
        self._files[name].write(array.tobytes())
        self._rows[name] += len(array)

    def _finish(self) -> None:
        statistics = self._statistics.result()
        if not statistics.n_structures:
            raise DataError(f"there are no structures to write to {self.path}.")
        arrays = {}
        for name in ARRAYS.keys() - self._needed:  # a label that no structure has
            self._files.pop(name).close()
            (self._temporary / f"{name}.npy").unlink()
        for name, file in self._files.items():
            file.seek(0)
            file.write(_header(ARRAYS[name][0], (self._rows[name], *ARRAYS[name][1])))
            _sync(file)
            file.close()
            arrays[name] = {"rows": self._rows[name], "sha256": file_checksum(self._temporary / f"{name}.npy")}
        index = {
            "format": FORMAT,
            "version": VERSION,
            "written_by": f"unnp {__version__}",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "n_structures": statistics.n_structures,
            "groups": list(self._groups),
            "arrays": arrays,
            "statistics": statistics.to_dict(),
            **({"labels_from": self._origins} if self._origins else {}),
        }
        with (self._temporary / INDEX_FILE).open("wb") as file:
            file.write(json.dumps({**index, "sha256": index_checksum(index)}, indent=1, allow_nan=False).encode())
            _sync(file)
        put_in_place(self._temporary, self.path)

    def _close(self) -> None:
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what could not be written has been said, or is thrown away anyway
                file.close()


def put_in_place(new: Path, path: Path) -> None:
    """Give a finished file or stored data set its name; what has that name is replaced, or stays where that fails.

    Raises:
        OSError: the file system refuses.
    """
    if not new.is_dir():
        new.replace(path)
        return
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)  # of a writer that was killed
    replaces = path.exists()
    if replaces:
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if replaces:
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _rows(quantity: Quantity, structure: Structure) -> np.ndarray:
    """Return the label of a structure as the rows of its array; NaN where there is none."""
    n_rows = len(structure) if quantity.per_atom else 1
    label = structure.label(quantity.name)
    return np.full((n_rows, *quantity.shape), np.nan if label is None else label, dtype=np.float64)


def _check_target(path: Path, overwrite: bool) -> None:
    if not path.exists():
        return
    if not is_store(path):
        raise DataError(f"{path} exists and is no stored data set; choose another name.")
    if not overwrite:
        raise DataError(f"{path} exists; choose another name, or overwrite it (--overwrite).")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return an .npy header (version 1.0) of a fixed length, so that it can be written when the shape is known."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    prefix = b"\x93NUMPY\x01\x00" + (_HEADER_BYTES - 10).to_bytes(2, "little")
    return prefix + text.ljust(_HEADER_BYTES - 11).encode("latin1") + b"\n"
