"""Elements and species."""

import numpy as np
import pytest
from unnp.atoms.elements import Elements, atomic_number, symbols_of
from unnp.errors import DataError, ModelError


def test_species_are_positions_in_the_list():
    elements = Elements(["Ni", "Al", "H"])
    assert len(elements) == 3
    species = elements.species(np.array([13, 28, 1, 13]))
    assert species.tolist() == [1, 0, 2, 1]
    assert species.dtype == np.int64
    assert elements.species(np.array([])).shape == (0,)


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ([13, 29, 26, 29], "Fe, Cu, but the model knows only Al, Ni"),
        ([0], "X"),
        ([119], "Z = 119"),
        ([13, -106], "Z = -106"),  # would be Al, counted from the end
        ([-1, 999, 1], "H, Z = -1, Z = 999"),
    ],
)
def test_atoms_the_model_does_not_know(numbers, named):
    with pytest.raises(ModelError, match=f"contains {named}"):
        Elements(["Al", "Ni"]).species(np.array(numbers))


@pytest.mark.parametrize("symbols", [[], ["Al", "Ni", "Al"]])
def test_lists_that_are_none(symbols):
    with pytest.raises(ModelError, match="non-empty list without repeats"):
        Elements(symbols)


@pytest.mark.parametrize(("symbol", "hint"), [("al", "Al"), ("Nii", "Ni"), ("X", ""), ("", ""), ("aluminium", "")])
def test_symbols_that_are_none(symbol, hint):
    with pytest.raises(DataError, match=f"'{symbol}' is not a chemical symbol.*{hint}"):
        atomic_number(symbol)


def test_symbols():
    assert atomic_number("Cu") == 29
    assert symbols_of([29, 1, 29, 13]) == ["H", "Al", "Cu"]
    assert symbols_of([]) == []
