"""What is chosen to be learnt, where it is known what should be."""

import re
from collections.abc import Sequence
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import Config, from_dict
from unnp.config.kinds import check_kind
from unnp.errors import ConfigError
from unnp.executors.here import Here, HereConfig
from unnp.exported.loader import load_model
from unnp.workflows.learn.choosing import choices
from unnp.workflows.learn.selectors.base import REGISTRY, Choice, Selector, SelectorConfig, ranked
from unnp.workflows.learn.selectors.farthest import farthest_points
from unnp.workflows.learn.selectors.grid import one_of_each_cell
from unnp.workflows.learn.situation import Situation, Unlabelled

SELECTORS = ["deviation", "enthalpy-order", "farthest", "forces", "grid", "last-layer", "random", "rare"]
ORDER = {"kind": "fk", "star": "fcc", "cells": [2, 2, 2]}
NEEDED = {"deviation": {"sigmas": 1.0}, "rare": {"sigmas": 1.0}, "enthalpy-order": {"order": ORDER}}
"""Settings with which each chooses something among four crystals of 32 atoms."""


def structure(atoms: Atoms, **labels: Any) -> Structure:
    return Structure.from_atoms(atoms).with_labels(labels)


def crystal(a: float = 4.0, repeat: int = 2, symbol: str = "Al") -> Atoms:
    return bulk(symbol, "fcc", a=a, cubic=True) * (repeat, repeat, repeat)


def displaced(distance: float) -> Atoms:
    atoms = crystal()
    atoms.positions[0, 0] += distance
    return atoms


@pytest.fixture
def at(small_model: Path, tmp_path: Path) -> Situation:
    """A round with a committee of three for Al and Ni, which has learnt perfect crystals."""
    learnt = [structure(crystal(a)) for a in (3.95, 4.0, 4.05)]
    model = copy(small_model, tmp_path / "model.pt")  # its last layer is kept beside it
    return Situation(1, tmp_path, 7, Here(HereConfig()), "cpu", model, learnt)


def selector(**settings: Any) -> Selector:
    kind, config = check_kind(REGISTRY, settings, "select")
    return kind(config)


def chosen(found: Sequence[Choice]) -> list[int]:
    return [choice.index for choice in found]


def deviations(model: Path, frame: Structure) -> np.ndarray:
    potential = load_model(model)
    graph = Graph.of(frame, Elements(["Al", "Ni"]), potential.cutoff)
    energies = potential.module.members(*graph.arguments).numpy()
    return energies.std(axis=0)


def test_all_kinds_are_found() -> None:
    assert REGISTRY.names() == SELECTORS
    assert all(issubclass(REGISTRY.get(name).Config, SelectorConfig) for name in SELECTORS)


def test_a_grid_in_enthalpy_and_order_gives_each_cell_one_structure(at: Situation, small_model: Path) -> None:
    generator, frames = np.random.default_rng(0), []
    for k in range(60):
        atoms = crystal(3.9 + 0.2 * (k % 3))
        atoms.positions += 0.08 * (k % 4) * generator.standard_normal((len(atoms), 3))
        frames.append(structure(atoms))
    found = selector(kind="enthalpy-order", order=ORDER, pressure=1e4, cells=4).select(Unlabelled(frames), at)
    points = np.array([enthalpy_and_order(small_model, frame) for frame in [*frames, *at.learnt]])
    low, high = points.min(axis=0), points.max(axis=0)
    cells = [tuple(cell) for cell in np.minimum(4 * (points - low) / (high - low), 3).astype(int).tolist()]
    learnt = set(cells[len(frames) :])
    assert len(found) == len({cells[k] for k in chosen(found)}) == len(set(cells) - learnt) > 4
    assert learnt.isdisjoint(cells[k] for k in chosen(found))
    drawn = selector(kind="enthalpy-order", order=ORDER, pressure=1e4, cells=4, most=3).select(frames, at)
    assert chosen(drawn) == chosen(found)[:3]


def enthalpy_and_order(model: Path, frame: Structure) -> tuple[float, float]:
    """H at 10,000 bar [eV/atom], and fk of a crystal of fcc with 2 x 2 x 2 cells."""
    atoms = frame.to_atoms()
    atoms.calc = UnnpCalculator(model, device="cpu")
    waves = 2 * np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]])
    rho = np.exp(2j * np.pi * atoms.get_scaled_positions() @ waves.T).mean(axis=0)
    volume = atoms.get_volume() / len(atoms)
    return atoms.get_potential_energy() / len(atoms) + volume / 160.2176634, float(np.sqrt(np.mean(abs(rho) ** 2)))


def test_a_grid_in_order_needs_waves_and_periodic_cells(at: Situation) -> None:
    with pytest.raises(ConfigError, match="give `star` and `cells`, or `wave_vectors`"):
        selector(kind="enthalpy-order", order={"kind": "sk"})
    cluster = crystal()
    cluster.pbc = False
    chooses = selector(kind="enthalpy-order", order={"kind": "sk", "wave_vectors": [[2, 2, 2]]})
    with pytest.raises(ConfigError, match="periodic in all directions"):
        chooses.select([structure(cluster)], at)


def test_one_strange_atom_among_equal_ones_is_found(at: Situation, small_model: Path) -> None:
    frames = [structure(crystal()), structure(displaced(0.6)), structure(crystal(4.02)), structure(displaced(1.2))]
    found = selector(kind="deviation", sigmas=3.0, over="frame").select(frames, at)
    own = [deviations(small_model, frame) for frame in frames]
    expected = {k: (d.max() - d.mean()) / d.std() for k, d in enumerate(own) if d.std() > 1e-3 * d.mean()}
    assert set(chosen(found)) == {k for k, score in expected.items() if score > 3.0} == {3}
    assert {choice.index: choice.score for choice in found} == pytest.approx(
        {k: score for k, score in expected.items() if score > 3.0}, rel=1e-4
    )


def test_deviations_over_all_atoms_compare_structures(at: Situation, small_model: Path) -> None:
    frames = [structure(crystal(a)) for a in (4.0, 4.01, 3.99, 3.3)]
    found = selector(kind="deviation", sigmas=1.5, over="all").select(frames, at)
    all_of_them = np.concatenate([deviations(small_model, frame) for frame in frames])
    strange = [
        abs(d := deviations(small_model, f).max()) > 0 and (d - all_of_them.mean()) > 1.5 * all_of_them.std()
        for f in frames
    ]
    assert chosen(found) == list(np.flatnonzero(strange))
    assert len(found) == 1


def test_a_threshold_that_no_atom_can_pass_is_refused(at: Situation) -> None:
    small = [structure(crystal(repeat=1))]
    with pytest.raises(ConfigError, match=r"among the 4 atoms .* none can be 5 standard deviations .* only 1\.73"):
        selector(kind="deviation", over="frame").select(small, at)
    assert selector(kind="deviation").select(small, at) == []


def test_the_defaults_of_deviation_choose_the_odd_one_out(at: Situation) -> None:
    frames = [*(structure(crystal(4.0 + 0.001 * k)) for k in range(60)), structure(displaced(1.2))]
    assert chosen(selector(kind="deviation").select(frames, at)) == [60]


def test_rare_events_are_kept_once(at: Situation) -> None:
    twin = displaced(1.0)
    twin.positions += 1e-4
    common = [structure(crystal(4.0 + 0.001 * k)) for k in range(20)]
    frames = [*common, structure(displaced(1.0)), structure(twin), structure(displaced(0.9))]
    rare = chosen(selector(kind="rare", sigmas=1.0, energy=0.05).select(frames, at))
    assert len({20, 21} & set(rare)) == 1
    assert 22 in rare
    assert set(rare).isdisjoint(range(20))
    assert len(selector(kind="rare", sigmas=1.0, energy=0.0).select(frames, at)) == 3
    assert len(selector(kind="rare", sigmas=1.0, energy=0.0, most=2).select(frames, at)) == 2


def test_forces_that_vanish_by_symmetry_are_certain(at: Situation) -> None:
    frames = [structure(crystal()), structure(displaced(0.3)), structure(displaced(0.9))]
    found = selector(kind="forces", above=1e-3).select(frames, at)
    assert chosen(found) == [2, 1]
    assert found[0].reason.startswith("largest deviation of a force [eV/A]")
    assert chosen(selector(kind="forces", most=1).select(frames, at)) == [2]


def test_what_was_learnt_is_rigid_in_the_last_layer(at: Situation) -> None:
    frames = [structure(crystal(4.0)), structure(crystal(3.2)), structure(crystal(4.05))]
    assert chosen(selector(kind="last-layer", most=1).select(frames, at)) == [1]


def test_farthest_points_by_hand() -> None:
    points = np.array([[1.0], [5.0], [9.0], [9.1], [0.0]])
    found = farthest_points(points, np.array([[0.0]]), 10)
    assert [k for k, _ in found] == [3, 1, 0, 2]  # 0.0 is known
    assert [distance for _, distance in found] == pytest.approx([9.1, 4.1, 1.0, 0.1])


def test_farthest_takes_one_of_each_kind(at: Situation) -> None:
    frames = [structure(crystal(a)) for a in (4.0, 3.2, 3.201, 4.6, 4.601)]
    found = set(chosen(selector(kind="farthest", most=2).select(frames, at)))
    assert len(found & {1, 2}) == len(found & {3, 4}) == 1


def test_a_grid_by_hand() -> None:
    points = np.array([[0.2, 0.1], [0.5, 0.4], [3.9, 0.0], [2.5, 2.4], [1.5, 3.5], [1.6, 3.9]])
    found = one_of_each_cell(points, np.array([[0.0, 4.0], [4.0, 4.0], [4.0, 0.0], [0.0, 0.0]]), 4)
    assert found == [(4, 2.0), (3, 1.0)]  # the first two and the third share cells with known ones
    assert one_of_each_cell(np.zeros((3, 1)), np.zeros((0, 1)), 5) == [(0, 3.0)]


def test_a_grid_takes_one_of_each_kind(at: Situation) -> None:
    frames = [structure(crystal(a)) for a in (4.0, 3.2, 3.201, 4.6, 4.601)]
    found = set(chosen(selector(kind="grid", dimensions=1, cells=5).select(frames, at)))
    assert 0 not in found  # learnt
    assert len(found & {1, 2}) == len(found & {3, 4}) == 1


def test_random_draws_are_those_of_seed_and_round(at: Situation) -> None:
    frames = [structure(crystal(repeat=1))] * 30
    drawn = chosen(selector(kind="random", most=10).select(frames, at))
    assert drawn == chosen(selector(kind="random", most=10).select(frames, at))
    assert len(set(drawn)) == 10
    later = Situation(2, at.folder, 7, at.executor)
    assert drawn != chosen(selector(kind="random", most=10).select(frames, later))


@pytest.mark.parametrize("kind", SELECTORS)
def test_labels_do_not_change_the_choice(kind: str, at: Situation) -> None:
    atoms = [crystal(), displaced(0.6), displaced(1.2), crystal(3.6)]
    settings = {"kind": kind, "most": 2, **NEEDED.get(kind, {})}
    forces = [np.full((32, 3), float(k)) for k in range(4)]
    labelled = [structure(a, energy=-100.0 * k, forces=forces[k]) for k, a in enumerate(atoms)]
    hidden = Unlabelled(labelled)
    assert all(frame.energy is None and frame.forces is None for frame in hidden)
    found = selector(**settings).select(hidden, at)
    assert found == selector(**settings).select([structure(a) for a in atoms], at)


def test_new_elements_come_first(at: Situation) -> None:
    frames = [structure(crystal()), structure(crystal(symbol="Cu")), structure(displaced(1.0))]
    found = choices(selector(kind="forces", most=2), frames, at)
    assert chosen(found) == [1, 2]
    assert found[0].reason == "has elements that are not learnt yet: Cu"


def test_ranks_by_hand() -> None:
    assert [(c.index, c.score) for c in ranked(np.array([1.0, 3.0, 2.0, 3.0]), "x", 3, 1.0)] == [
        (1, 3.0),
        (3, 3.0),
        (2, 2.0),
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "deviance"}, r"unknown selector 'deviance'.*Did you mean 'deviation'"),
        ({"most": 3}, "give its kind"),
        ({"kind": "random"}, "most: Field required"),
        ({"kind": "forces"}, "give `most`, `above` or both; without them all that is proposed would be chosen"),
        ({"kind": "last-layer", "above": None, "most": None}, "give `most`, `above` or both"),
        ({"kind": "farthest", "most": 0}, "greater than 0"),
        ({"kind": "rare", "sigma": 3}, "sigma: unknown key.*Did you mean 'sigmas'"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        selector(**settings)


def test_it_takes_the_configuration_class_of_its_kind() -> None:
    config: Any = selector(kind="deviation").config
    assert (config.sigmas, config.over) == (5.0, "all")
    assert from_dict({}, type(config)) == config


def test_a_selector_without_a_bound_on_its_choices_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Odd\.Config has to be a SelectorConfig"):

        class Odd(Selector):
            Config = Config


def test_the_selector_of_the_page_works(at: Situation, small_model: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/learn.md").read_text(encoding="utf-8")
    code = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert code
    known = dict(REGISTRY.entries)
    try:
        exec(code[1], {"__name__": "lowest"})
        frames = [structure(crystal(a)) for a in (3.4, 3.9, 4.6)]
        energies = []
        for frame in frames:
            atoms = frame.to_atoms()
            atoms.calc = UnnpCalculator(str(small_model))
            energies.append(atoms.get_potential_energy())
        found = selector(kind="lowest", most=3).select(frames, at)
        assert chosen(found) == list(np.argsort(energies))
        assert found[0].score == pytest.approx(-min(energies) / 32)
    finally:
        REGISTRY.entries.clear()
        REGISTRY.entries.update(known)
