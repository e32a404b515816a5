"""Lattice, equation of state and elastic constants against published values, symmetry and each other."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from typer.testing import CliRunner
from unnp.adapters.labeller import LabellerCalculator
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError
from unnp.workflows.elastic.report import comparison, properties
from unnp.workflows.elastic.run import (
    cubic_constants,
    elastic_properties,
    equation_of_state,
    is_cubic,
    relax,
    stiffness,
    strained,
)

EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


@pytest.fixture(scope="module")
def eam():
    return elastic_properties(bulk("Al", cubic=True), LabellerCalculator(EAM))


@pytest.fixture(scope="module")
def emt():
    return elastic_properties(bulk("Al", cubic=True), EMT())


def test_aluminium_eam_has_its_published_lattice_energy_and_elastic_constants(eam):
    """M. I. Mendelev et al., Philos. Mag. 88, 1723 (2008): a 4.0453 A, E -3.4107 eV, C11 110, C12 61, C44 33 GPa."""
    numbers = properties(eam)
    assert numbers["a [A]"] == pytest.approx(4.0453, abs=1e-4)
    assert numbers["energy [eV/atom]"] == pytest.approx(-3.4107, abs=1e-4)
    assert [numbers[f"{c} [GPa]"] for c in ("C11", "C12", "C44")] == pytest.approx([110, 61, 33], abs=0.6)


def test_the_stiffness_of_an_fcc_crystal_is_cubic_in_any_order_of_axes(emt):
    c = emt.stiffness
    assert is_cubic(c)
    assert np.allclose(c, c.T)
    turned = c[np.ix_([1, 2, 0, 4, 5, 3], [1, 2, 0, 4, 5, 3])]
    assert np.allclose(turned, c, atol=0.05)


def test_bulk_modulus_of_the_energy_is_that_of_the_stress(emt):
    c11, c12, _ = cubic_constants(emt.stiffness)
    assert emt.equation_of_state.bulk_modulus == pytest.approx((c11 + 2 * c12) / 3, rel=0.02)
    assert emt.equation_of_state.volume == pytest.approx(emt.atoms.get_volume() / 4, rel=1e-3)
    assert emt.equation_of_state.energy == pytest.approx(emt.energy, abs=1e-4)


def test_elastic_energy_is_half_strain_times_stiffness_times_strain(emt):
    c, strain = emt.stiffness, 0.003
    for k in (0, 3):
        atoms = strained(emt.atoms, k, strain)
        atoms.calc = EMT()
        stored = (atoms.get_potential_energy() / 4 - emt.energy) / (atoms.get_volume() / 4) * 160.2176634
        assert stored == pytest.approx(0.5 * c[k, k] * strain**2, rel=0.03)


def test_atoms_of_a_basis_relax_in_the_strained_cell(emt):
    """A hexagonal crystal has one transverse plane, 2 C66 = C11 - C12, which fails where atoms are not relaxed."""
    lj = LennardJones(sigma=2.6, epsilon=0.4, rc=6.0, smooth=True)
    relaxed = relax(bulk("Ti", "hcp", a=2.85, c=4.65), lj, cell=True)
    c = stiffness(relaxed, lj)
    assert not is_cubic(c)
    assert c[0, 0] - c[0, 1] == pytest.approx(2 * c[5, 5], rel=5e-3)
    assert c[0, 0] == pytest.approx(c[1, 1], rel=5e-3)


def test_equation_of_state_recovers_the_curve_it_was_given():
    class Curve(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            x = (4 * 16.0 / atoms.get_volume()) ** (2 / 3)
            bracket = (x - 1) ** 2 + (5.3 - 4) / 2 * (x - 1) ** 3  # Birch and Murnaghan with B' = 5.3
            self.results = {"energy": 4 * (9 * 16.0 * 0.5 / 8 * bracket - 3.0)}

    curve = equation_of_state(bulk("Al", a=4.02, cubic=True), Curve())
    assert curve.volume == pytest.approx(16.0, rel=1e-9)
    assert curve.energy == pytest.approx(-3.0, abs=1e-9)
    assert curve.bulk_modulus == pytest.approx(0.5 * 160.2176634, rel=1e-9)
    assert curve.bulk_modulus_derivative == pytest.approx(5.3, rel=1e-6)


def test_what_cannot_be_relaxed_says_why():
    cluster = bulk("Al", cubic=True)
    cluster.pbc = (True, True, False)
    with pytest.raises(DataError, match="periodic in all three directions"):
        relax(cluster, EMT(), cell=True)
    with pytest.raises(ModelError, match="no minimum between"):
        equation_of_state(bulk("Al", a=5.0, cubic=True), EMT())


def run(*arguments) -> dict:
    result = CliRunner().invoke(build_app(), ["elastic", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads((arguments[-1] / "elastic.json").read_text())


def test_unnp_elastic_compares_two_potentials_and_keeps_the_numbers(tmp_path, eam, emt):
    (tmp_path / "al-eam.yaml").write_text(yaml.safe_dump(EAM))
    (tmp_path / "emt.yaml").write_text("{kind: ase, name: emt}")
    files = (tmp_path / "emt.yaml", "--reference", tmp_path / "al-eam.yaml")
    content = run(*files, "--element", "Al", "--lattice", "fcc", "-a", "4.0", "-o", tmp_path / "out")
    assert list(content) == ["emt", "al-eam"]
    for name, expected in {"emt": emt, "al-eam": eam}.items():
        assert content[name]["properties"] == pytest.approx(properties(expected), rel=1e-3)
    with (tmp_path / "out" / "equation-of-state.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["potential"] for row in rows] == ["emt"] * 9 + ["al-eam"] * 9
    assert (tmp_path / "out" / "equation-of-state.png").read_bytes().startswith(b"\x89PNG")


def test_unnp_elastic_runs_an_exported_model(tmp_path, small_model):
    content = run(small_model, "--element", "Al", "-a", "1.165", "-o", tmp_path)
    cell = np.array(content["small"]["cell_A"])
    assert np.allclose(cell, cell[0, 0] * np.eye(3), atol=1e-3)  # it stays cubic
    assert is_cubic(np.array(content["small"]["stiffness_GPa"]))


def test_a_table_of_two_gives_the_deviation_of_the_first_from_the_second(eam, emt):
    rows = {row[0]: row[1:] for row in comparison({"emt": emt, "eam": eam})}
    assert rows["a [A]"][2].endswith("%")
    assert rows["energy [eV/atom]"][2].endswith("meV")
    assert float(rows["C11 [GPa]"][0]) == pytest.approx(cubic_constants(emt.stiffness)[0], rel=1e-4)


def test_wrong_options_are_named(tmp_path, small_model):
    both = ["elastic", str(small_model), "-o", str(tmp_path), "--element", "Al", "--structure", "x.xyz"]
    result = CliRunner().invoke(build_app(), both)
    assert isinstance(result.exception, ConfigError)
    assert "either `file`, or `element`" in str(result.exception)
