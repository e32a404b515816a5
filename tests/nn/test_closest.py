"""Bond vectors that become no shorter than those of the training data."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.nn.closest import MARGIN, Closest, joined_distances, shortest_distances

SYMBOLS = ["Cu", "O"]
SETTINGS = {"layer_cutoffs": [4.0, 3.0], "scalars": 6, "vectors": 4, "tensors": 3, "hidden": 8, "projections": 4}


def graph(symbols: list[str], positions: object) -> Graph:
    return Graph.of(Structure.from_atoms(Atoms(symbols, positions)), Elements(SYMBOLS), 4.0)


def seen() -> list[Graph]:
    """Two structures: Cu-Cu 2.2 A, Cu-O 1.8 A, no O-O."""
    return [
        graph(["Cu", "Cu", "O"], [[0, 0, 0], [2.4, 0, 0], [0, 0, 1.8]]),
        graph(["Cu", "Cu"], [[0, 0, 0], [2.2, 0, 0]]),
    ]


def build(**settings: object) -> Potential:
    torch.manual_seed(0)
    config = PotentialConfig(settings=SETTINGS, **settings)
    head = Head(1.0, dict.fromkeys(SYMBOLS, 0.0))
    return build_potential(config, SYMBOLS, [head], TrainingData(10.0, seen())).double()


def test_shortest_distances_of_pairs():
    np.testing.assert_allclose(shortest_distances(seen(), 2), [[2.2, 1.8], [1.8, 0.0]])


@pytest.mark.parametrize(
    ("lower", "expected"),
    [
        (True, [[2.2, 1.7, 1.5], [1.7, 1.2, 0.0], [1.5, 0.0, 2.1]]),
        (False, [[2.2, 1.8, 1.5], [1.8, 1.2, 0.0], [1.5, 0.0, 2.1]]),
    ],
)
def test_known_pairs_keep_theirs_or_take_the_smaller_and_new_ones_those_of_the_data(
    lower: bool, expected: list[list[float]]
):
    known = [[2.2, 1.8], [1.8, 0.0]]  # no data of the second element with itself until now
    found = [[2.5, 1.7, 1.5], [1.7, 1.2, 0.0], [1.5, 0.0, 2.1]]
    assert joined_distances(known, 2, found, lower=lower) == expected


def test_a_pair_without_new_data_keeps_its_distance():
    assert joined_distances([[2.2, 1.8], [1.8, 2.0]], 2, [[2.0, 0.0], [0.0, 0.0]], lower=True) == [
        [2.0, 1.8],
        [1.8, 2.0],
    ]


def test_a_network_without_distances_goes_on_without_for_what_it_knows():
    assert joined_distances([], 1, [[2.2, 1.8], [1.8, 2.0]], lower=True) == [[0.0, 1.8], [1.8, 2.0]]
    assert joined_distances([], 1, [[2.2]], lower=True) == []


def test_lengths_are_smooth_and_end_at_nineteen_twentieths():
    closest = Closest([[2.0]])
    r = torch.linspace(0.2, 3.0, 2801, dtype=torch.float64)
    length = closest.seen(r, torch.full_like(r, 2.0))
    assert torch.equal(length[r >= 2.0], r[r >= 2.0])
    torch.testing.assert_close(length[r <= 1.8], torch.full_like(r[r <= 1.8], 1.9))
    step = (r[1] - r[0]).item()
    slope = torch.diff(length) / step
    assert slope.min() > -1e-9
    curvature = torch.diff(slope) / step
    assert torch.diff(curvature).abs().max() < 160 * step  # no jump in the second derivative


def test_the_training_data_and_terms_are_as_without():
    plain, with_it = build(closest=0), build()
    for structure in seen():
        assert torch.equal(predict(plain, structure).energy, predict(with_it, structure).energy)
    close = graph(["Cu", "Cu", "O"], [[0, 0, 0], [1.2, 0, 0], [0, 0, 1.0]])
    assert (predict(plain, close).energy - predict(with_it, close).energy).abs() > 1e-6
    zbl = {"zbl": {"inner": 1.0, "outer": 1.9}}
    repulsion = predict(build(add=zbl), close).energy - predict(with_it, close).energy
    expected = predict(build(closest=0, add=zbl), close).energy - predict(plain, close).energy
    torch.testing.assert_close(repulsion, expected)


@pytest.mark.parametrize("distance", [0.3, 1.0, 1.5])
def test_the_network_stays_where_it_was_far_below_the_shortest(distance: float):
    potential = build()
    energy = [predict(potential, graph(["Cu", "Cu"], [[0, 0, 0], [0, r, 0]])).energy.item() for r in (distance, 1.65)]
    assert energy[0] == pytest.approx(energy[1], abs=1e-12)


def test_forces_are_the_derivatives():
    potential = build()
    positions = np.array([[0.0, 0, 0], [1.95, 0.3, 0], [0.2, 0.1, 1.65]])
    symbols = ["Cu", "Cu", "O"]
    forces = predict(potential, graph(symbols, positions)).forces
    step = np.zeros((3, 3))
    step[1, 0] = 1e-5
    up, down = (predict(potential, graph(symbols, positions + s * step)).energy.item() for s in (1, -1))
    assert forces[1, 0].item() == pytest.approx((down - up) / 2e-5, rel=1e-6, abs=1e-9)


def test_the_description_has_them():
    described = build().describe()
    np.testing.assert_allclose(described["closest"], MARGIN * np.array([[2.2, 1.8], [1.8, 0.0]]))
    assert build(closest=0).describe()["closest"] == []


def test_a_distance_that_is_not_a_number_shows():
    structure = graph(["Cu", "Cu"], [[0, 0, 0], [2.2, 0, 0]])
    structure.bond_vector[0] = np.nan
    assert predict(build(), structure).energy.isnan().all()


def test_an_exported_model_has_it_too(tmp_path: Path):
    potential = build(add={"zbl": {"inner": 1.0, "outer": 1.9}})
    export_model([potential], tmp_path / "model.pt", name="close")
    loaded = load_model(tmp_path / "model.pt", device="cpu", dtype="float64")
    close = Atoms(["Cu", "Cu", "O"], [[0, 0, 0], [1.2, 0, 0], [0, 0.2, 1.0]])
    found = loaded.predict(graph(list(close.symbols), close.positions))
    expected = predict(potential, graph(list(close.symbols), close.positions))
    assert found.energy.item() == pytest.approx(expected.energy.item(), abs=1e-9)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-9)
