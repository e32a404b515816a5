"""The text of an extended XYZ frame before ASE parses it: doubled keys, Fortran's numbers, numbered species."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from ase.data import chemical_symbols

from unnp.atoms.elements import is_symbol
from unnp.errors import DataError, did_you_mean, in_one_line

_ENTRY = re.compile(
    r"""(?P<key>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s=]+)      # a word, or one in quotes
        (?P<value>\s*=\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\{[^}]*\}|\[[^\]]*\]|\S*))?""",
    re.VERBOSE,
)
_FORTRAN_EXPONENT = re.compile(r"(?<![\w.])([+-]?(?:\d+\.\d*|\.\d+))[dDqQ]([+-]?\d+)(?![\w.])")
_FORTRAN_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))[dDqQ]([+-]?\d+)")
_FORTRAN_HINT = re.compile(r"[\d.][dDqQ][+-]?\d")
_PLACEHOLDER = "X"
_SPECIES, _NUMBER, _TYPE = "species", "Z", "type"


def with_exponents(comment: str) -> str:
    """Return a comment line with Fortran's exponents as ASE reads them: 1.0D+00 becomes 1.0E+00."""
    return _FORTRAN_EXPONENT.sub(r"\1E\2", comment)


def check_keys(comment: str, where: str) -> None:
    """Raise DataError where a key of a comment line has two values: none of them is known to be the right one."""
    keys = Counter(entry["key"].strip("\"'") for entry in _ENTRY.finditer(comment) if entry["value"] is not None)
    _refuse_doubled(keys, "the comment line", where)


class Columns:
    """The columns of the atoms' lines. Where neither species nor atomic numbers stand, the types are the species.

    Attributes:
        properties: the columns as ASE reads the rows that ``read`` returns.

    Args:
        properties: as in ``Properties=species:S:1:pos:R:3``.
        strict: whether columns that are not named are an error.

    Raises:
        DataError: a column is named twice.
        ValueError: the text does not name columns.
    """

    def __init__(self, properties: str, where: str, *, strict: bool) -> None:
        words = properties.split(":")
        names, kinds, counts = words[0::3], words[1::3], [int(n) for n in words[2::3]]
        if not len(names) == len(kinds) == len(counts):
            raise ValueError(f"Properties={in_one_line(properties, 60)} is not made of name:type:number")
        _refuse_doubled(Counter(names), "Properties", where)
        starts = np.cumsum([0, *counts])
        self.n = int(starts[-1])
        self._strict = strict
        by_type = _TYPE in names and _SPECIES not in names and _NUMBER not in names
        column = _TYPE if by_type else _SPECIES
        self._species = None
        if column in names:
            at = names.index(column)
            self._species, names[at], kinds[at] = int(starts[at]), _SPECIES, "S"
        self.properties = ":".join(f"{name}:{kind}:{n}" for name, kind, n in zip(names, kinds, counts, strict=True))
        self._real = {
            k
            for kind, start, n in zip(kinds, starts, counts, strict=False)
            if kind == "R"
            for k in range(start, start + n)
        }

    def read(self, rows: list[str], where: str) -> tuple[list[str], np.ndarray | None]:
        """Return the rows as ASE reads them, and the types (n_atoms,) where species are numbers.

        Raises:
            DataError: a row has too few or too many columns, or a species is neither an element nor a number.
        """
        words = [row.split() for row in rows]
        fortran = False
        for k, row in enumerate(words):
            if len(row) < self.n or (len(row) > self.n and self._strict):
                raise DataError(f"{where} atom {k}: {self.n} columns expected, found {len(row)}.")
            if _FORTRAN_HINT.search(rows[k]):
                fortran = True
                self._convert_exponents(row)
        types = self._types(words, where)
        changed = fortran or types is not None
        return ([" ".join(row) + "\n" for row in words] if changed else rows), types

    def _convert_exponents(self, row: list[str]) -> None:
        for k in self._real:
            if found := _FORTRAN_NUMBER.fullmatch(row[k]):
                row[k] = f"{found[1]}E{found[2]}"

    def _types(self, rows: list[list[str]], where: str) -> np.ndarray | None:
        if self._species is None or not rows:
            return None
        species = [row[self._species] for row in rows]
        strange = next((k for k, word in enumerate(species) if not is_symbol(word) and word != _PLACEHOLDER), None)
        if strange is None:
            return None
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in species):
            word = species[strange]
            raise DataError(
                f"{where} is not extended XYZ: the species '{in_one_line(word, 40)}' of atom {strange} is no element."
                f"{did_you_mean(word, chemical_symbols[1:])}"
            )
        for row in rows:
            row[self._species] = _PLACEHOLDER
        return np.array(species, dtype=np.int64)


def _refuse_doubled(names: Counter[str], place: str, where: str) -> None:
    doubled = [in_one_line(name, 40) for name, n in names.items() if n > 1]
    if doubled:
        raise DataError(f"{where}: {place} gives {', '.join(doubled)} more than once; keep the right one of them.")
