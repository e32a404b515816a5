"""The stored form of a data set: a folder of .npy arrays, memory-mapped when read, and dataset.json.

    dataset.json        format, version, shapes and checksums of the arrays and of itself, group names, statistics
    offsets.npy         (n + 1,) int64      first atom of each structure
    numbers.npy         (n_atoms,) uint8    positions.npy   (n_atoms, 3) float64 [A]
    cell.npy            (n, 3, 3) float64   pbc.npy         (n, 3) bool
    group.npy           (n,) int32          source.npy, source_offsets.npy   UTF-8 bytes and where each one begins
    forces_weight.npy   (n_atoms,) float64, missing where all are 1
    energy.npy, ...     float64, a file for each row of ``unnp.atoms.quantities``: (n, ...) or (n_atoms, ...); missing where
                        no structure has the label, but for energy, forces and stress

An absent label is NaN; so are those of single atoms that have none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.lazy import LazyStructures
from unnp.atoms.quantities import FURTHER, QUANTITIES, Quantity
from unnp.atoms.structure import Structure
from unnp.data.statistics import Statistics
from unnp.data.store_checks import verify_files
from unnp.errors import DataError, in_one_line

FORMAT = "unnp-dataset"
VERSION = 2
INDEX_FILE = "dataset.json"

# name: (dtype, shape of one row, what a row belongs to)
ARRAYS: dict[str, tuple[str, tuple[int, ...], str]] = {
    "numbers": ("|u1", (), "atom"),
    "positions": ("<f8", (3,), "atom"),
    "cell": ("<f8", (3, 3), "structure"),
    "pbc": ("|b1", (3,), "structure"),
    **{name: ("<f8", quantity.shape, quantity.per) for name, quantity in QUANTITIES.items()},
    "forces_weight": ("<f8", (), "atom"),
    "group": ("<i4", (), "structure"),
    "offsets": ("<i8", (), "boundary"),
    "source_offsets": ("<i8", (), "boundary"),
    "source": ("|u1", (), "byte"),
}
OPTIONAL = ("forces_weight", *FURTHER)


def is_store(path: str | Path) -> bool:
    """Tell whether a path is a folder with a dataset.json."""
    return (Path(path) / INDEX_FILE).is_file()


class Store(LazyStructures):
    """A stored data set, opened for reading; structures are read from disk when asked for.

    Args:
        path: the folder.
        verify: compare the checksums of all files too, and look for numbers that cannot be (reads everything, once in a
            process).

    Raises:
        DataError: the folder is no stored data set, was written by a newer version, or an array is missing, has another
            size than dataset.json says, or (with ``verify``) other contents.
    """

    def __init__(self, path: str | Path, *, verify: bool = False) -> None:
        self.path = Path(path)
        self.description = _read_index(self.path)
        self._names = [name for name in ARRAYS if name in self.description["arrays"] or name not in OPTIONAL]
        self._arrays = {name: self._open(name) for name in self._names}
        self._check_lengths()
        self._check_offsets("offsets", len(self._arrays["numbers"]), smallest=1)
        self._check_offsets("source_offsets", len(self._arrays["source"]), smallest=0)
        if verify:
            self.verify()

    def __len__(self) -> int:
        return int(self.description["n_structures"])

    @property
    def n_atoms(self) -> np.ndarray:
        """(n_structures,) int64, atoms of each structure."""
        return np.diff(self._arrays["offsets"])

    @property
    def group_names(self) -> list[str]:
        """Group of each structure."""
        return [self._group(k) for k in range(len(self))]

    @property
    def statistics(self) -> Statistics:
        """The statistics computed when the data set was written."""
        return Statistics.from_dict(self.description["statistics"])

    @property
    def stresses(self) -> np.ndarray:
        """(n_structures, 3, 3) stresses that count [eV/A^3]; NaN where there is none."""
        counts = np.asarray(np.all(self._arrays["pbc"], axis=1))
        return np.where(counts[:, None, None], self._arrays["stress"], np.nan)

    @property
    def origins(self) -> list[dict[str, str]]:
        """What people should know of the labels, one entry for each source of them, as it was said when they were computed."""
        return [dict(origin) for origin in self.description.get("labels_from", ())]

    def first_with(self, label: str, present: bool) -> int | None:
        """Return the first structure that has (or lacks) a label, or any at all for "any"; or None."""
        labels = tuple(QUANTITIES) if label == "any" else (label,)
        has = np.any([self._has(name) for name in labels], axis=0)
        found = np.flatnonzero(has == present)
        return int(found[0]) if len(found) else None

    def _has(self, label: str) -> np.ndarray:
        if label not in self._arrays:
            return np.zeros(len(self), dtype=bool)
        array = self._arrays[label]
        has: np.ndarray = ~np.isnan(array.reshape(len(array), -1)[:, 0])
        if not QUANTITIES[label].per_atom:
            return has
        before = np.concatenate([[0], np.cumsum(has)])  # a structure has the label where any of its atoms has
        return np.diff(before[self._arrays["offsets"]]) > 0

    def verify(self) -> None:
        """Raise DataError where a file is not what was written, or holds what cannot be."""
        verify_files(self.path / INDEX_FILE, self.description, self._arrays)

    def _open(self, name: str) -> np.ndarray:
        path = self.path / f"{name}.npy"
        dtype, row, _ = ARRAYS[name]
        try:
            rows = int(self.description["arrays"][name]["rows"])
            if not path.is_file():
                raise FileNotFoundError("there is no such file")
            array: np.ndarray = np.load(path, mmap_mode="r" if rows else None, allow_pickle=False)
        except Exception as error:  # numpy evaluates the header as Python literals and raises what that stumbles over
            raise DataError(
                f"cannot open {path}: {in_one_line(error)}. The data set is damaged; make it again."
            ) from None
        if array.dtype != np.dtype(dtype) or array.shape != (rows, *row):
            raise DataError(
                f"{path} holds {array.shape} {array.dtype}, but {INDEX_FILE} says {(rows, *row)} {np.dtype(dtype)}; "
                "make the data set again."
            )
        return array

    def _check_lengths(self) -> None:
        n_atoms, n_bytes = len(self._arrays["numbers"]), len(self._arrays["source"])
        expected = {"atom": n_atoms, "structure": len(self), "boundary": len(self) + 1, "byte": n_bytes}
        for name, array in self._arrays.items():
            if len(array) != expected[ARRAYS[name][2]]:
                raise DataError(f"{self.path}/{name}.npy does not fit the other arrays; make the data set again.")

    def _check_offsets(self, name: str, end: int, smallest: int) -> None:
        offsets = self._arrays[name]
        if offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < smallest).any():
            raise DataError(f"{self.path}/{name}.npy does not fit the other arrays; make the data set again.")

    def _group(self, k: int) -> str:
        names = self.description["groups"]
        number = int(self._arrays["group"][k])
        if not 0 <= number < len(names):
            raise DataError(f"{self.path}: structure {k} has group {number} of {len(names)}; make the data set again.")
        return str(names[number])

    def at(self, k: int) -> Structure:
        arrays = self._arrays
        atoms = slice(*arrays["offsets"][k : k + 2])
        text = slice(*arrays["source_offsets"][k : k + 2])
        structure = Structure(
            numbers=np.array(arrays["numbers"][atoms], dtype=np.int64),
            positions=np.array(arrays["positions"][atoms]),
            cell=np.array(arrays["cell"][k]),
            pbc=np.array(arrays["pbc"][k]),
            forces_weight=np.array(arrays["forces_weight"][atoms]) if "forces_weight" in arrays else None,
            group=self._group(k),
            source=bytes(arrays["source"][text]).decode("utf-8", errors="replace"),
        )
        labels = {
            name: _label(quantity, arrays[name][atoms] if quantity.per_atom else arrays[name][k])
            for name, quantity in QUANTITIES.items()
            if name in arrays
        }
        return structure.with_labels(labels)


def _label(quantity: Quantity, values: np.ndarray) -> Any:
    if np.isnan(values).all():
        return None
    return np.array(values) if quantity.per_atom or quantity.shape else float(values)


def _read_index(path: Path) -> dict[str, Any]:
    file = path / INDEX_FILE
    try:
        index = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} is no stored data set: cannot read {INDEX_FILE} ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is damaged ({error}); make the data set again.") from None
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise DataError(f"{file} does not describe a data set of unnp.")
    if index.get("version") != VERSION:
        raise DataError(
            f"{path} has format version {index.get('version')}, this unnp reads {VERSION}; install a newer unnp, or "
            "convert the original files again."
        )
    wrong = [name for name, is_right in _ENTRIES.items() if name not in index or not is_right(index[name])]
    wrong += [] if _are_origins(index.get("labels_from", [])) else ["labels_from"]
    if wrong:
        raise DataError(f"{file} is damaged (lacks or garbles {', '.join(wrong)}); make the data set again.")
    return index


_ENTRIES: dict[str, Callable[[Any], bool]] = {
    "n_structures": lambda n: type(n) is int and 1 <= n < 2**62,
    "arrays": lambda arrays: isinstance(arrays, dict) and all(isinstance(entry, dict) for entry in arrays.values()),
    "groups": lambda groups: isinstance(groups, list) and all(isinstance(name, str) for name in groups),
    "statistics": lambda statistics: isinstance(statistics, dict),
}


def _are_origins(entries: Any) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and all(isinstance(text, str) for text in entry.values()) for entry in entries
    )
