"""What a loop takes of a run of dynamics that was stopped and went on."""

from pathlib import Path

from ase.build import bulk
from unnp.atoms.structure import Structure
from unnp.workflows.learn.proposers.exploring import without_repeats
from unnp.workflows.learn.proposers.md import Md


def test_the_frame_of_a_restart_is_taken_once(tmp_path: Path) -> None:
    names = ["trajectory.extxyz", "trajectory.1.extxyz", "trajectory.2.extxyz", "trajectory.10.extxyz"]
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [path.name for path in Md.files(None, tmp_path)] == names  # type: ignore[arg-type]
    frames = [Structure.from_atoms(bulk("Al", cubic=True, a=a)) for a in (4.0, 4.1, 4.1 + 1e-8, 4.2, 4.0)]
    assert [id(frame) for frame in without_repeats(frames)] == [id(frames[k]) for k in (0, 1, 3, 4)]
