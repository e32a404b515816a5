"""What is proposed to be learnt: structures of files, of dynamics with the current model, with other elements."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from proposals import HOT, needs_lammps, proposer, second_round
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.generation.resumable import STOPPED
from unnp.data.labellers import build_labeller
from unnp.data.limits import FrameLimits
from unnp.derivatives import predict
from unnp.errors import ConfigError, DataError
from unnp.executors.here import Here, HereConfig
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.workflows.learn.candidates import KNOWN, Candidates
from unnp.workflows.learn.proposers.base import REGISTRY, Proposer
from unnp.workflows.learn.situation import Situation

COPPER, NICKEL = 3.61**3 / 4, 3.52**3 / 4
"""Volumes per atom of the crystals in ASE [A^3]."""


@pytest.fixture
def at(tmp_path: Path, small_model: Path) -> Situation:
    return second_round(tmp_path, small_model)


def symbols(structures: Any) -> list[str]:
    return [structure.to_atoms().get_chemical_formula() for structure in structures]


def test_all_kinds_are_found() -> None:
    assert REGISTRY.names() == ["captured", "exchange", "generate", "md", "momt", "pool"]
    assert [name for name in REGISTRY.names() if not REGISTRY.get(name).computes] == ["pool"]


def test_exchanged_elements_take_their_volume(at: Situation, tmp_path: Path) -> None:
    write(tmp_path / "ni.extxyz", bulk("Ni", cubic=True, a=3.6))
    settings = {"kind": "exchange", "data": ["ni.extxyz"], "elements": ["Ni", "Cu"], "count": 2}
    found = proposer(tmp_path, **settings).propose(at)
    assert symbols(found) == ["Cu4", "Cu4"]
    assert found[0].cell[0, 0] == pytest.approx(3.6 * (COPPER / NICKEL) ** (1 / 3))
    assert found[0].positions[1] == pytest.approx(found[0].cell.T @ [0, 0.5, 0.5])
    given = proposer(tmp_path, **settings, volumes={"Cu": 8 * NICKEL}).propose(
        Situation(2, tmp_path / "two", 7, at.executor)
    )
    assert given[0].cell[0, 0] == pytest.approx(7.2)


def test_single_atoms_are_exchanged_in_what_was_learnt(at: Situation, tmp_path: Path) -> None:
    found = proposer(tmp_path, kind="exchange", exchange="atoms", elements=["Al", "Ni"], count=3).propose(at)
    assert all({13, 28} == set(structure.numbers) for structure in found)
    assert all(structure.energy is None for structure in found)


@needs_lammps
def test_melts_are_moved_by_the_model_and_kept(at: Situation, tmp_path: Path) -> None:
    bases = {"al": {"symbols": "Al", "prototype": "fcc", "a": 4.05}}
    samples = [
        {"kind": "strained", "count": 2},
        {
            "kind": "dynamics",
            "repeat": [2, 2, 2],
            "temperatures": [900],
            "snapshots": 2,
            "equilibration": 0.05,
            "interval": 0.02,
        },
    ]
    found = proposer(tmp_path, kind="generate", bases=bases, samples=samples).propose(at)
    assert [structure.group for structure in found] == ["strained", "strained", "dynamics", "dynamics"]
    assert np.abs(found[3].positions - found[2].positions).max() > 1e-3
    again = proposer(tmp_path, kind="generate", bases=bases, samples=samples).propose(at)
    assert [s.positions.tolist() for s in again] == [s.positions.tolist() for s in found]


ONLY_COPPER = {"kind": "lammps", "elements": ["Cu"], "pair_coeff": ["1 1 29 29"]}
MIXTURE = {
    "kind": "mixture",
    "elements": ["Cu", "W"],
    "count": 2,
    "elements_per_cell": [2, 2],
    "atoms": [10, 20],
    "melting": 0.02,
    "cooling": 0.01,
    "snapshots": 1,
    "cooled_snapshots": 1,
}


@needs_lammps
def test_mixtures_begin_with_the_repulsion_of_nuclei_alone(tmp_path: Path) -> None:
    """What moves the atoms is the ZBL of this package, with the same cutoffs: another code than that of LAMMPS."""
    waiting = proposer(tmp_path, kind="generate", samples=[MIXTURE])
    first = proposer(tmp_path, kind="generate", samples=[MIXTURE], first="zbl")
    assert (waiting.needs_model, first.needs_model) == (True, False)
    found = first.propose(Situation(0, tmp_path / "0", 7, Here(HereConfig())))
    assert [structure.group for structure in found][1::2] == ["cooled", "cooled"]
    assert len(found) == 4
    settings = first._calculator(None)
    assert settings["elements"] == ["Cu", "W"]
    labelled = build_labeller(settings, tmp_path).label(found[0])
    inner, outer = map(float, settings["pair_style"].split()[1:])
    potential = build_potential(
        PotentialConfig(architecture="zbl", settings={"inner": inner, "outer": outer}),
        settings["elements"],
        [Head(1.0, {"Cu": 0.0, "W": 0.0})],
        TrainingData(20.0),
    )
    graph = Graph.of(found[0], Elements(settings["elements"]), outer)
    assert labelled.energy is not None
    assert labelled.energy > 0.1
    assert predict(potential, graph).energy.item() == pytest.approx(labelled.energy, rel=1e-4)


def test_samples_that_move_no_atoms_need_nothing_to_move_them(tmp_path: Path) -> None:
    bases = {"al": {"symbols": "Al", "prototype": "fcc", "a": 4.05}}
    still = proposer(tmp_path, kind="generate", bases=bases, samples=[{"kind": "rattled", "count": 1}])
    hot = {"kind": "melt", "temperatures": [900]}
    moved = proposer(tmp_path, kind="generate", bases=bases, samples=[hot], first="zbl")
    assert still._calculator(None) is None
    assert moved._calculator(None)["pair_coeff"] == ["1 1 13 13"]
    emt = {"kind": "ase", "name": "emt"}
    assert proposer(tmp_path, kind="generate", samples=[MIXTURE], first=emt)._calculator(None) == emt


def test_a_recipe_is_read_once_before_there_is_a_calculator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(content: Any, kind: Any, where: str) -> Any:
        read.append(where)
        return from_dict(content, kind, where)

    monkeypatch.setattr("unnp.workflows.learn.proposers.generate.from_dict", reading)
    melts = proposer(tmp_path, kind="generate", samples=[MIXTURE], first="zbl")
    assert melts._calculator(None)["elements"] == ["Cu", "W"]
    assert read == ["recipe"]


def test_what_is_learnt_is_exchanged_once_there_is_something(tmp_path: Path) -> None:
    settings = {"kind": "exchange", "elements": ["Ni", "Cu"], "count": 2}
    assert proposer(tmp_path, **settings).needs_model
    assert not proposer(tmp_path, **settings, data=["ni.extxyz"]).needs_model


def test_crystals_need_no_model(tmp_path: Path) -> None:
    bases = {"al": {"symbols": "Al", "prototype": "fcc", "a": 4.05}}
    rattled = proposer(tmp_path, kind="generate", bases=bases, samples=[{"kind": "rattled", "count": 2}])
    assert not rattled.needs_model
    first = rattled.propose(Situation(0, tmp_path / "0", 7, Here(HereConfig())))
    second = rattled.propose(Situation(1, tmp_path / "1", 7, Here(HereConfig())))
    assert len(first) == len(second) == 2
    assert np.abs(first[0].positions - second[0].positions).max() > 1e-3


@needs_lammps
def test_frames_of_dynamics_are_proposed_without_the_labels_of_the_model(at: Situation, tmp_path: Path) -> None:
    run = {
        "structure": {"element": "Al", "a": 4.05, "repeat": [2, 2, 2]},
        "temperature": 300,
        "steps": 40,
        "dump": {"every": 10},
        "device": "cpu",
    }
    found = proposer(tmp_path, kind="md", runs=[run], frames=3).propose(at)
    assert symbols(found) == ["Al32"] * 3
    assert all(structure.energy is None and structure.forces is None for structure in found)
    assert np.abs(found[2].positions - found[0].positions).max() > 1e-3
    assert (at.folder / "proposals/this/run-0.out").is_file()


@needs_lammps
@pytest.mark.long
def test_frames_of_momt_are_proposed_as_many_as_are_wanted(at: Situation, tmp_path: Path) -> None:
    run = {
        "structure": {"element": "Ni", "lattice": "fcc", "a": 3.52, "repeat": [2, 2, 2]},
        "order": {"kind": "none"},
        "temperatures": [200, 400],
        "walkers": 1,
        "pace": 1,
        "stages": {
            "observe": 0.2,
            "adapt": {"min": 0.4, "max": 0.4},
            "production": {"min": 0.4, "max": 0.4},
            "chunk": 0.4,
        },
        "frames": {"wanted": 5},
        "device": "cpu",
    }
    nickel = replace(at, model=Path(__file__).parents[2] / "models/teanet-mlearn-Ni/model.pt", learnt=[])
    runs = proposer(tmp_path, kind="momt", runs=[run])
    found = runs.propose(nickel)
    assert symbols(found) == ["Ni32"] * 5
    assert all(structure.energy is None and structure.forces is None for structure in found)
    assert len({structure.positions.tobytes() for structure in found}) == 5
    assert runs.left_out(nickel) == {}


@needs_lammps
def test_a_run_that_fails_costs_its_own_frames_alone(
    at: Situation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {
        "structure": {"element": "Al", "a": 4.05, "repeat": [2, 2, 2]},
        "temperature": 300,
        "steps": 10,
        "dump": {"every": 10},
    }
    bad = {**good, "structure": {"element": "Cu", "repeat": [2, 2, 2]}}
    runs = proposer(tmp_path, kind="md", runs=[bad, good])
    assert symbols(runs.propose(at)) == ["Al32"] * 2
    assert "run-0 ended early" in capsys.readouterr().out
    found = Candidates.of([runs], at, [], FrameLimits())
    assert found.left_out == {STOPPED: 1}
    assert found.ended_early.keys() == {"this"}
    assert found.ended_early["this"].startswith("run-0: ")
    assert "Cu" in found.ended_early["this"]


@needs_lammps
def test_runs_of_which_none_leaves_a_frame_are_an_error_and_are_asked_again(at: Situation, tmp_path: Path) -> None:
    strange = {"structure": {"element": "Cu", "repeat": [2, 2, 2]}, "temperature": 300, "steps": 10}
    runs = proposer(tmp_path, kind="md", runs=[strange, strange])
    for _ in range(2):
        with pytest.raises(
            DataError, match=r"propose\.this: no run has left a frame; 2 ended early, the first: run-.*Cu"
        ):
            runs.propose(at)


def test_melts_of_which_none_leaves_a_frame_are_an_error_and_are_tried_again(tmp_path: Path) -> None:
    first, emt = Situation(0, tmp_path / "0", 7, Here(HereConfig())), {"kind": "ase", "name": "emt"}
    heavy = proposer(tmp_path, kind="generate", samples=[{**MIXTURE, "elements": ["Mo", "W"]}], first=emt)
    with pytest.raises(DataError, match=r"no run has left a frame; 2 ended early, the first: .*emt failed"):
        heavy.propose(first)
    assert not (heavy.folder(first) / "dynamics.jsonl").exists()


def test_known_doubled_and_unphysical_structures_are_left_out_and_counted(at: Situation, tmp_path: Path) -> None:
    frames = [bulk("Al", cubic=True, a=a) for a in (4.0, 4.0, 4.1, 4.2)]
    write(tmp_path / "pool.extxyz", frames)
    close = Atoms("Al2", positions=[[0, 0, 0], [0, 0, 0.5]], cell=[9, 9, 9], pbc=True)
    pool = proposer(tmp_path, kind="pool", data=["pool.extxyz"])
    taken = [Structure.from_atoms(frames[2])]

    class Given(Proposer):
        """Proposes what it is given."""

        def propose(self, at: Situation) -> list[Structure]:
            return [Structure.from_atoms(close), Structure.from_atoms(frames[3])]

    found = Candidates.of([pool, Given(None, tmp_path, "given")], at, taken, FrameLimits())
    assert found.proposers == ["this", "this"]
    assert found.counts == {"this": 4, "given": 2}
    assert found.left_out == {KNOWN: 3, "atoms too close": 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "md", "runs": []}, "at least 1 item"),
        (
            {"kind": "md", "runs": [{"structure": {"element": "Al"}, "temperature": 300}]},
            r"runs\.0.*steps: Field required",
        ),
        ({"kind": "md", "runs": [{**HOT, "capture": None}], "take": "captured"}, r"runs\.0 has no `capture`"),
        (
            {"kind": "md", "runs": [{**HOT, "structure": {"file": "nowhere.xyz"}}]},
            r"propose\.this: runs\.0\.structure\.file: .*nowhere\.xyz does not exist",
        ),
        ({"kind": "captured", "data": ["nowhere"]}, "nowhere does not exist; name a file of captured frames"),
        ({"kind": "momt", "runs": [{"structure": {"element": "Al"}}]}, r"runs\.0.*temperatures: Field required"),
        ({"kind": "generate", "samples": [{"kind": "rattled", "count": 1}]}, "rattled needs a crystal"),
        ({"kind": "generate", "samples": [{"kind": "ratled", "count": 1}]}, "unknown kind 'ratled'"),
        ({"kind": "generate", "samples": [{**MIXTURE, "elements": ["Cu", "Xx"]}]}, "Xx"),
        ({"kind": "generate", "samples": [MIXTURE], "first": {"kind": "ase", "nme": "emt"}}, "nme"),
        (
            {"kind": "generate", "samples": [MIXTURE], "first": {**ONLY_COPPER, "pair_style": "zbl 3 4"}},
            r"calculator\.elements has no W",
        ),
        (
            {
                "kind": "generate",
                "bases": {"al": {"file": "al.xyz"}},
                "samples": [{"kind": "melt", "temperatures": [900]}],
                "first": "zbl",
            },
            "needs to know the elements",
        ),
        ({"kind": "exchange", "elements": ["Al", "Xx"], "count": 1}, "Xx"),
        ({"kind": "exchange", "elements": ["Al"], "count": 1}, "at least 2 items"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        proposer(tmp_path, **settings)
