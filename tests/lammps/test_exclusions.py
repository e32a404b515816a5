"""Atoms that LAMMPS excludes from all others count as deleted; exclusions that hide single bonds are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structures
from lammps_run import Run, measure, read_dump, run_lammps, write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS
from trial_moves import start, write_molecules

GONE = [7, 8, 20, 41, 100]  # two of them neighbours
TAKEN_AWAY = {
    "group": "group gone id 7 8 20 41 100\nneigh_modify exclude group gone all\n",
    "group_behind": "group gone id 7 8 20 41 100\nneigh_modify exclude group all gone\n",
    "types": "group four id 7 8 20 41 100\nset group four type 4\nneigh_modify exclude type 4 1 exclude type 4 2 "
    "exclude type 3 4 exclude type 4 4\n",
}
HYBRID = "pair_style hybrid/overlay unnp zero 5.0\npair_coeff * * unnp {model} Ni Al Cu Al\npair_coeff * * zero\n"


def write_crystal(folder: Path) -> None:
    """Write 108 atoms with a fourth type in the box, and a type for each atom of `GONE`."""
    write_data(folder / "a.data", structures.crystal(), [*ELEMENTS, "X"])


def section(name: str, commands: str, model: Path, style: str) -> str:
    pair = HYBRID.format(model=model) if style == "hybrid" else ""
    deck = start(model, style="" if style == "hybrid" else style).replace("Ni Al Cu\n", "Ni Al Cu Al\n")
    return deck + pair + commands + measure(name)


@pytest.fixture(scope="module", params=[1, 2, 4], ids="{}ranks".format)
def run(request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("exclusions")
    write_crystal(folder)
    deck = "".join(
        section(f"{name}_{style.replace(' ', '_')}", commands, models / "toy.pt", style)
        for name, commands in TAKEN_AWAY.items()
        for style in ("halo exchange", "halo wide", "hybrid")
    )
    deck += section("newton", TAKEN_AWAY["group"], models / "toy.pt", "").replace("units", "newton off\nunits")
    everything = "neigh_modify exclude group all all\nrun 0\n"
    deck += start(models / "toy.pt").replace("Ni Al Cu\n", "Ni Al Cu Al\n") + everything
    return run_lammps(folder, deck + 'print "nothing: $(pe:%.17g)"\n', request.param)


@pytest.mark.parametrize("style", ["halo_exchange", "halo_wide", "hybrid"])
@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_excluded_is_deleted(name: str, style: str, run: Run, models: Path) -> None:
    check_deleted(f"{name}_{style}", run, models)


def test_excluded_is_deleted_with_newton_off(run: Run, models: Path) -> None:
    check_deleted("newton", run, models)


def check_deleted(name: str, run: Run, models: Path) -> None:
    dump = read_dump(run.folder / f"{name}.dump")
    gone = np.isin(dump["id"], GONE)
    atoms = dump.atoms([*ELEMENTS, "Al"])[~gone]
    expected = evaluate(models / "toy.pt", atoms, ELEMENTS, CUTOFF)
    assert run.printed(name)[0] == pytest.approx(expected.energy, abs=1e-10)
    np.testing.assert_allclose(dump.forces[~gone], expected.forces, atol=1e-10)
    np.testing.assert_allclose(dump.atom_energy[~gone], expected.atom_energy, atol=1e-10)
    np.testing.assert_allclose(dump.centroid_virial[~gone], expected.atom_virial, atol=1e-10)
    assert not dump.atom_energy[gone].any()
    assert not dump.forces[gone].any()
    assert not dump.atom_virial[gone].any()


def test_everything_excluded(run: Run) -> None:
    assert run.printed("nothing") == 0.0


def test_lone_atom_keeps_its_energy(models: Path, tmp_path: Path) -> None:
    """Without neighbours, but not excluded: it is there."""
    atoms = structures.lone_atom()
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    deck = start(models / "toy.pt") + "group five id 1:5\nneigh_modify exclude group five all\nrun 0\n"
    run = run_lammps(tmp_path, deck + 'print "lone: $(pe:%.17g)"\n', 2)
    expected = evaluate(models / "toy.pt", atoms[5:], ELEMENTS, CUTOFF).energy
    assert run.printed("lone")[0] == pytest.approx(expected, abs=1e-12)


def test_deviation_without_the_excluded(models: Path, tmp_path: Path) -> None:
    write_crystal(tmp_path)
    deck = start(models / "committee.pt", style="deviation deviation.out 1").replace("Ni Al Cu\n", "Ni Al Cu Al\n")
    run_lammps(tmp_path, deck + TAKEN_AWAY["group"] + "run 0\n", 2)
    atoms = structures.crystal()
    del atoms[[i - 1 for i in GONE]]
    members = [evaluate(models / "committee.pt", atoms, ELEMENTS, CUTOFF, member=k) for k in range(3)]
    forces = np.stack([m.forces for m in members])
    spread = np.sqrt(((forces - forces.mean(0)) ** 2).sum(2).mean(0))
    expected = [spread.max(), spread.min(), spread.mean(), np.std([m.energy for m in members]) / len(atoms)]
    np.testing.assert_allclose(np.loadtxt(tmp_path / "deviation.out")[1:], expected, rtol=1e-8)


HALF = "region half block INF INF INF INF INF 5\ngroup frozen region half\n"
HIDING = {
    "group": HALF + "neigh_modify exclude group frozen frozen\nrun 0\n",
    "two_groups": HALF + "group free subtract all frozen\nneigh_modify exclude group free frozen\nrun 0\n",
    "type": "neigh_modify exclude type 1 2\nrun 0\n",
    "molecule/intra": "neigh_modify exclude molecule/intra all\nrun 0\n",
    "molecule/inter": "neigh_modify exclude molecule/inter all\nrun 0\n",
    "between_runs": HALF + "run 1\nneigh_modify exclude group frozen frozen\nrun 1\n",
    "in_a_run": "set type 1 type 2\nneigh_modify exclude type 1 1 every 1 delay 0 check no\n"
    'fix 1 all nve\nrun 4 every 2 "set atom 1*20 type 1"\n',
    "minimize": HALF + "neigh_modify exclude group frozen frozen\nminimize 0 1e-3 3 3\n",
    "include": HALF + "atom_modify first frozen\nneigh_modify include frozen\nrun 0\n",
    "hybrid": "pair_style hybrid unnp lj/cut 5.0\npair_coeff * * unnp {model} Ni Al NULL\n"
    "pair_coeff * 3 lj/cut 0.0 2.3\nneigh_modify exclude type 1 1\nrun 0\n",
}


@pytest.mark.parametrize("name", HIDING)
def test_hidden_bonds_are_refused(name: str, models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    deck = start(models / "toy.pt")
    if "molecule" in name:
        deck = deck.replace("read_data", "atom_style molecular\nread_data")
        write_molecules(tmp_path / "a.data", structures.crystal(), [k % 9 for k in range(108)])
    run = run_lammps(tmp_path, deck + HIDING[name].format(model=models / "toy.pt"), 2, check=False, timeout=60)
    assert run.code != 0
    assert "hides bonds of atoms of the model" in run.output, run.output[-1500:]
    assert "fix setforce" in run.output


ALLOWED = """
pair_style hybrid unnp lj/cut 5.0
pair_coeff * * unnp {model} Ni Al NULL
pair_coeff * 3 lj/cut 0.02 2.3
group wall type 3
neigh_modify exclude group wall wall exclude type 3 3 exclude type 1 3
run 1
print "allowed: $(pe:%.17g)"
"""


def test_exclusions_of_other_styles_are_theirs(models: Path, tmp_path: Path) -> None:
    """Atoms that are NULL to the model may be excluded as one likes."""
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    run = run_lammps(tmp_path, start(models / "toy.pt") + ALLOWED.format(model=models / "toy.pt"), 2)
    assert np.isfinite(run.printed("allowed")).all()


def test_frozen_atoms_by_setforce(models: Path, tmp_path: Path) -> None:
    """The way that works: the forces on free atoms are those of the whole."""
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    commands = HALF + "fix hold frozen setforce 0 0 0\n" + measure("held")
    run = run_lammps(tmp_path, start(models / "toy.pt") + commands, 2)
    dump = read_dump(run.folder / "held.dump")
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    free = dump["z"] > 5
    np.testing.assert_allclose(dump.forces[free], expected.forces[free], atol=1e-10)
