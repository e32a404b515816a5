"""Extended XYZ. ASE parses each frame; the division into frames is ours, because ASE takes a blank line for the end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ase import Atoms
from ase.io.extxyz import key_val_str_to_dict, read_xyz

from unnp.data.readers.base import Frame, register
from unnp.errors import DataError

_OPEN: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# ASE refuses a stress of 6 numbers: it gets to see other names.
_TENSOR = re.compile(r"(?<!\S)(stress|virial)(?=\s*=)")
_HIDDEN = "unnp_hidden_"
_PLAIN_COLUMNS = "species:S:1:pos:R:3"


@register("extxyz", (".xyz", ".extxyz"))
def read_extxyz(path: Path) -> Iterator[Frame]:
    """Yield the frames of an extended XYZ file (.gz, .bz2, .xz or plain)."""
    lines = enumerate(_lines(path), start=1)
    for k, (number, header) in enumerate(lines):
        if not header.strip():
            _only_blank_until_the_end(lines, f"{path} after frame {k - 1} (line {number})")
            return
        where = f"{path} frame {k}"
        n_atoms = _atom_count(header, f"{where} (line {number})")
        body = [line for _, line in islice(lines, n_atoms + 1)]
        if len(body) < n_atoms + 1:
            raise DataError(
                f"{where} (line {number}) is cut short: {n_atoms} atoms are announced, {max(0, len(body) - 1)} follow. "
                "The file is truncated; get a complete copy or delete the last frame."
            )
        yield _frame(header, body, n_atoms, where)


def _lines(path: Path) -> Iterator[str]:
    opener = _OPEN.get(path.suffix.lower(), open)
    file: IO[str]
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            yield from file
    except EOFError:
        raise DataError(f"{path} is truncated: the compressed data ends early; get a complete copy.") from None
    except (OSError, zlib.error, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}.") from None


def _atom_count(header: str, where: str) -> int:
    try:
        n_atoms = int(header)
    except ValueError:
        n_atoms = -1
    if n_atoms < 0:
        raise DataError(f"{where}: expected the number of atoms, found {header.strip()[:60]!r}.")
    return n_atoms


def _only_blank_until_the_end(lines: Iterator[tuple[int, str]], where: str) -> None:
    if any(line.strip() for _, line in lines):
        raise DataError(f"{where}: a blank line, and more text behind it; remove the blank line.")


def _frame(header: str, body: list[str], n_atoms: int, where: str) -> Frame:
    try:
        body[0] = _TENSOR.sub(_HIDDEN + r"\1", body[0])
        info = key_val_str_to_dict(body[0])
        _check_columns(info, body[1:], where)
        atoms: Atoms = next(iter(read_xyz(StringIO(header + "".join(body)), index=0))) if n_atoms else Atoms()
    except DataError:
        raise
    except Exception as error:  # ASE raises whatever its parsing stumbles over
        raise DataError(f"{where} is not extended XYZ: {error}.") from None
    per_atom = {} if atoms.calc is None else {k: v for k, v in atoms.calc.results.items() if k not in info}
    arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
    return Frame(atoms, where, [_labels(info), arrays, per_atom])


def _check_columns(info: dict[str, Any], rows: list[str], where: str) -> None:
    """ASE ignores columns that are too many: here they are an error where the file says what its columns are."""
    properties = str(info.get("Properties", _PLAIN_COLUMNS)).split(":")
    n_columns = sum(int(n) for n in properties[2::3])
    for k, row in enumerate(rows):
        n = len(row.split())
        if n < n_columns or (n > n_columns and "Properties" in info):
            raise DataError(f"{where} atom {k}: {n_columns} columns expected, found {n}.")


def _labels(info: dict[str, Any]) -> dict[str, Any]:
    geometry = ("Lattice", "Properties", "pbc")
    return {name.removeprefix(_HIDDEN): value for name, value in info.items() if name not in geometry}
