"""Recipes: the structures they promise, again and again the same, labelled."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.data import covalent_radii
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.generation import Recipe, generate_structures
from unnp.data.generation.resumable import generate
from unnp.data.labellers import build_labeller
from unnp.data.worker_pool import run_parallel
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError

ONE = partial(run_parallel, n_workers=1)

pytest.importorskip("lammps")
AL = {"prototype": "fcc", "symbols": "Al", "a": 4.05}


def recipe(*samples: dict[str, Any], **others: Any) -> Recipe:
    return from_dict({"bases": {"Al": AL}, "seed": 3, "samples": list(samples), **others}, Recipe)


def made(*samples: dict[str, Any], folder: Path = Path(), **others: Any) -> list[Structure]:
    return generate_structures(recipe(*samples, **others), folder, ONE)


def shortest_bond(structure: Structure) -> float:
    index, shifts = bonds(structure, 4.0)
    return float(np.linalg.norm(bond_vectors(structure, index, shifts), axis=1).min())


def test_solids_have_the_lattice_constants_asked_for() -> None:
    structures = made({"kind": "solid", "scales": [0.95, 1.0], "repeat": [2, 1, 1]})
    assert [s.volume for s in structures] == pytest.approx([2 * (0.95 * 4.05) ** 3, 2 * 4.05**3])
    assert [shortest_bond(s) for s in structures] == pytest.approx([0.95 * 4.05 / 2**0.5, 4.05 / 2**0.5])
    assert {s.group for s in structures} == {"solid"}


def test_strains_are_symmetric_and_bounded() -> None:
    structures = made({"kind": "strained", "count": 20, "max_strain": 0.05, "group": "elastic"})
    strains = np.array([s.cell / 4.05 - np.eye(3) for s in structures])
    np.testing.assert_allclose(strains, strains.transpose(0, 2, 1), atol=1e-12)
    assert 0.03 < np.abs(strains).max() <= 0.05
    assert len({s.energy for s in structures}) == 1
    assert {s.group for s in structures} == {"elastic"}


def test_rattled_and_vacancies() -> None:
    rattled = made({"kind": "rattled", "count": 5, "displacement": 0.2, "repeat": [2, 2, 2]})
    perfect = (bulk("Al", a=4.05, cubic=True) * (2, 2, 2)).positions
    assert np.std([s.positions - perfect for s in rattled]) == pytest.approx(0.2, rel=0.15)
    vacancies = made({"kind": "vacancy", "count": 3, "vacancies": 2, "repeat": [2, 2, 2]})
    assert [len(s) for s in vacancies] == [30, 30, 30]


def test_surfaces_have_vacuum() -> None:
    (slab,) = made({"kind": "surface", "count": 1, "miller": [1, 0, 0], "layers": 3, "vacuum": 7.0})
    heights = np.sort(slab.positions[:, 2])
    assert slab.pbc.all()
    assert slab.cell[2, 2] - (heights[-1] - heights[0]) > 13


def test_random_alloys_keep_their_proportions() -> None:
    base = {**AL, "substitute": {"Al": 1, "Ni": 3}}
    structures = made({"kind": "rattled", "count": 4, "repeat": [2, 2, 2]}, bases={"AlNi3": base})
    assert all(Counter(s.numbers.tolist()) == {13: 8, 28: 24} for s in structures)
    assert not np.array_equal(structures[0].numbers, structures[1].numbers)


def test_crystal_from_a_file(tmp_path: Path) -> None:
    write_structures([Structure.from_atoms(bulk("NaCl", "rocksalt", a=5.64))], tmp_path / "salt.xyz")
    (salt,) = made({"kind": "solid", "scales": [1.0]}, bases={"salt": {"file": "salt.xyz"}}, folder=tmp_path)
    assert sorted(salt.numbers) == [11, 17]


def test_disturbed_copies_of_structures_that_are_there(tmp_path: Path) -> None:
    cluster = Structure.from_atoms(Atoms("Cu4", [[0, 0, 0], [2.5, 0, 0], [0, 2.5, 0], [0, 0, 2.5]]))
    crystal = Structure.from_atoms(bulk("Al", cubic=True) * (3, 3, 3))
    write_structures([crystal, cluster], tmp_path / "there.xyz")
    sample = {
        "kind": "disturbed",
        "files": ["there.xyz"],
        "copies": 20,
        "max_strain": 0.03,
        "displacement": [0.05, 0.2],
    }
    copies = made(sample, folder=tmp_path, bases={})
    assert [len(s) for s in copies] == 20 * [108] + 20 * [4]
    assert {(s.group, s.energy) for s in copies} == {("disturbed", None)}
    strains = np.array([np.linalg.solve(crystal.cell, s.cell) for s in copies[:20]]) - np.eye(3)
    np.testing.assert_allclose(strains, strains.transpose(0, 2, 1), atol=1e-8)
    assert 0.025 < np.abs(strains).max() < 0.03
    straight = [s.positions - crystal.positions @ (np.eye(3) + e) for s, e in zip(copies[:20], strains, strict=True)]
    spreads = np.array([moves.std() for moves in straight])
    assert spreads.min() < 0.1 < 0.15 < spreads.max()
    assert spreads.min() > 0.04
    assert spreads.max() < 0.22
    assert all((s.cell == cluster.cell).all() for s in copies[20:])
    assert np.std([s.positions - cluster.positions for s in copies[20:]]) == pytest.approx(0.13, abs=0.04)


def in_covalent_radii(structure: Structure, cutoff: float) -> np.ndarray:
    """Return the distances of bonds, divided by the sums of the covalent radii."""
    index, shifts = bonds(structure, cutoff)
    lengths = np.linalg.norm(bond_vectors(structure, index, shifts), axis=1)
    return lengths / covalent_radii[structure.numbers[index]].sum(axis=0)


def test_one_atom_is_pushed_onto_another(tmp_path: Path) -> None:
    crystal = bulk("Al", cubic=True) * (2, 2, 2)
    crystal.symbols[::2] = "Cu"
    write_structures([Structure.from_atoms(crystal)], tmp_path / "there.xyz")
    sample = {"kind": "pushed", "files": ["there.xyz"], "count": 30, "distances": [0.5, 0.8], "reach": 6.0}
    copies = made(sample, folder=tmp_path, bases={})
    assert [len(s) for s in copies] == 30 * [32]
    assert {(s.group, s.energy) for s in copies} == {("pushed", None)}
    shortest = []
    for copy in copies:
        moves = copy.positions - crystal.positions
        assert np.count_nonzero(np.linalg.norm(moves, axis=1) > 1e-8) == 1
        shortest.append(in_covalent_radii(copy, 3.0).min())
    assert 0.5 <= min(shortest) < 0.55
    assert 0.75 < max(shortest) <= 0.8
    assert np.ptp(shortest) > 0.2


def test_an_atom_alone_cannot_be_pushed(tmp_path: Path) -> None:
    write_structures([Structure.from_atoms(Atoms("Al"))], tmp_path / "lone.xyz")
    with pytest.raises(DataError, match=r"lone.xyz.*no atom within 5 A of another.*raise reach"):
        made({"kind": "pushed", "files": ["lone.xyz"], "count": 1}, folder=tmp_path, bases={})


def test_dimers_of_all_pairs() -> None:
    dimers = made({"kind": "dimers", "elements": ["Al", "Cu"], "count": 40, "distances": [0.6, 1.5]}, bases={})
    assert Counter(tuple(s.numbers.tolist()) for s in dimers) == {(13, 13): 40, (13, 29): 40, (29, 29): 40}
    assert not any(s.pbc.any() for s in dimers)
    ratios = np.concatenate([in_covalent_radii(s, 6.0) for s in dimers])
    assert 0.6 <= ratios.min() < 0.65
    assert 1.45 < ratios.max() <= 1.5
    assert np.ptp([s.positions[1, 2] for s in dimers]) > 2


def test_the_seed_decides(assert_same: Callable) -> None:
    sample = {"kind": "strained", "count": 3, "displacement": 0.1}
    for a, b in zip(made(sample), made(sample), strict=True):
        assert_same(a, b)
    assert not np.array_equal(made(sample)[0].cell, made(sample, seed=4)[0].cell)


MELT = {
    "kind": "melt",
    "temperatures": [1800],
    "scales": [1.05],
    "repeat": [2, 2, 2],
    "equilibration": 0.4,
    "snapshots": 3,
    "interval": 0.1,
}


def test_a_run_that_explodes_is_an_error_or_left_out_with_what_it_made(eam: dict[str, Any], tmp_path: Path) -> None:
    solid = {**MELT, "kind": "dynamics", "temperatures": [300], "scales": [1.0]}
    planned = recipe(solid, {**MELT, "timestep": 0.1}, calculator=eam)
    with pytest.raises(DataError, match=r"melt at 1800 K.* failed: "):
        generate(planned, folder=tmp_path, work=tmp_path / "a", workers=1)
    result = generate(planned, folder=tmp_path, work=tmp_path / "b", workers=1, on_failure="skip")
    groups = Counter(s.group for s in result.structures)
    assert groups["dynamics"] == 3
    assert groups["melt"] < 3
    assert sum(result.left_out.values()) == 1


def test_dynamics_and_melt_are_labelled(eam: dict[str, Any], tmp_path: Path, assert_same: Callable) -> None:
    solid = {**MELT, "kind": "dynamics", "temperatures": [300], "scales": [1.0], "vacancies": 1}
    planned = recipe(solid, MELT, calculator=eam)
    result = generate(planned, folder=tmp_path, work=tmp_path / "work", workers=1)
    groups = Counter(s.group for s in result.structures)
    assert groups == {"dynamics": 3, "melt": 3}
    labeller = build_labeller(eam, tmp_path)
    for structure in result.structures:
        assert_same(labeller.label(structure), structure)
    solid_forces, melt_forces = (
        np.mean([np.std(s.forces) for s in result.structures if s.group == g and s.forces is not None]) for g in groups
    )
    assert melt_forces > 1.5 * solid_forces > 0.1
    assert [len(s) for s in result.structures] == [31] * 3 + [32] * 3
    assert all(s.volume == pytest.approx(8 * (1.05 * 4.05) ** 3) for s in result.structures if s.group == "melt")
    again = generate(planned, folder=tmp_path, work=tmp_path / "again", workers=2)
    for a, b in zip(result.structures, again.structures, strict=True):
        assert_same(a, b)


def test_what_is_finished_is_kept_for_the_same_recipe_only(tmp_path: Path, eam: dict[str, Any]) -> None:
    work = tmp_path / "work"
    planned = recipe({"kind": "rattled", "count": 2}, {"kind": "solid", "scales": [1.0]}, calculator=eam)
    wrong = planned.model_copy(update={"calculator": {**eam, "pair_style": "nothing"}})
    with pytest.raises(DataError, match="Unrecognized pair style"):
        generate(wrong, folder=tmp_path, work=work, workers=1)
    result = generate(planned, folder=tmp_path, work=work, workers=1)  # nothing was finished, so nothing is in the way
    stored = (work / "structures/dataset.json").stat()
    assert len(generate(planned, folder=tmp_path, work=work, workers=1).structures) == len(result.structures) == 3
    assert (work / "structures/dataset.json").stat() == stored
    with pytest.raises(DataError, match="unfinished work of another recipe"):
        generate(planned.model_copy(update={"seed": 9}), folder=tmp_path, work=work, workers=1)


def test_a_recipe_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave nothing"):
        generate(recipe({"kind": "vacancy", "count": 1, "vacancies": 9}), folder=tmp_path, work=tmp_path / "work")
    assert not list(tmp_path.iterdir())


def test_without_calculator_structures_stay_unlabelled(tmp_path: Path) -> None:
    result = generate(recipe({"kind": "solid"}), folder=tmp_path, work=tmp_path / "work", workers=1)
    assert [s.energy for s in result.structures] == [None] * 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"samples": [{"kind": "solidd"}]}, "solidd"),
        ({"samples": [{"kind": "solid", "scale": [1.0]}]}, "scale: unknown key. Did you mean 'scales'"),
        ({"samples": [{"kind": "strained", "count": 1, "max_strain": 0.9}]}, "max_strain"),
        ({"samples": [MELT]}, "melt needs a calculator of the kind lammps"),
        ({"samples": []}, "samples"),
        ({"bases": {"a": AL, "b": AL}}, "give base, one of a, b"),
        ({"samples": [{"kind": "solid", "base": "Cu"}]}, "base 'Cu' is none of Al"),
        ({"bases": {"a": {"prototype": "fcc"}}}, "a prototype needs symbols and the lattice constant"),
        ({"bases": {"a": {}}}, "either a prototype .* or a file"),
        ({"samples": [{"kind": "disturbed"}]}, "files"),
        ({"samples": [{"kind": "disturbed", "files": ["a"], "displacement": [0.2, 0.1]}]}, "is not above the second"),
        (
            {"samples": [{"kind": "melt", "elements": ["Al"], "temperatures": [900]}]},
            r"melt.elements: unknown key. Allowed here: base, equilibration, group, .*, vacancies\.$",
        ),
        (
            {"samples": [{"kind": "pushed", "files": ["a"], "count": 1, "distances": [0.9, 0.5]}]},
            "is not above the second",
        ),
        ({"samples": [{"kind": "dimers", "elements": ["Xq"]}]}, "Xq"),
    ],
)
def test_wrong_recipes(content: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"bases": {"Al": AL}, "samples": [{"kind": "solid"}]}
    with pytest.raises(ConfigError, match=message):
        from_dict({**good, **content}, Recipe)


@pytest.mark.parametrize(
    ("sample", "others", "message"),
    [
        ({"kind": "vacancy", "count": 1, "vacancies": 4}, {}, "leave nothing of 4 atoms"),
        ({"kind": "surface", "count": 1, "miller": [0, 0, 0]}, {}, "no surface"),
        ({"kind": "surface", "count": 1, "repeat": [1, 1, 2]}, {}, "third number of repeat must be 1"),
        ({"kind": "solid"}, {"bases": {"x": {**AL, "symbols": "Qq"}}}, "no fcc crystal of 'Qq'"),
    ],
)
def test_structures_that_cannot_be_made(sample: dict[str, Any], others: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(sample, **others)
