"""What people do with a pair style: after any of it, LAMMPS still gives what plain Python gives for the final state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import pytest
import structures
from lammps_run import Run, measure, read_dump, run_lammps, write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS

HEAT = "velocity all create 600 4711\ntimestep 0.001\n"
RELAX = "min_modify dmax 0.05\n"


@dataclass(frozen=True)
class Usage:
    """A system and commands; {style}, {coeff} stand for the pair commands, {model} for the file."""

    structure: Callable[[], ase.Atoms]
    commands: str
    before: str = ""
    pair: str = "{style}{coeff}"


USAGES = {
    "minimize": Usage(structures.crystal, RELAX + "minimize 0 1e-4 15 40\n"),
    "nve": Usage(structures.crystal, HEAT + "fix 1 all nve\nrun_style verlet\nrun 10 post no\n"),
    "npt": Usage(structures.crystal, HEAT + "fix 1 all npt temp 600 600 0.1 aniso 0 0 1\nrun 15 post no\n"),
    "npt_tri": Usage(structures.tilted, HEAT + "fix 1 all npt temp 600 600 0.1 tri 0 0 1\nrun 15 post no\n"),
    "nph": Usage(structures.crystal, HEAT + "fix 1 all nph iso 0 0 1\nrun 15 post no\n"),
    "box_relax": Usage(structures.crystal, RELAX + "fix 1 all box/relax iso 0 vmax 0.002\nminimize 0 1e-4 10 30\n"),
    "deposit": Usage(
        structures.slab,
        HEAT
        + "region top block 0 8 0 8 13 15\n"
        + "fix 1 all deposit 4 2 4 9991 region top near 1.5 vz -5 -5\nfix 2 all nve\nrun 20 post no\n",
    ),
    "evaporate": Usage(
        structures.slab,
        HEAT
        + "region all block INF INF INF INF INF INF\nfix 1 all evaporate 5 4 all 991\nfix 2 all nve\nrun 20 post no\n",
    ),
    "atom_swap": Usage(
        structures.crystal, HEAT + "fix 1 all atom/swap 1 5 123 3000.0 types 1 2\nfix 2 all nve\nrun 6 post no\n"
    ),
    "edited": Usage(
        structures.slab,
        "run 0 post no\nset atom 1*9 type 3\nrun 0 post no\ngroup gone id 10:12\ndelete_atoms group gone\n"
        "replicate 2 1 1\nrun 0 post no\n",
    ),
    "balanced_on_the_fly": Usage(
        structures.slab, HEAT + "fix 1 all nve\nfix 2 all balance 5 1.0 shift xyz 5 1.01\nrun 12 post no\n"
    ),
    "tiled_on_the_fly": Usage(
        structures.tilted,
        "comm_style tiled\n" + HEAT + "fix 1 all nve\nfix 2 all balance 5 1.0 rcb\nrun 12 post no\n",
    ),
    "rebuilt_every_step": Usage(structures.crystal, "neigh_modify every 1 delay 0 check no\nrun 3 post no\n"),
    "restart": Usage(
        structures.crystal, "run 0 post no\nwrite_restart crystal.restart\nclear\nread_restart crystal.restart\n"
    ),
    "restart_hybrid": Usage(
        structures.crystal,
        "run 0 post no\nwrite_restart hybrid.restart\nclear\nread_restart hybrid.restart\n"
        "pair_coeff * * unnp {model} {symbols}\npair_coeff * * zero\n",
        pair="pair_style hybrid/overlay unnp dtype float64 zero 5.0\npair_coeff * * unnp {model} {symbols}\n"
        "pair_coeff * * zero\n",
    ),
    "changed_style": Usage(
        structures.crystal, "run 0 post no\npair_style zero 3.0\npair_coeff * *\nrun 0 post no\n{style}{coeff}"
    ),
    "hybrid_alone": Usage(
        structures.slab,
        HEAT + "fix 1 all nve\nrun 5 post no\n",
        pair="pair_style hybrid unnp\npair_coeff * * unnp {model} {symbols}\n",
    ),
}


def section(name: str, usage: Usage, models: Path) -> str:
    """Return the commands of one usage."""
    boundary = " ".join("p" if p else "f" for p in usage.structure().pbc)
    words = {"model": str(models / "toy.pt"), "symbols": " ".join(ELEMENTS)}
    words |= {"style": "pair_style unnp\n", "coeff": "pair_coeff * * {model} {symbols}\n".format(**words)}
    return f"""
clear
units metal
boundary {boundary}
atom_modify map yes
{usage.before}read_data {name}.data
{usage.pair.format(**words)}{usage.commands.format(**words)}{measure(name)}"""


SLOW = pytest.mark.slow


@pytest.fixture(
    scope="module", params=[2, pytest.param(1, marks=SLOW), pytest.param(4, marks=SLOW)], ids="{}ranks".format
)
def run(request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run all usages in one LAMMPS."""
    folder = tmp_path_factory.mktemp(f"commands{request.param}")
    for name, usage in USAGES.items():
        write_data(folder / f"{name}.data", usage.structure(), ELEMENTS)
    deck = "".join(section(name, usage, models) for name, usage in USAGES.items())
    return run_lammps(folder, deck, request.param)


@pytest.mark.parametrize("name", USAGES)
def test_final_state(name: str, run: Run, models: Path) -> None:
    dump = read_dump(run.folder / f"{name}.dump")
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    assert run.printed(name)[0] == pytest.approx(expected.energy, rel=1e-10)
    np.testing.assert_allclose(dump.forces, expected.forces, atol=1e-10)
    np.testing.assert_allclose(dump.atom_energy, expected.atom_energy, atol=1e-10)


def test_usages_did_something(run: Run) -> None:
    """The commands above had the effect they are here for."""
    n = {name: len(read_dump(run.folder / f"{name}.dump")["id"]) for name in ("deposit", "evaporate", "edited")}
    assert n["deposit"] > 27
    assert n["evaporate"] < 27
    assert n["edited"] == 48
    types = read_dump(run.folder / "atom_swap.dump")["type"]
    assert not np.array_equal(types, np.arange(108) % 3 + 1)


def test_rerun(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    start = f"""
units metal
read_data a.data
pair_style unnp
pair_coeff * * {models / "toy.pt"} {" ".join(ELEMENTS)}
"""
    deck = f"""{start}{HEAT}fix 1 all nve
dump 1 all custom 5 t.dump id type x y z
dump_modify 1 format float %.17g
run 10
print "run: $(pe:%.17g)"
clear
{start}thermo_style custom step pe
rerun t.dump dump x y z
print "rerun: $(pe:%.17g)"
"""
    run = run_lammps(tmp_path, deck, 2)
    assert run.printed("rerun")[0] == pytest.approx(run.printed("run")[0], rel=1e-11)


def test_same_trajectory_on_any_number_of_ranks(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    deck = f"""
units metal
atom_modify map yes
read_data a.data
pair_style unnp
pair_coeff * * {models / "toy.pt"} {" ".join(ELEMENTS)}
velocity all create 600 4711 loop all
fix 1 all nve
run 20
print "end: $(pe:%.17g) $(ke:%.17g) $(pxy:%.17g)"
"""
    ends = [run_lammps(tmp_path / str(n), deck.replace("a.data", "../a.data"), n).printed("end") for n in (1, 4)]
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-9)


def test_neb_over_partitions(models: Path, tmp_path: Path) -> None:
    """Each replica is a LAMMPS of its own, here with one rank each."""
    atoms = structures.crystal()
    del atoms[0]
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    target = atoms.positions[0] + [0.3, 0.2, 0.1]
    (tmp_path / "final.txt").write_text(f"1\n1 {target[0]} {target[1]} {target[2]}\n")
    deck = f"""
units metal
atom_modify map array sort 0 0.0
read_data a.data
pair_style unnp
pair_coeff * * {models / "toy.pt"} {" ".join(ELEMENTS)}
timestep 0.005
fix 1 all neb 1.0
min_style quickmin
neb 0.0 0.01 5 5 5 final final.txt
"""
    run = run_lammps(tmp_path, deck, 4, arguments=("-partition", "4x1"))
    last = (tmp_path / "log.lammps").read_text().strip().splitlines()[-1].split()
    assert np.isfinite([float(word) for word in last]).all(), run.output[-2000:]
