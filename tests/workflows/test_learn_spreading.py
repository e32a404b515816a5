"""What a model says of many structures is the same in parts, by tasks of an executor, as at once."""

import pickle
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.kinds import check_kind
from unnp.data.worker_pool import Failure
from unnp.errors import ModelError
from unnp.executors.base import REGISTRY as EXECUTORS
from unnp.executors.base import Executor, Start
from unnp.executors.here import Here, HereConfig
from unnp.exported.loader import load_model
from unnp.workflows.learn.evaluation import combined, descriptors, errors_on
from unnp.workflows.learn.selectors.base import REGISTRY as SELECTORS
from unnp.workflows.learn.situation import Situation, Unlabelled
from unnp.workflows.learn.spreading import descriptors_at, errors_at


class Posted(Executor):
    """Computes what has been pickled, as what goes to another process is; the last item first, each failing once."""

    Config = Config

    def __init__(self) -> None:
        super().__init__(Config())
        self.tasks: list[int] = []
        self.failed: set[int] = set()

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        function = pickle.loads(pickle.dumps(start))()
        for k, item in reversed(pickle.loads(pickle.dumps(list(items)))):
            self.tasks.append(k)
            if k not in self.failed:
                self.failed.add(k)
                yield k, Failure("lost")
                continue
            try:
                yield k, function(item)
            except ModelError as error:
                yield k, Failure(str(error))


@pytest.fixture(scope="module")
def frames() -> list[Structure]:
    """Nine labelled structures of 8 to 32 atoms; the last one has no stress."""
    random, found = np.random.default_rng(0), []
    for k in range(9):
        atoms = bulk(("Al", "Ni")[k % 2], cubic=True) * (2, (1, 2)[k % 2], (1, 2)[k // 8])
        atoms.positions += 0.15 * random.standard_normal(atoms.positions.shape)
        atoms.calc = EMT()
        labels = {
            "energy": atoms.get_potential_energy(),
            "forces": atoms.get_forces(),
            "stress": atoms.get_stress(voigt=False),
        }
        if k == 8:
            del labels["stress"]
        found.append(Structure.from_atoms(atoms).with_labels(labels))
    return found


@pytest.fixture
def at(small_model: Path, tmp_path: Path, frames: list[Structure], monkeypatch: pytest.MonkeyPatch) -> Situation:
    monkeypatch.setattr("unnp.workflows.learn.spreading.ATOMS_OF_A_PART", 24)
    model = copy(small_model, tmp_path / "model.pt")  # its last layer is kept beside it
    return Situation(1, tmp_path, 7, Posted(), "cpu", model, frames[:3])


def test_errors_of_parts_are_those_of_the_whole(at: Situation, frames: list[Structure]) -> None:
    whole = errors_on(at.potential, frames)
    assert errors_at(at, frames) == pytest.approx(whole, rel=1e-6)
    assert whole.keys() == {f"{q}_{kind}" for q in ("energy", "forces", "stress") for kind in ("mae", "rmse")}
    n = len(set(at.executor.tasks))
    assert 3 < n < 9
    assert len(at.executor.tasks) == 2 * n  # each was lost once, and done again


def test_errors_are_averaged_over_labels_by_hand() -> None:
    parts = [{"energy": (1, 2.0, 4.0), "forces": (3, 1.0, 1.0)}, {"energy": (3, 6.0, 40.0)}]
    assert combined(parts) == pytest.approx(
        {"energy_mae": 5.0, "energy_rmse": 31**0.5, "forces_mae": 1.0, "forces_rmse": 1.0}
    )


def test_descriptors_keep_their_order(at: Situation, frames: list[Structure]) -> None:
    assert np.allclose(descriptors_at(at, frames), descriptors(at.potential, frames), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["deviation", "farthest", "forces", "grid", "last-layer", "rare"])
def test_choices_are_the_same_wherever_they_are_made(kind: str, at: Situation, frames: list[Structure]) -> None:
    settings = {"kind": kind, "most": 3, **({"sigmas": 0.5} if kind in ("deviation", "rare") else {})}
    settings |= {"over": "all"} if kind == "deviation" else {}
    selector, config = check_kind(SELECTORS, settings, "select")
    found = selector(config).select(Unlabelled(frames), at)
    expected = selector(config).select(Unlabelled(frames), replace(at, executor=Here(HereConfig())))
    assert [choice.index for choice in found] == [choice.index for choice in expected]
    assert [c.score for c in found] == pytest.approx([c.score for c in expected], rel=1e-3)
    assert at.executor.tasks


def test_what_the_model_cannot_say_is_said(at: Situation) -> None:
    copper = [Structure.from_atoms(bulk("Cu", cubic=True) * (2, 2, 2))] * 3
    with pytest.raises(ModelError, match="Cu"):
        descriptors_at(at, copper)


@pytest.mark.long
def test_processes_say_the_same(at: Situation, frames: list[Structure]) -> None:
    kind, config = check_kind(EXECUTORS, {"kind": "processes", "workers": 2}, "executor")
    found = errors_at(replace(at, executor=kind(config)), frames)
    assert found == pytest.approx(errors_on(load_model(at.model, "cpu"), frames), rel=1e-5)
