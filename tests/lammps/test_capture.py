"""Frames captured, and runs stopped, where the members of a committee disagree."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
import structures
from lammps_run import Run, read_dump, run_lammps, write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS, write_toy
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED

pytestmark = pytest.mark.long

SYMBOLS = " ".join(ELEMENTS)
STEPS, EVERY, APART, MOST = 20, 2, 4, 3
START = """
units metal
{before}
read_data a.data
"""
POTENTIAL = """
pair_style unnp {words}
pair_coeff * * {model} {symbols}
timestep 0.002
"""
MOTION = """
velocity all create 900 4711 loop geom
fix 1 all nve
"""
RUN = f"run {STEPS}\n"


def deck(model: Path, words: str, before: str = "", motion: str = MOTION, run: str = RUN) -> str:
    potential = POTENTIAL.format(words=words, model=model, symbols=SYMBOLS)
    return START.format(before=before) + potential + motion + run


def frames(path: Path) -> list[ase.Atoms]:
    return ase.io.read(path, index=":", format="extxyz")


def steps(path: Path) -> list[int]:
    return [frame.info["step"] for frame in frames(path)]


def expected_steps(largest: np.ndarray, threshold: float) -> list[int]:
    """Return which steps are captured of a run with these deviations at each step."""
    found: list[int] = []
    for step in range(0, len(largest), EVERY):
        if largest[step] >= threshold and len(found) < MOST and (not found or step - found[-1] >= APART):
            found.append(step)
    return found


@pytest.fixture(scope="module")
def largest(models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Return the largest deviation at each step, for a crystal and for a molecule that leaves most ranks empty."""
    found = {}
    for atoms in (structures.crystal, structures.molecule):
        folder = tmp_path_factory.mktemp(atoms.__name__)
        before = "boundary f f f" if atoms is structures.molecule else ""
        write_data(folder / "a.data", atoms(), ELEMENTS)
        run_lammps(folder, deck(models / "committee.pt", "deviation deviation.out 1", before))
        found[atoms.__name__] = np.loadtxt(folder / "deviation.out")[:, 1]
    return found


def middle(largest: np.ndarray) -> float:
    """Return a threshold that some looks are below and others are not, and none is close to."""
    looks = np.sort(largest[::EVERY])
    half = len(looks) // 2
    return float(looks[half - 1 : half + 1].mean())


@pytest.mark.parametrize(
    ("name", "ranks", "style", "before"),
    [
        ("crystal", 1, "", ""),
        ("crystal", 2, "", "newton off"),
        ("crystal", 4, "", ""),
        ("crystal", 2, "halo wide", ""),
        ("molecule", 1, "", "boundary f f f"),
        ("molecule", 4, "", "boundary f f f\nprocessors 4 1 1"),
    ],
)
def test_the_same_frames_are_captured_on_any_number_of_ranks(
    name: str, ranks: int, style: str, before: str, models: Path, largest: dict[str, np.ndarray], tmp_path: Path
) -> None:
    model, atoms = models / "committee.pt", getattr(structures, name)()
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    threshold = middle(largest[name])
    words = f"{style} capture c.extxyz {threshold:.12g} {EVERY} apart {APART} most {MOST}"
    run = run_lammps(tmp_path, deck(model, words, before), ranks)
    captured, expected = frames(tmp_path / "c.extxyz"), expected_steps(largest[name], threshold)
    assert expected
    assert expected != expected_steps(largest[name], 0.0)
    assert [frame.info["step"] for frame in captured] == expected
    assert f"{len(expected)} frames captured in c.extxyz" in run.output
    for frame in captured:
        assert (frame.pbc == atoms.pbc).all()
        assert (frame.symbols == atoms.symbols).all()
        np.testing.assert_allclose(frame.cell, atoms.cell, rtol=1e-10)
        members = np.stack([evaluate(model, frame, ELEMENTS, CUTOFF, member=k).forces for k in range(3)])
        mean = members.mean(0)
        spread = np.sqrt(((members - mean) ** 2).sum(2).mean(0))
        np.testing.assert_allclose(frame.arrays["unnp_force_deviation"], spread, rtol=1e-5, atol=1e-9)
        assert frame.info["unnp_max_force_deviation"] == pytest.approx(largest[name][frame.info["step"]], rel=1e-6)
        assert frame.info["unnp_max_force"] == pytest.approx(np.linalg.norm(mean, axis=1).max(), rel=1e-6)
        assert frame.info["unnp_lost_atoms"] == 0


def test_captured_frames_are_read_as_structures_without_labels(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.slab(), ELEMENTS)
    run_lammps(tmp_path, deck(models / "committee.pt", "capture c.extxyz 1e-6 10 apart 10", "boundary p p f"), 2)
    read = open_structures(tmp_path / "c.extxyz", UNLABELLED)
    assert len(read) == 3
    for structure in read:
        assert structure.energy is None
        assert structure.forces is None
        assert structure.pbc.tolist() == [True, True, False]


def test_the_threshold_is_of_calibrated_deviations(largest: dict[str, np.ndarray], tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    model = write_toy(tmp_path / "m.pt", n_members=3, deviation_scales={"forces": 4.0})
    threshold = middle(largest["crystal"])
    words = f"capture c.extxyz {4.0 * threshold:.12g} {EVERY} apart {APART} most {MOST}"
    run_lammps(tmp_path, deck(model, words), 2)
    assert steps(tmp_path / "c.extxyz") == expected_steps(largest["crystal"], threshold)


def test_a_run_goes_on_with_the_frames_before_its_restart_file(
    models: Path, largest: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    words = f"capture c.extxyz {largest['crystal'].min() / 2:.12g} {EVERY} apart {APART} most 6"
    model = models / "committee.pt"
    run_lammps(tmp_path, deck(model, words, run=f"restart 10 r.*\nrun {STEPS}\n"), 2)
    whole = (tmp_path / "c.extxyz").read_bytes()
    assert steps(tmp_path / "c.extxyz") == [0, 4, 8, 12, 16, 20]
    cut = whole[: -len(whole) // 12]  # in the middle of the last frame
    (tmp_path / "c.extxyz").write_bytes(cut)
    run = run_lammps(tmp_path, f"read_restart r.10\nfix 1 all nve\nrun {STEPS} upto\n", 2)
    assert "3 frames captured in c.extxyz, which holds 6 now, the most that were asked for" in run.output
    again, before = frames(tmp_path / "c.extxyz"), len(cut) // 6
    assert (tmp_path / "c.extxyz").read_bytes()[: 3 * before] == whole[: 3 * before]
    (tmp_path / "whole.extxyz").write_bytes(whole)
    for one, other in zip(again, frames(tmp_path / "whole.extxyz"), strict=True):
        assert one.info["step"] == other.info["step"]
        moved = (one.positions - other.positions) @ np.linalg.inv(
            one.cell.array
        )  # a restart puts all atoms into the box
        np.testing.assert_allclose(moved, np.round(moved), atol=1e-9)


def test_a_new_run_begins_its_file_anew(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    for _ in range(2):
        run_lammps(tmp_path, deck(models / "committee.pt", "capture c.extxyz 1e-6 10 apart 10"))
        assert steps(tmp_path / "c.extxyz") == [0, 10, 20]


def test_a_trial_move_is_neither_captured_nor_stops_the_run(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.molecule(), ELEMENTS)
    model, before = models / "committee.pt", "boundary f f f"
    swaps = "fix 2 all atom/swap 1 2 29494 10000 ke no types 1 2\ndump 1 all custom 1 t.dump id type x y z\n"
    motion = MOTION + swaps + "dump_modify 1 sort id format float %.17g\n"
    words = "deviation deviation.out 1 capture c.extxyz 1e-6 1 apart 1"
    run_lammps(tmp_path, deck(model, words, before, motion), 2)
    captured = frames(tmp_path / "c.extxyz")
    assert [frame.info["step"] for frame in captured] == list(range(STEPS + 1))
    last = read_dump(tmp_path / "t.dump").atoms(ELEMENTS)
    assert (captured[-1].symbols == last.symbols).all()
    np.testing.assert_allclose(captured[-1].positions, last.positions, atol=1e-8)
    assert any((a.numbers != b.numbers).any() for a, b in pairwise(captured))
    reached = np.loadtxt(tmp_path / "deviation.out")[:, 1]
    words = f"stop {reached.max() * (1 + 1e-9):.17g} 1"  # no step as it is reaches it; trials may
    assert "stopped at step" not in run_lammps(tmp_path, deck(model, words, before, motion), 2).output


STOPPED = RUN + 'print "went on"\nrun 5\nprint "step $(step)"\n'


@pytest.mark.parametrize(("name", "ranks"), [("crystal", 1), ("crystal", 2), ("molecule", 4)])
def test_a_run_stops_at_the_first_look_that_reaches_the_threshold(
    name: str, ranks: int, models: Path, largest: dict[str, np.ndarray], tmp_path: Path
) -> None:
    write_data(tmp_path / "a.data", getattr(structures, name)(), ELEMENTS)
    before = "boundary f f f\nprocessors 4 1 1" if name == "molecule" else ""
    threshold = float(np.sort(largest[name][::EVERY])[-3:-1].mean())
    step = int(EVERY * np.argmax(largest[name][::EVERY] >= threshold))
    words = f"stop {threshold:.12g} {EVERY}"
    run = run_lammps(tmp_path, deck(models / "committee.pt", words, before, run=STOPPED), ranks)
    assert f"pair_style unnp: stopped at step {step}: the deviation of a force, {largest[name][step]:.6g}" in run.output
    assert "went on" in run.output
    assert f"step {step}" in run.output.splitlines()


def test_one_of_several_partitions_stops_all(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    words = "stop ${threshold} 5"
    text = "variable threshold world 1e-6 1e6\n" + deck(models / "committee.pt", words, run="run 100000\n")
    run = run_lammps(tmp_path, text, 2, ("-partition", "2x1"), check=False, timeout=120)
    assert run.code != 0
    logs = "".join(path.read_text() for path in tmp_path.glob("log.lammps.*"))
    assert "stopped at step 0" in run.output + logs


def test_lost_atoms_are_counted(models: Path, tmp_path: Path) -> None:
    atoms = structures.molecule()
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    motion = "thermo_modify lost ignore\nneigh_modify every 1 delay 0 check no\nset atom 1 vx -600\nfix 1 all nve\n"
    words = "capture c.extxyz 1e-9 10 apart 10"
    run_lammps(tmp_path, deck(models / "committee.pt", words, "boundary f f f", motion), 2)
    captured = frames(tmp_path / "c.extxyz")
    assert [(frame.info["unnp_lost_atoms"], len(frame)) for frame in captured] == [(0, 5), (1, 4), (1, 4)]


def refused(folder: Path, text: str, ranks: int) -> Run:
    write_data(folder / "a.data", structures.crystal(), ELEMENTS)
    run = run_lammps(folder, text, ranks, check=False, timeout=120)
    assert run.code != 0
    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("capture c.extxyz 0 10", "FILE THRESHOLD EVERY with a threshold above 0"),
        ("capture c.extxyz -0.1 10", "with a threshold above 0"),
        ("capture c.extxyz nan 10", "with a threshold above 0"),
        ("capture c.extxyz 0.1 0", "FILE THRESHOLD EVERY with a whole number from 1"),
        ("capture c.extxyz 0.1", "the keyword 'capture' needs 3 values"),
        ("stop inf 10", "THRESHOLD EVERY with a threshold above 0"),
        ("stop 0.1 ten", "THRESHOLD EVERY with a whole number from 1"),
        ("apart 10", "give it after 'capture FILE THRESHOLD EVERY'"),
        ("capture c.extxyz 0.1 10 most 0", "FRAMES with a whole number from 1"),
        ("captur c.extxyz 0.1 10", "Did you mean 'capture'"),
        ("capture nowhere/c.extxyz 0.1 10", "cannot write the captured frames 'nowhere/c.extxyz'"),
        ("capture a.data 0.1 10", "it holds something else than captured frames; name another file"),
        ("capture /dev/full 1e-6 10", "cannot write the captured frames '/dev/full': No space left on device"),
    ],
)
def test_wrong_words_are_refused(words: str, message: str, models: Path, tmp_path: Path) -> None:
    run = refused(tmp_path, deck(models / "committee.pt", words), 2 if "cannot write" in message else 1)
    assert message in run.output
    assert (tmp_path / "a.data").read_text().startswith("structure of a test")


def test_a_model_without_deviation_or_an_atom_without_element_is_refused(models: Path, tmp_path: Path) -> None:
    for words in ("capture c.extxyz 0.1 10", "stop 0.1 10"):
        assert "deviation needs a committee" in refused(tmp_path, deck(models / "toy.pt", words), 2).output
    text = deck(models / "committee.pt", "capture c.extxyz 0.1 10").replace(SYMBOLS, "Ni Al NULL")
    assert "capture needs to know the element of every atom" in refused(tmp_path, text, 2).output
