"""Reference energies: exact where compositions determine them, said so where they do not."""

import logging
from collections.abc import Callable

import numpy as np
import pytest
from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.data.reference_energies import fit_reference_energies, is_isolated, reference_energies
from unnp.errors import ConfigError, DataError, ModelError

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
    small, large = compound(2, 0, energy=-2.0), compound(9, 0, energy=-18.0)
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


def atoms(symbols: str, distance: float, energy: float, source: str = "") -> Structure:
    numbers = np.array([{"A": 13, "N": 28}[c] for c in symbols])
    positions = np.arange(len(numbers))[:, None] * [distance, 0.0, 0.0]
    return Structure(numbers, positions, energy=energy, source=source)


def periodic(a: float, energy: float) -> Structure:
    return Structure(np.array([13]), np.zeros((1, 3)), a * np.eye(3), np.ones(3, dtype=bool), energy=energy)


BULK = [compound(4, 0, energy=-16.0), compound(3, 1, energy=-17.0), compound(2, 2, energy=-20.5)]


@pytest.mark.parametrize(
    ("isolated", "expected"),
    [
        ([atoms("A", 0, 3.51)], {"Al": 3.51}),
        ([periodic(7.0, 3.51)], {"Al": 3.51}),
        ([atoms("A", 0, 3.51), atoms("N", 0, -1.25)], {"Al": 3.51, "Ni": -1.25}),
        ([atoms("A", 0, 3.51), atoms("AN", 7.0, 1.0)], {"Al": 3.51, "Ni": -2.51}),
        ([atoms("AA", 7.0, 7.02)], {"Al": 3.51}),
    ],
)
def test_isolated_atoms_are_the_reference_energies(isolated: list[Structure], expected: dict[str, float]) -> None:
    report = fit_reference_energies([*BULK, *isolated], Elements(["Ni", "Al"]), "least-squares", cutoff=6.0)
    assert {name: report.energies[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert not report.message
    assert report.rank == 2


def test_what_isolated_atoms_leave_open_is_fitted() -> None:
    report = fit_reference_energies([*BULK, atoms("A", 0, -3.0)], Elements(["Al", "Ni"]), "least-squares", cutoff=6.0)
    x, y = np.array([0.25, 0.5]), np.array([-17.0 / 4 + 3 * 0.75, -20.5 / 4 + 3 * 0.5])
    assert report.energies == pytest.approx({"Al": -3.0, "Ni": x @ y / (x @ x)})
    pair = fit_reference_energies([*BULK, atoms("AN", 7.0, -8.0)], Elements(["Al", "Ni"]), "least-squares", cutoff=6.0)
    assert sum(pair.energies.values()) == pytest.approx(-8.0)
    assert not pair.message


def test_atoms_within_the_cutoff_are_not_isolated() -> None:
    for structure in (atoms("AA", 5.9, 1.0), periodic(5.9, 1.0)):
        assert not is_isolated(structure, 6.0)
        assert is_isolated(structure, 5.8)


def test_contradictions_of_isolated_atoms_are_said_with_both_numbers(caplog: pytest.LogCaptureFixture) -> None:
    two = [atoms("A", 0, 3.51, "a.xyz frame 1"), atoms("A", 0, 3.02, "a.xyz frame 2")]
    elements = Elements(["Al", "Ni"])
    reference_energies([*BULK, *two], elements, "least-squares")
    for text in ("Al, without bonds", "3.51 eV in a.xyz frame 1", "3.02 eV in a.xyz frame 2"):
        assert text in caplog.text
    for kind in ({"Al": 1.25, "Ni": 0.0}, "zero"):
        caplog.clear()
        energies = reference_energies([*BULK, two[0]], elements, kind)  # type: ignore[arg-type]
        assert "3.51 eV in a.xyz frame 1, but " in caplog.text
        assert f"{energies['Al']:g} eV by the reference energies" in caplog.text
    pair = fit_reference_energies(
        [atoms("A", 0, 3.0), atoms("N", 0, 1.0), atoms("AN", 9, 5.0)], elements, "least-squares"
    )
    assert "isolated atoms contradict" in pair.message
    same = [atoms("A", 0, 3.51), atoms("A", 0, 3.5104)]
    assert not fit_reference_energies([*BULK, *same], elements, "least-squares").message  # noise of the labels
