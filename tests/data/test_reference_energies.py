"""Reference energies: exact where compositions determine them, said so where they do not."""

import logging
from collections.abc import Callable

import numpy as np
import pytest
from unnp.data.reference_energies import fit_reference_energies, reference_energies
from unnp.elements import Elements
from unnp.errors import ConfigError, DataError, ModelError
from unnp.structure import Structure

TRUE = {"Al": -3.5, "Ni": -5.25}


def compound(n_al: int, n_ni: int, energy: float | None = None) -> Structure:
    numbers = np.array([13] * n_al + [28] * n_ni)
    exact = n_al * TRUE["Al"] + n_ni * TRUE["Ni"]
    return Structure(numbers, np.zeros((len(numbers), 3)), energy=exact if energy is None else energy)


def test_exact_where_compositions_suffice(caplog: pytest.LogCaptureFixture) -> None:
    structures = [compound(1, 3), compound(2, 2), compound(7, 1)]
    report = fit_reference_energies(structures, Elements(["Ni", "Al"]), "least-squares")
    assert report.energies == pytest.approx(TRUE)
    assert report.rank == 2
    assert report.residual == pytest.approx(0, abs=1e-12)
    assert reference_energies(structures, Elements(["Al", "Ni"]), "least-squares") == pytest.approx(TRUE)
    assert not caplog.records


def test_least_squares_weighs_structures_by_atoms() -> None:
    small, large = compound(1, 0, energy=-1.0), compound(9, 0, energy=-18.0)
    report = fit_reference_energies([small, large], Elements(["Al"]), "least-squares")
    assert report.energies["Al"] == pytest.approx(-1.5)
    assert report.residual == pytest.approx(0.5)


def test_one_composition_is_rank_deficient(caplog: pytest.LogCaptureFixture) -> None:
    structures = [compound(1, 1), compound(4, 4)]
    with caplog.at_level(logging.WARNING):
        energies = reference_energies(structures, Elements(["Al", "Ni"]), "least-squares")
    mean = (TRUE["Al"] + TRUE["Ni"]) / 2
    assert energies == pytest.approx({"Al": mean, "Ni": mean})  # of all that sum to this, the shortest
    assert "2 elements but only 1 independent composition" in caplog.text


def test_an_absent_element_gets_zero_and_is_named() -> None:
    report = fit_reference_energies([compound(2, 1), compound(1, 2)], Elements(["Al", "Cu", "Ni"]), "least-squares")
    assert report.energies == pytest.approx({**TRUE, "Cu": 0.0}, abs=1e-12)
    assert report.rank == 2
    assert "Cu never occur(s)" in report.message


def test_given_and_zero(make_structures: Callable[..., list[Structure]]) -> None:
    elements = Elements(["Al", "Ni"])
    assert reference_energies([], elements, "zero") == {"Al": 0.0, "Ni": 0.0}
    assert reference_energies([], elements, {"Ni": -1, "Al": -2}) == {"Al": -2.0, "Ni": -1.0}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"Al": -1.0}, "lacks Ni"),
        ({"Al": -1.0, "Ni": -1.0, "Cu": 0.0}, "unknown element of reference_energies 'Cu'"),
        ({"Al": -1.0, "Ni": float("nan")}, "reference_energies of Ni must be finite"),
        ("least-square", "Did you mean 'least-squares'"),
    ],
)
def test_wrong_settings(kind: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        reference_energies([], Elements(["Al", "Ni"]), kind)  # type: ignore[arg-type]


def test_structures_that_cannot_be_fitted() -> None:
    unlabelled = compound(1, 1)
    unlabelled.energy = None
    with pytest.raises(DataError, match="no structure has one"):
        reference_energies([unlabelled], Elements(["Al", "Ni"]), "least-squares")
    with pytest.raises(ModelError, match="Ni"):
        reference_energies([compound(1, 1)], Elements(["Al"]), "least-squares")
