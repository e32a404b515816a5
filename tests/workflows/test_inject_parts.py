"""Zeros of energy, choices and weights of an injection, by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.inject.choice import choice_of, injected
from unnp.workflows.inject.config import Bounds, ClassifierConfig, InjectConfig
from unnp.workflows.inject.labels import align
from unnp.workflows.inject.material import INJECTED, Material
from unnp.workflows.inject.nearest import Distances, classes, distances
from unnp.workflows.inject.run import _check_marks


def pair(numbers: list[int], energy: float, forces: float = 0.0) -> Structure:
    n = len(numbers)
    return Structure(np.array(numbers), np.zeros((n, 3)), energy=energy, forces=np.full((n, 3), forces))


def test_zeros_of_each_element_are_found_and_far_labels_are_left_out() -> None:
    random = np.random.default_rng(1)
    numbers = [[29] * int(n) + [13] * int(m) for n, m in random.integers(1, 5, (12, 2))]
    zeros = {29: 2.5, 13: -0.75}
    own = [pair(z, float(random.normal(scale=0.1))) for z in numbers]
    theirs = [replace(s, energy=s.energy - sum(zeros[z] for z in s.numbers)) for s in own if s.energy is not None]
    theirs[3] = replace(theirs[3], energy=5e3)
    theirs[4] = replace(theirs[4], forces=np.full((len(own[4]), 3), 99.0))
    elements, fitted = Elements(["Al", "Cu"]), [k for k in range(12) if k != 3]
    found = align([*theirs[:5], None, *theirs[6:]], own, fitted, elements, Bounds(), robust=False)
    assert found.shift == pytest.approx({"Al": -0.75, "Cu": 2.5})
    assert [k for k, s in enumerate(found.labels) if s is None] == [3, 4, 5]
    assert (found.n_failed, found.n_masked) == (1, 2)
    assert found.labels[0] is not None
    assert found.labels[0].energy == pytest.approx(own[0].energy)


def test_a_robust_alignment_is_not_moved_by_what_is_far_off() -> None:
    random = np.random.default_rng(2)
    own = [pair([29], 0.0) for _ in range(30)]
    theirs: list[Structure | None] = [pair([29], 3.0 + 0.01 * random.standard_normal()) for _ in range(24)]
    theirs += [pair([29], 30.0) for _ in range(6)]
    shifts = [
        align(theirs, own, range(30), Elements(["Cu"]), Bounds(), robust=robust).shift["Cu"] for robust in (False, True)
    ]
    assert shifts[0] == pytest.approx(-(24 * 3 + 6 * 30) / 30, abs=0.01)
    assert shifts[1] == pytest.approx(-3.0, abs=0.01)


def test_the_nearest_potential_by_energy_by_forces_and_by_both() -> None:
    own = [pair([29, 29], 0.0, 0.0)]
    labels = [[pair([29, 29], 0.1, 0.9)], [pair([29, 29], -0.14, 0.1)], [None]]
    found = distances(own, labels)
    assert found.energy[0].tolist() == pytest.approx([0.05, 0.07, np.inf])
    assert found.forces[0].tolist() == pytest.approx([0.9, 0.1, np.inf])
    for nearest, expected in (("energy", 0), ("forces", 1), ("both", 1)):
        assert classes(found, ClassifierConfig(nearest=nearest))[0] == expected
    assert classes(found, ClassifierConfig(nearest="energy", tau=0.04))[0] == 3
    assert classes(found, ClassifierConfig(nearest="both", tau_forces=0.05))[0] == 3
    assert classes(found, ClassifierConfig(nearest="forces", tau=0.01))[0] == 1
    one = 1 / GPA_PER_EV_PER_A3
    stressed = [
        replace(s[0], stress=np.diag([x, x, 0]) * one) for s, x in zip(labels[:2], (3, 30), strict=True) if s[0]
    ]
    found = distances([replace(own[0], stress=np.zeros((3, 3)))], [[s] for s in stressed])
    assert found.stress[0].tolist() == pytest.approx([2 * 3 / 9, 2 * 30 / 9])
    for tau, expected in ((1.0, 0), (0.5, 2)):
        assert classes(found, ClassifierConfig(nearest="all", tau_forces=1, tau_stress=tau))[0] == expected
    nothing = Distances(*(np.full((1, 3), np.inf) for _ in range(3)))
    assert classes(nothing, ClassifierConfig(nearest="both"))[0] == 3


def test_choices_fall_into_thirds_of_confidence_and_take_the_labels_they_name() -> None:
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2]])
    choice = choice_of(probabilities)
    assert choice.potential.tolist() == [0, 1, 2, 0]
    assert choice.confidence == ["high", "medium", "", "low"]
    labels: list[list[Structure | None]] = [[pair([29], 10.0 * p + k) for k in range(4)] for p in range(2)]
    labels[1][1] = None
    found = injected(choice, labels, ["low", "medium", "high"], stress=False)
    assert [s.energy for s in found] == [0.0, 3.0]  # 1 failed, 2 got none
    assert {s.group for s in found} == {INJECTED}
    assert [s.energy for s in injected(choice, labels, ["high"], stress=False)] == [0.0]


def test_files_that_potentials_name_belong_to_what_a_run_is_made_with(tmp_path: Path) -> None:
    """The same settings with another table are another potential; folders made before this was noted take note of it."""
    (tmp_path / "own.eam").write_text("one")
    named = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam", "pair_coeff": ["* * own.eam"]}
    config = InjectConfig.model_construct(potentials={"pair": named})
    material = Material([pair([13, 13], -1.0)], 1, 0, Elements(["Al"]))
    note, old = tmp_path / "marks.json", material.marks(config, tmp_path)
    note.write_text(json.dumps({name: old[name] for name in ("structures", "potentials")}))
    _check_marks(note, old)
    _check_marks(note, material.marks(config, tmp_path))
    (tmp_path / "own.eam").write_text("two")
    with pytest.raises(ConfigError, match="files of potentials changed since"):
        _check_marks(note, material.marks(config, tmp_path))
