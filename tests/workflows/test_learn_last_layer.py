"""A loop of one member: its last layer says the deviations by which runs capture frames and selectors choose."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from learn_runs import config, settings, write_files
from proposals import needs_lammps
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config.kinds import check_kind
from unnp.data.store import Store
from unnp.evaluate.calibration import VANISHING
from unnp.evaluate.last_layer import load_last_layer
from unnp.executors.here import Here, HereConfig
from unnp.lammps.captured import read_captured
from unnp.train.structures import sources_of_run
from unnp.workflows.learn import last_layer
from unnp.workflows.learn.last_layer import RAW, last_layer_at, last_layer_file
from unnp.workflows.learn.proposers.base import REGISTRY
from unnp.workflows.learn.run import run_learning
from unnp.workflows.learn.situation import Situation

CRYSTAL = {"element": "Al", "a": 4.05, "repeat": [2, 2, 2]}
CAPTURING = {
    "structure": CRYSTAL,
    "temperature": 900,
    "steps": 20,
    "dump": None,
    "capture": {"threshold": 1e-9, "every": 2, "apart": 4, "most": 4},
    "device": "cpu",
}
LOOP: dict[str, Any] = {
    "propose": {"hot": {"kind": "md", "take": "captured", "runs": [CAPTURING]}},
    "start": {"data": ["pool.extxyz"]},
    "select": {"kind": "last-layer", "most": 2},
    "label": {"kind": "ase", "name": "emt"},
    "train": {**settings()["train"], "epochs": 1},
    "members": 1,
    "judge": {"new": {"kind": "new"}},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    run_learning(config(**LOOP, stop={"rounds": 0}), folder, folder / "loop")
    return folder


@pytest.fixture
def folder(files: Path, tmp_path: Path) -> Path:
    """A loop whose first model is learnt."""
    return Path(shutil.copytree(files / "loop", tmp_path / "loop"))


@pytest.fixture
def at(folder: Path) -> Situation:
    """The round after it."""
    first = folder / "round-000"
    learnt = Store(first / "labelled")
    return Situation(1, folder / "round-001", 7, Here(HereConfig()), "cpu", first / "model.pt", learnt)


def test_it_is_fitted_to_what_was_trained_on_and_calibrated_on_what_was_held_back(at: Situation) -> None:
    """C and the factor of forces by hand: sqrt(mean of error^2 / (x^T C^-1 x / 3)) over the components held back."""
    found = load_last_layer(last_layer_file(at))
    sources = sources_of_run(at.folder.parent / "round-000/members/member-0")
    assert (len(sources.train), len(sources.validation)) == (14, 6)
    rows = np.concatenate([features(at, structure) for structure in sources.train])
    sums = rows.T @ rows
    expected = sums + 1e-6 * np.diagonal(sums).mean() * np.eye(len(sums))
    np.testing.assert_allclose((found.factor @ found.factor.T).numpy(), expected, rtol=1e-6)
    ratios = []
    for structure in sources.validation:
        forces = at.potential.predict(graph(at, structure)).forces.numpy()
        rigidity = np.einsum("ij,jk,ik->i", x := features(at, structure), np.linalg.inv(expected), x)
        moves = np.linalg.norm(forces, axis=1) > VANISHING
        ratios.append((np.square(forces - structure.forces) / (rigidity[:, None] / 3))[moves].ravel())
    assert found.scales["forces"] == pytest.approx(np.sqrt(np.mean(np.concatenate(ratios))), rel=1e-4)


def graph(at: Situation, structure: Structure) -> Graph:
    return Graph.of(structure, at.potential.elements, at.potential.cutoff).to(at.potential.device, at.potential.dtype)


def features(at: Situation, structure: Structure) -> np.ndarray:
    return at.potential.features(graph(at, structure)).double().numpy()


def test_it_is_fitted_once_and_again_for_other_weights(
    at: Situation, write_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = []
    fit = last_layer.plain_last_layer
    monkeypatch.setattr(last_layer, "plain_last_layer", lambda *given: fitted.append(1) or fit(*given))
    first = last_layer_at(at)
    assert last_layer_file(replace(at)) == at.folder.parent / "round-000/model.safetensors"
    assert len(fitted) == 1
    write_model(at.model)
    again = replace(at)
    again_found = last_layer_at(again)
    again_found.check(again.potential)
    assert len(fitted) == 2
    assert again_found.weights != first.weights


def test_the_last_layer_of_a_committee_is_of_all_that_is_learnt(small_model: Path, at: Situation) -> None:
    learnt = [Structure.from_atoms(bulk("Al", cubic=True, a=a)) for a in (3.9, 4.1)]
    shutil.copy(small_model, at.folder.parent / "committee.pt")
    of_three = replace(at, model=at.folder.parent / "committee.pt", learnt=learnt)
    rows = np.concatenate([features(of_three, structure) for structure in learnt])
    found = last_layer_at(of_three)
    assert found.scales == {"energy": 1.0, "forces": 1.0}
    assert np.trace((found.factor @ found.factor.T).numpy()) == pytest.approx(np.square(rows).sum(), rel=1e-4)


def test_too_few_labels_held_back_are_said(
    at: Situation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = sources_of_run(at.folder.parent / "round-000/members/member-0")
    perfect = [
        Structure.from_atoms(bulk("Al", cubic=True)).with_labels({"energy": 0.0, "forces": np.zeros((4, 3))})
    ] * 2
    monkeypatch.setattr(last_layer, "sources_of_run", lambda *_: replace(few, validation=perfect))
    found = last_layer_at(at)
    assert found.scales == {"energy": 1.0, "forces": 1.0}
    printed = capsys.readouterr().out
    assert "model.pt is not calibrated: a calibration needs at least 10 labels" in printed
    assert RAW in printed


def test_it_is_given_to_the_runs_that_look_at_deviations_alone(at: Situation, tmp_path: Path) -> None:
    momt = {"structure": CRYSTAL, "temperatures": [600, 900], "order": {"kind": "none"}}
    kinds = {"md": {**CAPTURING, "capture": None}, "momt": momt}
    for kind, calm in kinds.items():
        stopping = {**calm, "stop": {"threshold": 1.0}}
        proposer, own = check_kind(REGISTRY, {"kind": kind, "runs": [calm, stopping]}, "propose.this")
        runs: Any = proposer(own, tmp_path, "this")
        calm_run, stopping_run = (runs._config_at(k, at, seed=1).potential for k in (0, 1))
        assert (calm_run.model, calm_run.last_layer) == (at.model, None)
        assert stopping_run.last_layer == at.folder.parent / "round-000/model.safetensors"


@needs_lammps
def test_frames_that_a_single_member_captures_are_learnt_in_the_next_round(files: Path, folder: Path) -> None:
    (_, row) = run_learning(config(**LOOP, stop={"rounds": 1}), files, folder, resume=True)["rounds"]
    assert (row["proposed"], row["new"]) == ({"hot": 4}, 2)
    run = folder / "round-001/proposals/hot/run-0"
    assert "of the last layer, model.safetensors" in (run / "log.lammps").read_text()
    captured = list(read_captured(run / "captured.kept.extxyz"))
    assert [frame.step for frame in captured] == [0, 4, 8, 12]  # a last layer is sure of no frame
    model = Situation(1, folder / "round-001", 7, Here(HereConfig()), "cpu", folder / "round-000/model.pt")
    layer = load_last_layer(folder / "round-000/model.safetensors")
    for frame in captured:
        expected = layer.deviation(model.potential, graph(model, frame.structure)).force_deviation
        assert frame.deviation == pytest.approx(float(expected.max()), rel=1e-3)
    learnt = Store(folder / "round-001/labelled")
    assert {len(structure) for structure in learnt} == {32}
    positions = [frame.structure.positions for frame in captured]
    for structure in learnt:
        assert min(np.abs(structure.positions - other).max() for other in positions) < 1e-6
    assert all(structure.energy is not None for structure in learnt)
