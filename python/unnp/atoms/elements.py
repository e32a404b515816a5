"""Chemical elements and the order in which a model knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from unnp.errors import DataError, ModelError, did_you_mean

if TYPE_CHECKING:
    from unnp.atoms.structure import Structure


def atomic_number(symbol: str) -> int:
    """Return Z of a chemical symbol; raise DataError for a symbol that is none."""
    if not is_symbol(symbol):
        raise DataError(f"'{symbol}' is not a chemical symbol.{did_you_mean(symbol, chemical_symbols[1:])}")
    return atomic_numbers[symbol]


def is_symbol(text: str) -> bool:
    """Tell whether a text is a chemical symbol."""
    return text in atomic_numbers and text != "X"


def symbols_of(numbers: Iterable[int]) -> list[str]:
    """Return the distinct chemical symbols of atomic numbers, by increasing Z."""
    return [chemical_symbols[z] for z in sorted({int(z) for z in numbers})]


def elements_of(structures: Iterable[Structure]) -> list[str]:
    """Return the chemical symbols that occur in structures, by increasing Z."""
    return symbols_of(z for structure in structures for z in np.unique(structure.numbers))


class Elements:
    """The elements a model knows; ``species`` of an atom is the position of its element in this list.

    Args:
        symbols: chemical symbols, each once.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        if not symbols or len(set(symbols)) != len(symbols):
            raise ModelError(f"elements must be a non-empty list without repeats, got {list(symbols)}.")
        self.symbols = list(symbols)
        self._species_of_z = np.full(len(chemical_symbols), -1, dtype=np.int64)
        for species, symbol in enumerate(self.symbols):
            self._species_of_z[atomic_number(symbol)] = species

    def __len__(self) -> int:
        return len(self.symbols)

    def species(self, numbers: np.ndarray, of: str = "") -> np.ndarray:
        """Return the species indices (n_atoms,) of atomic numbers (n_atoms,).

        Args:
            numbers: atomic numbers.
            of: name of their structure, for the error.

        Raises:
            ModelError: an unknown element.
        """
        numbers = np.asarray(numbers, dtype=np.int64)
        exists = (numbers >= 0) & (numbers < len(self._species_of_z))
        species = np.where(exists, self._species_of_z[np.where(exists, numbers, 0)], -1)
        if (species < 0).any():
            names = symbols_of(numbers[exists & (species < 0)]) + [f"Z = {z}" for z in np.unique(numbers[~exists])]
            raise ModelError(
                f"{of or 'the structure'} contains {', '.join(names)}, but the model knows only {', '.join(self.symbols)}. "
                "Use a model trained with these elements, or remove the atoms."
            )
        return species
