"""Barriers against plain ASE and against symmetry; bands that are stopped and go on; what goes wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixedLine
from ase.io import read, write
from ase.mep import NEB
from ase.optimize import BFGS
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.path import band_of, doubts
from unnp.workflows.neb.report import barriers, notes
from unnp.workflows.neb.run import run_neb
from unnp.workflows.relaxation import kept

QUICK = NebConfig(images=3)


def adatom(shift: float = 0.0) -> Atoms:
    """Return gold on Al(100), in a hollow, or shifted along x [nearest neighbours]."""
    atoms = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(atoms, "Au", 1.7, "hollow")
    atoms.center(axis=2, vacuum=4.0)
    atoms.positions[-1, 0] += shift * atoms.cell[0, 0] / 2
    atoms.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in atoms]))
    return atoms


def energy_at_rest(atoms: Atoms, *further) -> float:
    atoms.set_constraint([*atoms.constraints, *further])
    atoms.calc = EMT()
    assert BFGS(atoms, logfile=None).run(fmax=0.005, steps=300)
    return float(atoms.get_potential_energy())


@pytest.fixture(scope="module")
def bridge() -> float:
    """Return the barrier [eV]: by symmetry the saddle is above the bridge, with the adatom held on the line upwards."""
    saddle = adatom(0.5)
    return energy_at_rest(saddle, FixedLine(len(saddle) - 1, (0, 0, 1))) - energy_at_rest(adatom())


@pytest.fixture
def files(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("start.traj", adatom())
    write("end.traj", adatom(1.0))
    write("path.traj", [adatom(), adatom(0.3), adatom(0.6), adatom(1.0)])
    write("bulk.traj", bulk("Al", cubic=True))
    swapped = adatom(1.0)
    swapped.numbers = swapped.numbers[::-1]
    write("swapped.traj", swapped)
    loose = adatom(1.0)
    loose.set_constraint()
    write("loose.traj", loose)
    wide = adatom(1.0)
    wide.set_cell(wide.cell * 1.01)
    write("wide.traj", wide)
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    return tmp_path


def cli(*words: str) -> str:
    result = CliRunner().invoke(build_app(), ["neb", "emt.yaml", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


class Counting(EMT):
    """EMT that counts, and is stopped, as by Ctrl-C, after some calculations."""

    def __init__(self, left: float = np.inf) -> None:
        super().__init__()
        self.left, self.done = left, 0

    def calculate(self, *args, **kwargs) -> None:
        if self.done >= self.left:
            raise KeyboardInterrupt
        self.done += 1
        super().calculate(*args, **kwargs)


def test_the_barrier_is_that_of_the_saddle_which_symmetry_gives(bridge: float, tmp_path: Path) -> None:
    band = run_neb([adatom(), adatom(1.0)], EMT(), QUICK, tmp_path / "run")
    found = barriers(band)
    assert band.at_rest
    assert band.climbing
    assert found["barrier_forward_eV"] == pytest.approx(bridge, abs=1e-3)
    assert found["barrier_back_eV"] == pytest.approx(bridge, abs=1e-3)
    assert found["barrier_forward_eV"] == pytest.approx(0.374, abs=1e-3)  # the number of the page
    assert found["reaction_energy_eV"] == pytest.approx(0, abs=1e-3)
    assert notes(band) == []


def test_the_band_is_that_of_plain_ase(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"climb": False, "images": 2, "interpolation": "linear"})
    band = run_neb([adatom(), adatom(1.0)], EMT(), settings, tmp_path / "run")
    ends = [adatom(), adatom(1.0)]
    for end in ends:
        end.calc = EMT()
        BFGS(end, logfile=None).run(fmax=settings.max_force)
    images = [ends[0], ends[0].copy(), ends[0].copy(), ends[1]]
    for image in images[1:-1]:
        image.calc = EMT()
    neb = NEB(images, k=settings.spring, method="improvedtangent")
    neb.interpolate(mic=True)
    BFGS(neb, logfile=None).run(fmax=settings.max_force)
    assert band.energies == pytest.approx([image.get_potential_energy() for image in images], abs=1e-8)


def test_files_and_figures_of_a_path_that_is_given(files: Path) -> None:
    out = cli("path.traj", "-o", "run")
    found = json.loads(Path("run/neb.json").read_text())
    assert f"{found['barrier_forward_eV']:.4f}" in out
    images = read("run/path.extxyz", ":")
    table = list(csv.DictReader(Path("run/neb.csv").read_text().splitlines()))
    assert len(images) == len(table) == 4
    energies = [atoms.get_potential_energy() for atoms in images]
    assert max(energies) - energies[0] == pytest.approx(found["barrier_forward_eV"])
    assert [float(row["energy_eV"]) for row in table] == pytest.approx(np.array(energies) - energies[0])
    steps = list(csv.DictReader(Path("run/convergence.csv").read_text().splitlines()))
    assert len(steps) == found["steps"] + 1
    assert float(steps[-1]["barrier_eV"]) == pytest.approx(found["barrier_forward_eV"])
    for name in ("path", "convergence"):
        assert Path(f"run/{name}.png").stat().st_size > 10_000
        assert Path(f"run/{name}.csv").is_file()


def test_a_run_that_was_stopped_goes_on(bridge: float, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "SECONDS_BETWEEN", 0)
    whole = Counting()
    run_neb([adatom(), adatom(1.0)], whole, QUICK, tmp_path / "whole")
    stopped = Counting(int(0.8 * whole.done))
    with pytest.raises(KeyboardInterrupt):
        run_neb([adatom(), adatom(1.0)], stopped, QUICK, tmp_path / "run")
    rest = Counting()
    band = run_neb([adatom(), adatom(1.0)], rest, QUICK, tmp_path / "run", resume=True)
    assert band.at_rest
    assert rest.done < 0.7 * whole.done
    assert len(band.barriers) == len(band.forces) == band.steps + 1
    assert barriers(band)["barrier_forward_eV"] == pytest.approx(bridge, abs=2e-3)


def test_a_band_that_is_not_at_rest_is_said_and_goes_further(files: Path) -> None:
    path = read("path.traj", ":")
    for end in (path[0], path[-1]):
        energy_at_rest(end)
    write("rest.traj", path)
    few = ["rest.traj", "-o", "run", "--no-relax-ends", "--max-steps"]
    assert "not at rest after 1 steps" in cli(*few, "1")
    assert "not at rest" not in cli(*few, "200", "--resume")
    assert json.loads(Path("run/neb.json").read_text())["at_rest"]


def test_ends_that_are_no_minima_are_said(files: Path) -> None:
    """Off the hollow by a tenth of the way, a force is left; at rest there is none to speak of."""
    write("off.traj", adatom(0.1))
    rest = adatom(1.0)
    energy_at_rest(rest)
    write("rest.traj", rest)
    out = " ".join(cli("off.traj", "rest.traj", "-o", "run", "--no-relax-ends", "--images", "1").split())
    given = adatom(0.1)
    given.calc = EMT()
    force = np.linalg.norm(given.get_forces(), axis=1).max()
    said = f"! the start of the path is no minimum: forces up to {force:.3g} eV/A, above 0.05"
    assert said in out
    assert "the end of the path is no minimum" not in out
    assert said in json.loads(Path("run/neb.json").read_text())["notes"][0]


def test_like_atoms_that_are_exchanged_are_said(files: Path) -> None:
    """Two atoms of the uppermost layer have each other's places: the path turns them round each other."""
    mixed = adatom(1.0)
    mixed.positions[[8, 11]] = mixed.positions[[11, 8]]
    write("mixed.traj", mixed)
    out = " ".join(cli("start.traj", "mixed.traj", "-o", "run", "--no-relax-ends", "--max-steps", "0").split())
    assert "! Al 8, Al 11 (counted from 0) may be exchanged in the end: their way there is 5.73 A, and 0.00 A" in out
    assert "may be exchanged" in json.loads(Path("run/neb.json").read_text())["notes"][0]
    assert doubts([adatom(), adatom(0.5), mixed])[0].count("in structure 2 of the path") == 1


def test_paths_that_are_meant_are_not_doubted() -> None:
    """A hop, across a boundary too, a dumbbell that turns, and an atom that pushes another into its own hollow."""
    for k in range(3):
        assert doubts([adatom(k), adatom(k + 1.0)]) == []
    assert doubts([dumbbell(0), dumbbell(1)]) == []
    pushed = fcc100("Al", size=(3, 3, 3))
    add_adsorbate(pushed, "Al", 1.7, "hollow")
    pushed.center(axis=2, vacuum=4.0)
    end = pushed.copy()
    corner = int(np.argsort(pushed.get_distances(-1, range(27)))[0])
    far = 2 * pushed.positions[corner] - pushed.positions[-1]
    end.positions[[len(end) - 1, corner]] = end.positions[corner], [*far[:2], pushed.positions[-1, 2]]
    assert doubts([pushed, end]) == []


def dumbbell(direction: int, n: int = 3) -> Atoms:
    """Two atoms on one site of a crystal, along a lattice vector."""
    atoms = bulk("Al", cubic=True) * n
    atoms += Atoms("Al", [atoms.positions[0]])
    for k, side in ((0, -1), (len(atoms) - 1, 1)):
        atoms.positions[k, direction] += side * 1.2
    return atoms


def test_of_a_large_structure_distances_near_to_what_moves_are_interpolated(monkeypatch) -> None:
    ends = [dumbbell(0), dumbbell(1)]
    settings = NebConfig(images=3)
    whole = band_of(ends, settings)
    monkeypatch.setattr("unnp.workflows.neb.path.MOST_ATOMS_OF_IDPP", len(ends[0]) - 1)
    part = band_of(ends, settings)
    linear = band_of(ends, settings.model_copy(update={"interpolation": "linear"}))
    pair = [each[2].get_distance(0, len(ends[0]) - 1, mic=True) for each in (whole, part, linear)]
    assert pair[0] > 1.8 > 1.7 > pair[2]  # the pair turns, and is squeezed less
    assert pair[1] == pytest.approx(pair[0], abs=0.1)
    assert part[2].positions == pytest.approx(whole[2].positions, abs=0.05)
    assert not np.array_equal(part[2].positions, linear[2].positions)


def test_what_the_numbers_do_not_say() -> None:
    images = [Atoms("H", positions=[(0.1 * k, 0, 0)]) for k in range(5)]
    band = Band(images, barriers=[1.0], forces=[0.0], at_rest=True)
    band.energies = np.array([0.0, 1.0, 0.2, 0.8, 0.1])
    assert "image 2 lies in a minimum on the way" in " ".join(notes(band))
    band.energies = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    assert "the highest image is an end" in " ".join(notes(band))
    assert barriers(band)["barrier_back_eV"] == 0


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["start.traj"], ConfigError, "one structure; a path needs two"),
        (["start.traj", "none.traj"], DataError, "none.traj does not exist"),
        (["start.traj", "start.traj"], ConfigError, "the ends of the path are one state"),
        (["start.traj", "bulk.traj"], ConfigError, "the same atoms in the same order"),
        (["start.traj", "swapped.traj"], ConfigError, "the same atoms in the same order"),
        (["start.traj", "wide.traj"], ConfigError, "another cell"),
        (["start.traj", "loose.traj"], ConfigError, "other fixed atoms"),
        (["start.traj", "end.traj", "--images", "0"], ConfigError, "images: Input should be greater"),
        (["start.traj", "end.traj", "--spring", "nan"], ConfigError, "spring"),
        (["start.traj", "end.traj", "--resume"], ConfigError, "leave out --resume"),
        (["start.traj", "end.traj", "--max-steps", "1"], ModelError, "the start of the path: no minimum after 1 steps"),
    ],
)
def test_bad_input_is_said(words: list[str], error: type[UnnpError], message: str, files: Path) -> None:
    with pytest.raises(error, match=message):
        cli(*words, "-o", "run")


def test_a_potential_that_cannot_compute_a_state_is_said(tmp_path: Path) -> None:
    iron = [bulk("Fe", cubic=True), bulk("Fe", cubic=True)]
    iron[1].positions[0, 0] += 0.5
    for relax_ends in (True, False):
        with pytest.raises(ModelError, match="No EMT-potential for Fe"):
            run_neb(iron, EMT(), NebConfig(relax_ends=relax_ends), tmp_path / f"run-{relax_ends}")


def test_forces_that_are_not_finite_are_said_with_one_full_stop(tmp_path: Path) -> None:
    class Broken(EMT):
        def get_forces(self, atoms=None):
            return np.full((len(atoms), 3), np.nan)

    with pytest.raises(ModelError, match=r"the start of the path: forces are not finite; .*[^.]\.$"):
        run_neb([adatom(), adatom(1.0)], Broken(), QUICK, tmp_path / "path")
