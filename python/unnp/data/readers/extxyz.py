"""Extended XYZ. ASE parses each frame; the division into frames is ours, because ASE takes a blank line for the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.io.extxyz import key_val_str_to_dict, read_xyz

from unnp.data.readers.base import Frame, register
from unnp.data.readers.extxyz_text import Columns, check_keys, with_exponents
from unnp.data.readers.text import lines_of
from unnp.errors import DataError, in_one_line

# ASE refuses a stress of 6 numbers: it gets to see other names.
_TENSOR = re.compile(r"(?<!\S)(stress|virial)(?=\s*=)")
_HIDDEN = "unnp_hidden_"
_ENERGY_OF_LAMMPS = "Potential_energy"  # as `dump extxyz` writes it, and with it `unnp md`
_PLAIN_COLUMNS = "species:S:1:pos:R:3"


@register("extxyz", (".xyz", ".extxyz"))
def read_extxyz(path: Path) -> Iterator[Frame]:
    """Yield the frames of an extended XYZ file (.gz, .bz2, .xz or plain)."""
    lines = enumerate(lines_of(path), start=1)
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
        check_keys(body[0], where)
        comment = _TENSOR.sub(_HIDDEN + r"\1", with_exponents(body[0]))
        info = key_val_str_to_dict(comment)
        properties = str(info.get("Properties", _PLAIN_COLUMNS))
        columns = Columns(properties, where, strict="Properties" in info)
        rows, types = columns.read(body[1:], where)
        comment = comment.replace(properties, columns.properties)
        text = StringIO(header + comment + "".join(rows))
        atoms: Atoms = next(iter(read_xyz(text, index=0))) if n_atoms else Atoms()
    except DataError:
        raise
    except Exception as error:  # ASE raises whatever its parsing stumbles over
        raise DataError(f"{where} is not extended XYZ: {in_one_line(error)}.") from None
    per_atom = {} if atoms.calc is None else {k: v for k, v in atoms.calc.results.items() if k not in info}
    arrays = {name: value for name, value in atoms.arrays.items() if name not in ("numbers", "positions")}
    return Frame(atoms, where, [_labels(info), arrays, per_atom], types, types is None)


def _labels(info: dict[str, Any]) -> dict[str, Any]:
    geometry = ("Lattice", "Properties", "pbc")
    labels = {name.removeprefix(_HIDDEN): value for name, value in info.items() if name not in geometry}
    if _ENERGY_OF_LAMMPS in labels and "Timestep" in labels:
        labels.setdefault("energy", labels[_ENERGY_OF_LAMMPS])
    return labels
