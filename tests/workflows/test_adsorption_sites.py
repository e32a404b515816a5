"""Slabs of the adsorption test: which hollow is which whatever the crystal is like, names of sites, places that are alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from unnp.config import from_dict
from unnp.workflows.adsorption.config import COH, Placed, SurfaceConfig
from unnp.workflows.adsorption.judge import bonds_of, farthest, from_alike, is_on_slab
from unnp.workflows.adsorption.structures import anchor_of, bare_slab, crystal_of, layer_of, sites_of, with_molecule


def test_the_slab_of_the_defaults_is_co_0001_with_coh_above_a_hollow() -> None:
    surface = SurfaceConfig()
    slab = bare_slab(crystal_of(surface, Path()), surface)
    whole = with_molecule(slab, COH, anchor_of(slab, surface), surface, "adsorbed")
    assert str(whole.symbols) == "Co16COH"
    carbon, oxygen, hydrogen = range(16, 19)
    to_metal = np.sort(whole.get_distances(carbon, range(16), mic=True))[:4]
    assert to_metal[:3] == pytest.approx([1.85] * 3, abs=0.01)
    below = whole.positions[:16, 2] < slab.positions[:, 2].max() - 1
    sideways = whole.get_distances(carbon, np.flatnonzero(below), mic=True, vector=True)[:, :2]
    assert np.linalg.norm(sideways, axis=1).min() == pytest.approx(0, abs=1e-6)  # hcp: an atom right below
    assert whole.get_distance(oxygen, hydrogen) == pytest.approx(0.96, abs=0.02)
    assert bonds_of(whole) == {(0, 1), (1, 2)}
    assert len(whole.constraints[0].index) == 8


@pytest.mark.parametrize("seed", range(12))
def test_noise_and_origin_of_the_crystal_do_not_choose_the_hollow(seed: int) -> None:
    """Both gaps of hcp(0001) are equal: what a relaxation leaves, order and turned crystals make no difference."""
    rng, surface = np.random.default_rng(seed), SurfaceConfig()
    crystal = crystal_of(surface, Path())
    moves = [(0, 0, -1e-9), (0, 0, 1e-9), rng.normal(size=3), rng.normal(scale=1e-6, size=3)]
    crystal.positions += moves[seed % 4]
    crystal.positions[seed % 2] += rng.normal(scale=(1e-12, 1e-5, 1e-3)[seed % 3], size=3)
    if seed >= 6:
        crystal = crystal[[1, 0]]
        crystal.positions[:, 2] *= -1
    slab = bare_slab(crystal, surface)
    whole = with_molecule(slab, COH, anchor_of(slab, surface), surface, "adsorbed")
    second = layer_of(slab, 1)
    sideways = whole.get_distances(16, second, mic=True, vector=True)[:, :2]
    assert np.linalg.norm(sideways, axis=1).min() == pytest.approx(0, abs=0.01)
    assert sites_of(slab).name(whole) == "hcp hollow"


@pytest.mark.parametrize("shift", [0.0, -1e-9, 1e-9, 0.3])
def test_the_atom_that_molecules_are_placed_from_does_not_depend_on_the_origin(shift: float) -> None:
    """The two atoms of a layer of hcp(11-20) see mirrored surroundings."""
    surface = from_dict({"element": "Co", "plane": [1, 1, -2, 0], "repeat": [1, 1]}, SurfaceConfig)
    crystal = crystal_of(surface, Path())
    found = []
    for moved in (0.0, shift):
        crystal.positions += moved
        slab = bare_slab(crystal, surface)
        whole = with_molecule(slab, COH[:1], anchor_of(slab, surface), surface, "adsorbed")
        found.append(np.sort(whole.get_distances(len(slab), range(len(slab)), mic=True)))
    assert found[1] == pytest.approx(found[0], abs=1e-6)


@pytest.mark.parametrize(
    ("given", "at", "site"),
    [
        ({"element": "Co"}, (1 / 3, 2 / 3), "hcp hollow"),
        ({"element": "Co"}, (2 / 3, 1 / 3), "fcc hollow"),
        ({"element": "Co", "repeat": [1, 1]}, (0.5, 0), "bridge"),
        ({"element": "Co"}, (1, 0), "top"),
        ({"element": "Cu", "plane": [1, 0, 0]}, (0.5, 0), "hollow"),
        ({"element": "Cu", "plane": [1, 0, 0]}, (1 / 3, 2 / 3), "between"),
    ],
)
def test_sites_have_their_names(given: dict, at: tuple[float, float], site: str) -> None:
    surface = from_dict(given, SurfaceConfig)
    slab = bare_slab(crystal_of(surface, Path()), surface)
    placed = [Placed(symbol="O", at=(*at, 1.2))]
    assert sites_of(slab).name(with_molecule(slab, placed, anchor_of(slab, surface), surface, "")) == site


def test_bonds_and_ways_count_across_boundaries() -> None:
    surface = SurfaceConfig()
    slab = bare_slab(crystal_of(surface, Path()), surface)
    whole = with_molecule(slab, COH, anchor_of(slab, surface), surface, "adsorbed")
    other = whole.copy()
    other.positions[-1] += whole.cell[0] - whole.cell[1]
    assert bonds_of(other) == {(0, 1), (1, 2)}
    assert farthest(other, whole, np.arange(19)) == pytest.approx(0, abs=1e-6)
    other.positions[-1] += (0, 0, 1.5)
    assert bonds_of(other) == {(0, 1)}
    assert farthest(other, whole, np.arange(19)) == pytest.approx(1.5)


def test_places_count_in_the_cell_of_the_surface() -> None:
    surface = from_dict(
        {"element": "Cu", "plane": [1, 0, 0], "repeat": [2, 1], "thickness": 5, "vacuum": 8, "free": 1}, SurfaceConfig
    )
    slab = bare_slab(crystal_of(surface, Path()), surface)
    atoms = [
        with_molecule(slab, [Placed(symbol="O", at=(u, 0.5, 1.0))], anchor_of(slab, surface), surface, "")
        for u in (0.5, 1.5)
    ]
    ways = atoms[1].positions[-1] - atoms[0].positions[-1]
    assert ways == pytest.approx(slab.cell.array[0] / 2)  # of two cells


def on_cobalt(molecule: list[Placed], surface: SurfaceConfig = SurfaceConfig()) -> Atoms:
    slab = bare_slab(crystal_of(surface, Path()), surface)
    return with_molecule(slab, molecule, anchor_of(slab, surface), surface, "")


def moved(molecule: list[Placed], *ways: tuple[float, float, float]) -> list[Placed]:
    """Return a molecule, its atoms moved in the units of ``at``."""
    pairs = zip(molecule, ways * (1 if len(ways) > 1 else len(molecule)), strict=True)
    return [Placed(symbol=a.symbol, at=tuple(x + y for x, y in zip(a.at, way, strict=True))) for a, way in pairs]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (moved(COH, (1.0, 0.0, 0.0)), 0.0),  # the next hollow of the kind
        (moved(COH, (-1.0, 1.0, 0.0)), 0.0),
        (moved(COH, (1 / 3, -1 / 3, 0.0)), 2.51 / 3**0.5),  # an fcc hollow: not the next atom's turned one
        (moved(COH, (0.0, 0.0, 0.3)), 0.3),
        (moved(COH, (0, 0, 0), (0, 0, 0), (-0.36, 0.36, 0.0)), 0.0),  # OH turned by 120 degrees
        (moved(COH, (0, 0, 0), (0, 0, 0), (-0.72, 0.0, 0.0)), 0.0),  # by 180: a mirror
        (moved(COH, (0, 0, 0), (0, 0, 0), (0.36 * (3**-0.5 - 1), 0.36 * 2 / 3**0.5, 0.0)), 0.468),  # by 90
    ],
)
def test_places_that_symmetry_makes_alike_are_one(other: list[Placed], expected: float) -> None:
    surface = SurfaceConfig()
    sites = sites_of(bare_slab(crystal_of(surface, Path()), surface))
    assert len(sites.symmetries) == 6 * 4  # p3m1, in 2 x 2 cells
    assert from_alike(on_cobalt(other), on_cobalt(COH), sites) == pytest.approx(expected, abs=0.02)


def test_like_atoms_of_a_molecule_may_change_places() -> None:
    surface = SurfaceConfig()
    sites = sites_of(bare_slab(crystal_of(surface, Path()), surface))
    pair = [Placed(symbol="O", at=(0.0, 0.0, 1.8)), Placed(symbol="O", at=(0.0, 0.0, 3.0))]
    mixed = [Placed(symbol="C", at=pair[0].at), pair[1]]
    assert from_alike(on_cobalt(pair[::-1]), on_cobalt(pair), sites) == pytest.approx(0, abs=1e-6)
    swapped = [Placed(symbol="C", at=pair[1].at), pair[0]]
    assert from_alike(on_cobalt(swapped), on_cobalt(mixed), sites) == pytest.approx(1.2, abs=1e-6)


def test_a_molecule_is_on_the_slab_where_each_piece_of_it_is_bonded_to_it() -> None:
    assert is_on_slab(on_cobalt(COH))
    assert not is_on_slab(on_cobalt(moved(COH, (0.0, 0.0, 2.0))))
    left = moved(COH, (0, 0, 0), (0, 0, 2.5), (0, 0, 2.5))  # OH has gone, C has not
    assert not is_on_slab(on_cobalt(left))
    across = SurfaceConfig(vacuum=6.0)  # the image of the slab is no place to be adsorbed
    assert not is_on_slab(on_cobalt(moved(COH[:1], (0.0, 0.0, 3.8)), across))
