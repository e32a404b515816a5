"""The same on any number of ranks, also where one of them owns nothing, and with any pair style."""

from __future__ import annotations

from pathlib import Path

import ase
import numpy as np
import pytest
from lammps_run import Run, run_lammps
from momt_decks import aluminium, dump, eam, forces, head, read_log, report, thermo, write_structure

STEPS = 10
FOUR = ["sk", "q6", "wt", "empty_list", "empty_q6"]  # more ranks than cores are slow
LJ = "pair_style lj/cut 6.0\npair_coeff * * 0.2 2.6\n"
OVERLAY = eam().replace("eam/fs\n", "hybrid/overlay eam/fs zbl 2.0 3.0\n").replace("* * ", "* * eam/fs ")
OVERLAY += "pair_coeff * * zbl 13 13\n"
OPES, WT, WL = "opes observe 1", "wt sigma 0.03 height 0.02 gamma 40", "wl enthalpy {} {} 40 increment 0.1 bins 20"


def slab() -> ase.Atoms:
    """Return atoms in the lowest part of a box: of four ranks along z, some own none."""
    atoms = aluminium((2, 2, 2))
    atoms.cell[2, 2] = 50.0
    return atoms


SYSTEMS = {"crystal": lambda: aluminium((3, 3, 3)), "tilted": lambda: aluminium((2, 3, 3), tilt=True), "slab": slab}
CASES = {
    "sk": ("crystal", eam(), f"press 1000 order sk fcc 3 3 3 mode {OPES}", "nph aniso 1000 1000 0.5"),
    "q6": ("tilted", eam(), f"press 1000 order q6 3.0 4.2 mode {OPES}", "nph tri 1000 1000 0.5"),
    "wt": ("tilted", eam(), f"order q6 3.0 4.2 mode {WT}", "nve"),
    "wl": ("crystal", eam(), f"order sk fcc 3 3 3 mode {WL.format(-360, -300)}", "nve"),
    "empty_list": ("slab", eam(), f"order sk list 3 2 2 0 2 -2 0 2 0 1 mode {OPES}", "nve"),
    "empty_q6": ("slab", eam(), f"order q6 3.0 4.2 mode {OPES}", "nve"),
    "lj": ("crystal", LJ, f"order q6 3.0 4.2 mode {OPES}", "nve"),
    "overlay": ("crystal", OVERLAY, f"order sk fcc 3 3 3 mode {OPES}", "nve"),
    "newton_off": ("crystal", eam(), f"order q6 3.0 4.2 mode {OPES}", "nve"),
    "tiled": ("crystal", eam(), f"order q6 3.0 4.2 mode {OPES}", "nve"),
}


def _section(name: str, system: str, pair: str, words: str, box: str) -> str:
    before = "processors 1 1 *\n" if system == "slab" else ""
    before += "newton off\n" if name == "newton_off" else ""
    tiled = "comm_style tiled\nbalance 1.0 rcb\n" if name == "tiled" else ""
    return f"""clear
{head(f"{system}.data", before, pair)}{tiled}velocity all create 900 4711 loop all
timestep 0.002
fix momt all momt T0 900 temps 650 1400 8 {words} pace 2
fix box all {box}
{thermo(STEPS)}{dump(name + "_start")}run {STEPS}
{report(name)}{dump(name + "_end")}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Run]:
    """Run everything on 1, 2 and 4 ranks."""
    outcome = {}
    for ranks in (1, 2, 4):
        folder = tmp_path_factory.mktemp(f"ranks{ranks}")
        for name, atoms in SYSTEMS.items():
            write_structure(folder, atoms(), f"{name}.data")
        names = FOUR if ranks == 4 else list(CASES)
        deck = "".join(_section(name, *CASES[name]) for name in names)
        outcome[ranks] = run_lammps(folder, deck, ranks, timeout=120)
    return outcome


@pytest.mark.parametrize(("name", "ranks"), [(name, 2) for name in CASES] + [(name, 4) for name in FOUR])
def test_ranks_agree(name: str, ranks: int, runs: dict[int, Run]) -> None:
    for moment in ("start", "end"):
        one, many = (forces(runs[n], f"{name}_{moment}") for n in (1, ranks))
        np.testing.assert_allclose(many, one, rtol=0, atol=1e-10, err_msg=moment)
    np.testing.assert_allclose(runs[ranks].printed(name), runs[1].printed(name), rtol=1e-9, atol=1e-9)
    assert runs[1].printed(name)[15] >= STEPS // 2


def test_log_of_several_runs(tmp_path: Path) -> None:
    """Runs one after the other go on in one log; all ranks come through, though only one holds the file."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    fix = "fix momt all momt T0 900 temps 650 1400 8 order sk fcc 2 2 2 mode opes pace 2 log a.log 2\n"
    run_lammps(tmp_path, head() + fix + "fix box all nve\nrun 4\nrun 4\n", 2, timeout=60)
    rows = read_log(tmp_path / "a.log")[1]
    assert np.unique(rows[:, 0]).tolist() == [0, 2, 4, 6, 8]
    assert rows[-1, 8] == 4


def test_thermo_energy_and_modify(tmp_path: Path) -> None:
    """`pe` stays that of the atoms; with `fix_modify energy yes` it holds Vb too."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    start = "velocity all create 900 4711\ntimestep 0.002\n"
    fix = (
        "fix momt all momt T0 900 temps 650 1400 8 order sk fcc 2 2 2 mode wt sigma 0.03 height 0.05 gamma 40 pace 1\n"
    )
    deck = head() + start + fix + "fix box all nve\n" + thermo(1) + f"run {STEPS}\n" + report("biased")
    deck += "fix_modify momt energy yes freeze yes\n" + "run 0\n" + report("added")
    deck += "unfix momt\nthermo_style custom step pe\nrun 0\n" + 'print "plain: $(pe:%.17g)"\n'
    run = run_lammps(tmp_path, deck, timeout=60)
    plain, biased, added = run.printed("plain")[0], run.printed("biased"), run.printed("added")
    assert abs(added[8]) > 0.01
    assert biased[0] == pytest.approx(plain, abs=1e-9)
    assert added[0] == pytest.approx(plain + added[8], abs=1e-9)
