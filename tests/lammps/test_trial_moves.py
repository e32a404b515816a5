"""Fixes of LAMMPS that try moves and compare energies: the numbers that follow are those of statistical mechanics."""

from __future__ import annotations

import math
from pathlib import Path

import ase
import numpy as np
import pytest
import structures
from lammps_run import read_dump, run_lammps, write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS
from trial_moves import BOLTZMANN, energy, ideal_gas_mu, lone_energy, start, write_molecules

pytestmark = pytest.mark.long

T = 1000.0
KT = BOLTZMANN * T
EDGE, WANTED = 120.0, 12.0  # of a gas: [A], atoms
BAR = 1.6021765e6  # nktv2p


def dilute() -> ase.Atoms:
    """One Al far from everything, and room for more."""
    return ase.Atoms("Al", [[5.0, 5, 5]], cell=[EDGE] * 3, pbc=True)


def gas_words(model: Path, kind: str) -> str:
    """Return how fix gcmc is told of a gas of `WANTED` atoms: the energy of an atom by itself belongs to mu."""
    lone = lone_energy(model, "Al")
    if kind == "mu":
        return f"{ideal_gas_mu(WANTED, EDGE**3, T) + lone:.12g} 0.5"
    pressure = WANTED * KT / EDGE**3 * BAR
    return f"0.0 0.5 pressure {pressure:.12g} fugacity_coeff {math.exp(lone / KT):.12g}"


@pytest.mark.parametrize(("kind", "ranks"), [("mu", 1), pytest.param("mu", 2, marks=pytest.mark.slow), ("pressure", 1)])
def test_gcmc_of_an_ideal_gas(kind: str, ranks: int, models: Path, tmp_path: Path) -> None:
    """Insertions and deletions together: with a wrong energy of deleted atoms the box empties or fills."""
    write_data(tmp_path / "a.data", dilute(), ELEMENTS)
    deck = (
        start(models / "toy.pt")
        + f"fix g all gcmc 1 20 0 2 29494 {T} {gas_words(models / 'toy.pt', kind)} full_energy\n"
        + "run 10 post no\nvariable n equal atoms\nfix mean all ave/time 1 70 80 v_n ave one\n"
        + 'run 70 post no\nprint "gas: $(f_mean) $(f_g[6]/f_g[5])"\n'
    )
    run = run_lammps(tmp_path, deck, ranks)
    mean, deletions = run.printed("gas")
    assert mean == pytest.approx(WANTED, abs=3.0)
    assert deletions > 0.5


@pytest.mark.parametrize("ranks", [1, 2])
def test_gcmc_deletes_and_moves_atoms_of_a_crystal(ranks: int, models: Path, tmp_path: Path) -> None:
    """Without the keyword full_energy: LAMMPS takes it by itself. The end is what plain Python says of it."""
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    mu = lone_energy(models / "toy.pt", "Al") - 1.0
    deck = (
        start(models / "toy.pt")
        + f"fix g all gcmc 1 6 6 2 29494 3000 {mu:.6g} 0.1\nrun 6 post no\nunfix g\nthermo_style custom step pe\n"
        + "dump 1 all custom 1 end.dump id type x y z fx fy fz\ndump_modify 1 sort id format float %.17g\n"
        + 'run 0 post no\nprint "end: $(pe:%.17g) $(atoms)"\n'
    )
    run = run_lammps(tmp_path, deck, ranks)
    dump = read_dump(tmp_path / "end.dump")
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    assert "using full_energy option" in run.output
    assert run.printed("end")[1] != 108
    assert run.printed("end")[0] == pytest.approx(expected.energy, rel=1e-10)
    np.testing.assert_allclose(dump.forces, expected.forces, atol=1e-9)


@pytest.mark.parametrize("ranks", [1, 2])
def test_widom_insertion(ranks: int, models: Path, tmp_path: Path) -> None:
    """At one place, so that the mean is one number: exp(-[E(N + 1) - E(N)] / kT)."""
    atoms = structures.molecule()
    atoms.pbc = True
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    place = np.array([4.5, 1.5, 4.2])
    low, high = place - 1e-9, place + 1e-9
    block = " ".join(f"{a:.12g} {b:.12g}" for a, b in zip(low, high, strict=True))
    deck = start(models / "toy.pt") + f"region here block {block}\nfix w all widom 1 2 2 29494 {T} region here\nrun 1\n"
    run = run_lammps(tmp_path, deck + 'print "widom: $(f_w[1]:%.12g) $(f_w[2]:%.12g)"\n', ranks)
    more = atoms + ase.Atoms("Al", [place])
    difference = energy(models / "toy.pt", more) - energy(models / "toy.pt", atoms)
    assert run.printed("widom")[0] == pytest.approx(difference, abs=1e-6)
    assert run.printed("widom")[1] == pytest.approx(math.exp(-difference / KT), rel=1e-4)


def swapped(atoms: ase.Atoms, i: int, j: int) -> ase.Atoms:
    """Return a copy with two atoms' elements exchanged."""
    atoms = atoms.copy()
    symbols = atoms.get_chemical_symbols()
    symbols[i], symbols[j] = symbols[j], symbols[i]
    atoms.symbols = symbols
    return atoms


SWAPS = {
    "atom/swap": "group two id 1 2\nfix s two atom/swap 1 800 123 {t:.12g} ke no types 1 2\n",
    "mol/swap": "group two id 1 2\nfix s two mol/swap 1 800 1 2 123 {t:.12g} ke no\n",
}


@pytest.mark.parametrize(("fix", "ranks"), [("atom/swap", 2), ("mol/swap", 1)])
def test_swaps_follow_the_difference_of_energies(fix: str, ranks: int, models: Path, tmp_path: Path) -> None:
    """Two states, here kT apart, by Metropolis: 2 p / (1 + p) of all trials are accepted, with p = 1/e."""
    atoms = structures.pair_cell().repeat((2, 1, 1))
    atoms.positions += np.random.default_rng(5).normal(0, 0.15, atoms.positions.shape)
    difference = energy(models / "toy.pt", swapped(atoms, 0, 1)) - energy(models / "toy.pt", atoms)
    write_molecules(tmp_path / "a.data", atoms, [1] * len(atoms))
    deck = start(models / "toy.pt", before="atom_style molecular\n")
    deck += SWAPS[fix].format(t=abs(difference) / BOLTZMANN) + "run 1\n"
    run = run_lammps(tmp_path, deck + 'print "swaps: $(f_s[1]) $(f_s[2])"\n', ranks)
    tried, accepted = run.printed("swaps")
    p = math.exp(-1)
    assert accepted / tried == pytest.approx(2 * p / (1 + p), abs=0.08)


def test_sgcmc(models: Path, tmp_path: Path) -> None:
    """On one rank it works; on several its trial moves would mix, and it is refused."""
    atoms = structures.large_crystal()
    atoms.symbols = ["Ni"] * len(atoms)
    write_data(tmp_path / "a.data", atoms, ELEMENTS)
    deck = (
        start(models / "toy.pt")
        + f"fix s all sgcmc 1 0.1 {T} -9.0 -9.0 randseed 3\nrun 1 post no\nunfix s\nthermo_style custom step pe\n"
        + "dump 1 all custom 1 end.dump id type x y z fx fy fz\ndump_modify 1 sort id format float %.17g\n"
        + 'run 0 post no\nprint "end: $(pe:%.17g)"\n'
    )
    run = run_lammps(tmp_path, deck, 1)
    dump = read_dump(tmp_path / "end.dump")
    assert len(set(dump["type"])) > 1
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    assert run.printed("end")[0] == pytest.approx(expected.energy, rel=1e-10)
    refused = run_lammps(tmp_path, deck, 2, check=False, timeout=60)
    assert refused.code != 0
    assert "fix sgcmc compares total energies" in refused.output


def test_deviation_is_that_of_the_step_and_not_of_a_trial(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    deck = (
        start(models / "committee.pt", style="deviation deviation.out 2")
        + "fix s all atom/swap 1 3 123 300 ke no types 1 2\ndump 1 all custom 2 t.dump id type x y z fx fy fz\n"
        + "dump_modify 1 sort id format float %.17g\nrun 4\n"
    )
    run_lammps(tmp_path, deck, 2)
    table = np.loadtxt(tmp_path / "deviation.out")
    assert table[:, 0].tolist() == [0, 2, 4]
    atoms = read_dump(tmp_path / "t.dump").atoms(ELEMENTS)
    members = [evaluate(models / "committee.pt", atoms, ELEMENTS, CUTOFF, member=k) for k in range(3)]
    assert table[-1, 4] == pytest.approx(np.std([m.energy for m in members]) / len(atoms), rel=1e-8)


def test_types_that_become_known_to_the_model(models: Path, tmp_path: Path) -> None:
    """An atom that turns from NULL into an element, or back, has no right list of neighbours."""
    write_molecules(tmp_path / "a.data", structures.crystal(), [k % 9 + 1 for k in range(108)])
    deck = (
        start(models / "toy.pt", before="atom_style molecular\n")
        + f"pair_style hybrid unnp lj/cut 3.9\npair_coeff * * unnp {models / 'toy.pt'} Ni Al NULL\n"
        + "pair_coeff * 3 lj/cut 0.02 2.3\nset type 1 type 2\nfix s all mol/swap 1 20 1 3 123 9000 ke no\nrun 2\n"
    )
    run = run_lammps(tmp_path, deck, 1, check=False, timeout=60)
    assert run.code != 0
    assert "one that pair_coeff maps to NULL, and the neighbour list was not rebuilt" in run.output
