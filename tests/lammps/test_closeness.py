"""Atoms that are closer than in the training data: said once in a run, at the step where it happens, and nothing otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import ase
import pytest
from lammps_run import Run, run_lammps, write_data
from toy_model import ELEMENTS, write_toy

DATA = {"shortest_distances": {"Al-Ni": 2.5, "Ni-Ni": 2.0, "Al-Al": "far"}}
WARNING = "closer than in any training structure"
# A nickel and an aluminium atom approach each other from 3.4 A with 1 A/ps; two nickel atoms are 2.1 A apart.
PAIRS = ase.Atoms("NiAlNiNi", [[1, 1, 1], [4.4, 1, 1], [12, 9, 9], [14.1, 9, 9]], cell=[20, 18, 18], pbc=True)
DECK = """
units metal
{before}
read_data a.data
pair_style {style}
pair_coeff * * {sub} m.pt {symbols}
velocity all set 0 0 0
{motion}
timestep 0.1
thermo 100
{runs}
"""
MOVE = "set atom 2 vx -1\nfix 1 all nve/limit 0.1\nfix 2 all setforce 0 0 0"


def approach(
    folder: Path,
    ranks: int = 1,
    data: object = DATA,
    runs: str = "run 12",
    style: str = "unnp",
    before: str = "",
    motion: str = MOVE,
) -> Run:
    write_toy(folder / "m.pt", data=data)
    write_data(folder / "a.data", PAIRS, ELEMENTS)
    sub = "unnp" if "hybrid" in style else ""
    symbols = " ".join(ELEMENTS)
    deck = DECK.format(before=before, style=style, sub=sub, symbols=symbols, motion=motion, runs=runs)
    return run_lammps(folder, deck, ranks)


def warnings(run: Run) -> list[str]:
    return [line for line in run.output.splitlines() if line.startswith("WARNING") and WARNING in line]


@pytest.mark.parametrize(
    ("ranks", "style", "before"),
    [
        (1, "unnp", ""),
        (2, "unnp", ""),
        (4, "unnp", "newton off"),
        (2, "unnp halo wide", ""),
        (2, "hybrid unnp", ""),
    ],
)
def test_the_first_step_with_atoms_too_close_is_said_once(ranks: int, style: str, before: str, tmp_path: Path) -> None:
    run = approach(tmp_path, ranks, style=style, before=before)
    (warning,) = warnings(run)
    # 3.4 A - 0.1 A for each step: 2.5 A, the shortest of the data within a thousandth, after 9 and 2.4 A after 10
    assert "at step 10 " in warning
    assert "Al-Ni 2.400 A, in the training data of this model 2.500 A" in warning.replace("Ni-Al", "Al-Ni")
    assert "`unnp info`" in warning
    (last,) = re.findall("closest atoms of this run: (.*)", run.output)
    assert last.replace("Ni-Al", "Al-Ni") == "Al-Ni 2.200 A, in the training data of this model 2.500 A"
    assert WARNING in (tmp_path / "log.lammps").read_text()


def test_each_run_has_its_own_warning(tmp_path: Path) -> None:
    run = approach(tmp_path, 2, runs="run 5\nrun 6\nrun 2\nfix 3 all setforce 0 0 0\nset atom 2 vx 1\nrun 4\nrun 1")
    assert [re.search(r"step (\d+)", line)[1] for line in warnings(run)] == ["10", "11", "13"]  # type: ignore[index]
    assert run.output.count("closest atoms of this run") == 3


@pytest.mark.parametrize("data", [{}, {"shortest_distances": {"Cu-Cu": 3.0}}, {"shortest_distances": [2.5]}])
def test_nothing_is_said_where_nothing_is_known(data: object, tmp_path: Path) -> None:
    run = approach(tmp_path, data=data)
    assert warnings(run) == []
    assert "closest atoms" not in run.output


def test_nothing_is_said_where_all_is_as_in_the_data(tmp_path: Path) -> None:
    run = approach(tmp_path, 2, motion="fix 1 all nve", runs="run 1")
    assert warnings(run) == []
    assert "closest atoms" not in run.output
