"""Paths that are divided at the minima on them: of a gold atom that goes over two bridges of Al(100)."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import read, write
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ModelError
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.divided import ONE_STATE, _append, _divided, _Search, _State, run_divided
from unnp.workflows.neb.path import apart, distances, respaced
from unnp.workflows.neb.report import barriers, notes, rows
from unnp.workflows.neb.run import run_neb

HOP = 0.374
"""Barrier [eV] of one hop, see ``test_neb.py``."""
TWICE = NebConfig(images=3, divide=1)


def adatom(x: float = 0.0, y: float = 0.0) -> Atoms:
    """Return gold on Al(100), shifted from a hollow [nearest neighbours]."""
    atoms = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(atoms, "Au", 1.7, "hollow")
    atoms.center(axis=2, vacuum=4.0)
    atoms.positions[-1] += (x * atoms.cell[0] + y * atoms.cell[1]) / 2
    atoms.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in atoms]))
    return atoms


TWO_HOPS = [adatom(), adatom(0.4), adatom(1.0, 0.1), adatom(1.0, 0.6), adatom(1.0, 1.0)]


class Counting(EMT):
    """EMT that counts, and fails from some calculation on."""

    def __init__(self, left: float = np.inf) -> None:
        super().__init__()
        self.left, self.done = left, 0

    def calculate(self, *args, **kwargs) -> None:
        self.done += 1
        if self.done > self.left:
            raise ModelError("no more")
        super().calculate(*args, **kwargs)


def test_each_part_is_a_band_between_states_at_rest(tmp_path: Path) -> None:
    band = run_divided(TWO_HOPS, EMT(), TWICE, tmp_path / "run")
    assert band.at_rest
    assert len(band.parts) == 2
    assert band.joints == [0, 4, 8]
    for one, other in pairwise(band.parts):
        assert np.abs(one.images[-1].positions - other.images[0].positions).max() < 1e-9
    for part in band.parts:
        assert barriers(part)["barrier_forward_eV"] == pytest.approx(HOP, abs=2e-3)
    assert barriers(band)["barrier_forward_eV"] == pytest.approx(HOP, abs=2e-3)
    assert len(band.images) == len(band.energies) == len(band.atomic_forces) == 9
    assert np.abs(band.atomic_forces[4, -1]).max() < 0.05  # the joint is at rest
    assert notes(band) == ["image 4 is a state at rest: the path is divided there"]
    assert [row[0] for row in rows(band)[3:]] == ["part 1, images 0 to 4 [eV]", "part 2, images 4 to 8 [eV]"]


def test_it_is_reported_as_one_path_and_kept(tmp_path: Path) -> None:
    run_divided(TWO_HOPS, EMT(), TWICE, tmp_path / "run")
    found = json.loads((tmp_path / "run" / "neb.json").read_text())
    assert [(part["first_image"], part["last_image"]) for part in found["parts"]] == [(0, 4), (4, 8)]
    assert all(part["at_rest"] for part in found["parts"])
    assert found["largest_force_eV_per_A"] == max(part["largest_force_eV_per_A"] for part in found["parts"])
    assert len(read(tmp_path / "run" / "path.extxyz", ":")) == 9
    again = Counting()
    run_divided(TWO_HOPS, again, TWICE, tmp_path / "run", resume=True)
    assert again.done == 0
    assert json.loads((tmp_path / "run" / "neb.json").read_text()) == found


def test_one_that_was_not_divided_is_divided_when_it_goes_on(tmp_path: Path) -> None:
    whole = run_neb(TWO_HOPS, EMT(), TWICE.model_copy(update={"divide": 0}), tmp_path / "run")
    assert any("lies in a minimum on the way" in note for note in notes(whole))
    assert len(run_divided(TWO_HOPS, EMT(), TWICE, tmp_path / "run", resume=True).parts) == 2


def test_a_path_without_a_minimum_stays_one(tmp_path: Path) -> None:
    band = run_divided([adatom(), adatom(1.0)], EMT(), TWICE, tmp_path / "run")
    assert band.parts == []
    assert not (tmp_path / "run" / "divided").exists()


def test_with_more_steps_the_whole_stays_where_it_was_divided(tmp_path: Path) -> None:
    few = TWICE.model_copy(update={"optimiser": "fire", "max_force": 0.02, "max_steps": 25})
    begun = run_divided(TWO_HOPS, EMT(), few, tmp_path / "run")
    assert begun.steps == 25  # not at rest; its parts are
    assert begun.at_rest
    again = Counting()
    band = run_divided(TWO_HOPS, again, few.model_copy(update={"max_steps": 200}), tmp_path / "run", resume=True)
    assert band.steps == 25
    assert again.done == 0


def test_a_part_that_fails_leaves_the_whole_and_is_tried_again(tmp_path: Path) -> None:
    whole = Counting()
    run_neb(TWO_HOPS, whole, TWICE, tmp_path / "run")
    band = run_divided(TWO_HOPS, Counting(left=30), TWICE, tmp_path / "run", resume=True)
    assert band.parts == []
    (said,) = (note for note in notes(band) if note.startswith("! the path is not divided"))
    assert said.startswith("! the path is not divided; part ")
    assert "no more" in said
    assert said in json.loads((tmp_path / "run" / "neb.json").read_text())["notes"]
    assert len(run_divided(TWO_HOPS, EMT(), TWICE, tmp_path / "run", resume=True).parts) == 2


def test_a_minimum_that_fails_first_is_a_state_later(tmp_path: Path) -> None:
    run_neb(TWO_HOPS, EMT(), TWICE, tmp_path / "run")
    band = run_divided(TWO_HOPS, Counting(left=0), TWICE, tmp_path / "run", resume=True)
    assert any("! the path is not divided; its minima: " in note for note in notes(band))
    assert len(run_divided(TWO_HOPS, EMT(), TWICE, tmp_path / "run", resume=True).parts) == 2


def test_parts_are_divided_again_and_numbered_along_the_path(tmp_path: Path) -> None:
    hops = [adatom(), adatom(0.5), adatom(1.0), adatom(1.0, 0.5), adatom(1.0, 1.0), adatom(1.5, 1.0), adatom(2.0, 1.0)]
    band = run_divided(hops, EMT(), NebConfig(images=3, divide=2), tmp_path / "run")
    assert [part.parts for part in band.parts] == [[], [], []]
    assert band.joints == [0, 4, 8, 12]
    assert all(part.at_rest for part in band.parts)


def test_a_way_that_comes_back_goes_on_from_there() -> None:
    ways = adatom(), adatom(1.0), adatom(0.5 * ONE_STATE / adatom().cell[0, 0]), adatom(1.0, 1.0)
    states: list[_State] = []
    same = [_append(states, _State(f"image {k}", k, atoms)) for k, atoms in enumerate(ways)]
    assert [state.image for state in states] == [0, 3]
    assert same == ["", "", "image 0", ""]


def test_a_minimum_that_is_the_start_again_is_no_state(tmp_path: Path) -> None:
    images = [adatom(), adatom(0.2), adatom(0.02), adatom(0.5), adatom(1.0)]
    energies, forces = np.array([0.0, 0.1, 0.0, HOP, 0.0]), np.zeros((5, len(images[0]), 3))
    band = Band(images, [HOP], [0.01], at_rest=True, energies=energies, atomic_forces=forces)
    assert any("image 2 lies in a minimum" in note for note in notes(band))
    (tmp_path / "run").mkdir()
    found = _divided(band, _Search(EMT(), TWICE, ""), tmp_path / "run", 1)
    assert found.parts == []
    assert notes(found) == ["image 2 relaxes to the state of start: the path is not divided there"]


def test_images_of_a_part_lie_evenly_on_the_way_that_was_found() -> None:
    way = [adatom(), adatom(0.6), adatom(0.8, 0.2), adatom(1.0, 1.0)]
    images = respaced(way, 5)
    assert len(images) == 7
    lengths = np.diff(distances(images))
    assert np.ptp(lengths[:2]) < 1e-9  # along the first straight line
    assert images[2].positions[-1] == pytest.approx(
        way[0].positions[-1] + 2 * lengths[0] * np.array([1, 0, 0]), abs=1e-9
    )
    assert respaced(way[:2], 5) == way[:2]


def test_a_free_cluster_that_is_turned_is_one_state() -> None:
    one = Atoms("Cu4", [(0, 0, 0), (2.5, 0, 0), (0, 2.5, 0), (0, 0, 2.5)])
    other = one.copy()
    other.rotate(40, (1, 1, 0))
    assert apart(one, other) < 1e-6


def test_the_command_divides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("path.traj", TWO_HOPS)
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    words = ["neb", "emt.yaml", "path.traj", "-o", "run", "--images", "3", "--divide", "1"]
    result = CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "part 2, images 4 to 8" in result.output
