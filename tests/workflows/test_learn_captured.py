"""Frames that a run kept because its committee disagreed are proposed to be learnt."""

from pathlib import Path

import numpy as np
import pytest
from proposals import HOT, needs_lammps, proposer, second_round
from unnp.config import from_dict
from unnp.lammps.captured import read_captured
from unnp.workflows.learn.candidates import Candidates
from unnp.workflows.learn.situation import Situation
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.run import run_md


@pytest.fixture
def at(tmp_path: Path, small_model: Path) -> Situation:
    return second_round(tmp_path, small_model)


@needs_lammps
def test_frames_that_a_run_captured_are_proposed(at: Situation, tmp_path: Path) -> None:
    """A committee of random weights disagrees everywhere but in the perfect crystal, so at steps 2, 6, 10 and 14."""
    both = proposer(tmp_path, kind="md", runs=[HOT], take="both", frames=2).propose(at)
    assert [structure.source.split()[-1] for structure in both][2:] == ["2", "6", "10", "14"]
    alone = proposer(tmp_path, kind="md", runs=[HOT], take="captured")
    later = Situation(1, tmp_path / "again", 7, at.executor, "cpu", at.model, at.learnt)
    found = alone.propose(later)
    assert [s.positions.tolist() for s in found] == [s.positions.tolist() for s in list(both)[2:]]
    assert all(structure.energy is None and structure.forces is None for structure in found)
    certain = {**HOT, "capture": {**HOT["capture"], "threshold": 1e9}}
    never = Situation(1, tmp_path / "never", 7, at.executor, "cpu", at.model, at.learnt)
    assert len(proposer(tmp_path, kind="md", runs=[certain], take="captured").propose(never)) == 0


@needs_lammps
def test_captured_frames_that_a_run_sorts_out_are_counted(at: Situation, tmp_path: Path) -> None:
    strict = {**HOT, "capture": {**HOT["capture"], "limits": {"shortest": 2.0}}}
    runs = proposer(tmp_path, kind="md", runs=[strict], take="captured")
    assert Candidates.of([runs], at, [], None).left_out == {"atoms too close": 4}
    evenly = proposer(tmp_path, kind="md", runs=[strict])
    later = Situation(1, tmp_path / "again", 7, at.executor, "cpu", at.model, at.learnt)
    assert Candidates.of([evenly], later, [], None).left_out == {}


@needs_lammps
def test_captured_frames_of_an_earlier_run_are_proposed_loudest_first(
    at: Situation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = from_dict({**HOT, "potential": {"model": str(at.model)}}, MdConfig)
    run_md(config, tmp_path, tmp_path / "run")
    deviations = [frame.deviation for frame in read_captured(tmp_path / "run/captured.extxyz")]
    loudest = sorted(range(4), key=lambda k: -deviations[k])
    earlier = proposer(tmp_path, kind="captured", data=["run"])
    assert not earlier.needs_model
    found = earlier.propose(Situation(0, tmp_path / "0", 7, at.executor))
    assert [structure.source.split()[-1] for structure in found] == [str(2 + 4 * k) for k in loudest]
    threshold = float(np.mean(sorted(deviations)[2:]))
    (first,) = proposer(tmp_path, kind="captured", data=["run/captured.extxyz"], above=threshold).propose(
        Situation(0, tmp_path / "1", 7, at.executor)
    )
    assert first.positions.tolist() == found[0].positions.tolist()
    assert "frames captured: 1, left out: 0" in capsys.readouterr().out
    with (tmp_path / "run/captured.extxyz").open("a") as file:
        file.write((tmp_path / "run/captured.extxyz").read_text().replace("unnp_lost_atoms=0", "unnp_lost_atoms=1"))
    again = proposer(tmp_path, kind="captured", data=["run/captured.extxyz"]).propose(
        Situation(0, tmp_path / "2", 7, at.executor)
    )
    assert len(again) == 4
    assert "frames captured: 8, left out: 4 (lost atoms: 4)" in capsys.readouterr().out
    assert earlier.left_out(Situation(0, tmp_path / "2", 7, at.executor)) == {"lost atoms": 4}
    (tmp_path / "new").mkdir()
    new = proposer(tmp_path, kind="captured", data=["new"])
    assert new.propose(Situation(0, tmp_path / "3", 7, at.executor)) == []
    assert "new holds no captured frames; its run needs `capture`" in capsys.readouterr().out
    text = (tmp_path / "run/captured.extxyz").read_text()
    cut_in_the_second = text[: len(text) // 8 + 30]  # of a run that goes on
    (tmp_path / "new/captured.extxyz").write_text(cut_in_the_second)
    (first,) = new.propose(Situation(0, tmp_path / "4", 7, at.executor))
    expected = next(read_captured(tmp_path / "run/captured.extxyz")).structure
    assert first.positions.tolist() == expected.positions.tolist()
