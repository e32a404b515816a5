"""`unnp calibrate`: the factors that were put in are found, and hold wherever deviations are reported."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError
from unnp.evaluate.calibration import Residuals, committee_scales, estimates, residuals_of, scales_of
from unnp.evaluate.reliability import binned, gaussian, within
from unnp.exported.archive import read_manifest
from unnp.exported.deviation import committee_deviation
from unnp.exported.loader import load_model

FACTOR = {"energy": 3.0, "forces": 0.4}


def labelled(model: Path, n: int, seed: int) -> list[Atoms]:
    """Return structures whose labels are off by Gaussians of ``FACTOR`` times the deviation of the committee."""
    random, calculator = np.random.default_rng(seed), UnnpCalculator(model, device="cpu")
    frames = []
    for k in range(n):
        atoms = bulk("AlNi", "cesiumchloride", a=2.9) * (2, 1, 1)
        atoms.rattle(0.1 + 0.1 * random.random(), seed=1000 * seed + k)
        found = calculator.committee(atoms)
        of_force = FACTOR["forces"] * found.force_deviation[:, None] / math.sqrt(3)
        of_energy = FACTOR["energy"] * found.energy_deviation * len(atoms)
        atoms.info["energy"] = found.energies.mean() + of_energy * random.standard_normal()
        atoms.arrays["forces"] = found.forces.mean(0) + of_force * random.standard_normal((len(atoms), 3))
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def committee(write_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committee of four: energies of fewer members are not calibrated."""
    return write_model(tmp_path_factory.mktemp("model") / "committee.pt", n_members=4)


@pytest.fixture(scope="module")
def data(committee: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "validation.xyz"
    ase.io.write(path, labelled(committee, 400, seed=1), format="extxyz", write_results=False)
    return path


def run(*arguments: object):
    return CliRunner().invoke(build_app(), [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def calibrated(committee: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("model") / "calibrated.pt"
    result = run("calibrate", committee, data, "-o", path, "--device", "cpu")
    assert result.exit_code == 0, result.output
    return path, result.output


def test_the_factors_of_the_errors_are_found(calibrated: tuple[Path, str]) -> None:
    scales = read_manifest(calibrated[0]).deviation_scales
    for name, n in (("energy", 400), ("forces", 4800)):
        four_standard_errors = 4 / math.sqrt(2 * n)
        assert scales[name] == pytest.approx(FACTOR[name], rel=four_standard_errors), name
    assert "calibrated" in calibrated[1]


def test_python_and_ase_report_calibrated_deviations_and_the_same_forces(
    committee: Path, calibrated: tuple[Path, str]
) -> None:
    atoms = labelled(committee, 1, seed=3)[0]
    raw, found = (UnnpCalculator(path, device="cpu").committee(atoms) for path in (committee, calibrated[0]))
    scales = read_manifest(calibrated[0]).deviation_scales
    np.testing.assert_allclose(found.force_deviation, scales["forces"] * raw.force_deviation, rtol=1e-12)
    assert found.energy_deviation == pytest.approx(scales["energy"] * raw.energy_deviation, rel=1e-12)
    np.testing.assert_array_equal(found.forces, raw.forces)
    spread = np.sqrt(np.square(raw.forces - raw.forces.mean(0)).sum(2).mean(0))
    np.testing.assert_allclose(raw.force_deviation, spread, rtol=1e-12)
    assert raw.energy_deviation == pytest.approx(np.std(raw.energies) / len(atoms), rel=1e-12)


def test_it_is_said_and_calibrating_again_begins_with_raw_deviations(
    committee: Path, calibrated: tuple[Path, str], data: Path, tmp_path: Path
) -> None:
    scales = read_manifest(calibrated[0]).deviation_scales
    assert "4 members; deviation of energy not calibrated, of forces not calibrated" in run("info", committee).output
    assert f"deviation of energy calibrated (times {scales['energy']:.4g}), of" in run("info", calibrated[0]).output
    again = tmp_path / "again.pt"
    assert run("calibrate", calibrated[0], data, "-o", again, "--device", "cpu").exit_code == 0
    assert read_manifest(again).deviation_scales == scales
    expected, found = (load_model(path, device="cpu").manifest.model_dump() for path in (committee, again))
    for changed in ("deviation_scales", "records_checksum"):
        del expected[changed], found[changed]
    assert found == expected


def test_the_diagram_stands_beside_its_numbers(calibrated: tuple[Path, str]) -> None:
    path = calibrated[0]
    for name in FACTOR:
        assert path.with_name(f"calibrated-reliability-{name}.png").stat().st_size > 0
        with path.with_name(f"calibrated-reliability-{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        at_one = next(row for row in rows if float(row["k"]) == 1.0)
        assert float(at_one["within_k_gaussian"]) == pytest.approx(0.6827, abs=1e-4)
        assert float(at_one["within_k"]) == pytest.approx(0.6827, abs=0.1)  # of 400 energies: 4 standard errors
        expected, observed = (np.array([float(row[key]) for row in rows]) for key in ("expected", "observed"))
        assert (np.diff(expected) > 0).all()
        assert np.abs(np.log(observed / expected)).max() < 0.5  # 33 energies in a bin: 4 standard errors


def test_factors_and_bins_are_those_of_the_formulas() -> None:
    error = np.arange(1.0, 101.0)
    own = Residuals(error, np.full(100, 2.0))
    assert scales_of({"energy": own}) == {"energy": pytest.approx(np.sqrt(np.mean(error**2)) / 2)}
    # of several factors it is the one of the largest likelihood
    mixed = Residuals(error, np.linspace(1.0, 3.0, 100))

    def likelihood(scale: float) -> float:
        sigma = scale * mixed.deviation
        return float(np.sum(-np.square(mixed.error / sigma) / 2 - np.log(sigma)))

    best = mixed.scale()
    assert likelihood(best) > max(likelihood(0.99 * best), likelihood(1.01 * best))
    assert within(own, np.array([1.0, 25.0])).tolist() == [0.02, 0.5]
    assert gaussian(np.array([1.0, 2.0, 3.0])) == pytest.approx([0.6827, 0.9545, 0.9973], abs=1e-4)
    expected, observed, counts = binned(Residuals(np.array([3.0, -4.0]), np.array([2.0, 1.0])))
    assert (expected.tolist(), observed.tolist(), counts.tolist()) == ([1.0, 2.0], [4.0, 3.0], [1, 1])


def test_what_cannot_be_calibrated_is_said(committee: Path, write_model, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds one member, which has nobody to disagree with"):
        run("calibrate", write_model(tmp_path / "one.pt"), data, "-o", tmp_path / "m.pt")
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError, match="give one run folder, or labelled structures"):
        run("calibrate", committee, data, tmp_path, "-o", tmp_path / "m.pt")
    with pytest.raises(DataError, match="at least 10 labels"):
        scales_of({"energy": Residuals(np.ones(9), np.ones(9))})
    with pytest.raises(ModelError, match="deviations vanish"):
        scales_of({"energy": Residuals(np.ones(20), np.full(20, 1e-15))})
    with pytest.raises(ModelError, match="errors vanish"):
        scales_of({"energy": Residuals(np.zeros(20), np.ones(20))})
    frames = ase.io.read(data, ":4")
    for atoms in frames:
        atoms.arrays["forces"], atoms.calc = atoms.get_forces(), None
    ase.io.write(tmp_path / "forces.xyz", frames, format="extxyz", write_results=False)
    result = run("calibrate", committee, tmp_path / "forces.xyz", "-o", tmp_path / "m.pt", "--read", "missing=allow")
    assert "energy is not calibrated: it needs 10 labels." in result.output
    assert read_manifest(tmp_path / "m.pt").deviation_scales.keys() == {"forces"}


def test_energies_of_three_members_are_not_calibrated(small_model: Path, data: Path, tmp_path: Path) -> None:
    result = run("calibrate", small_model, data, "-o", tmp_path / "m.pt", "--device", "cpu")
    assert "energy is not calibrated: it needs 4 members." in result.output
    assert read_manifest(tmp_path / "m.pt").deviation_scales.keys() == {"forces"}
    assert "deviation of energy not calibrated, of forces calibrated (times" in run("info", tmp_path / "m.pt").output
    both = {name: Residuals(np.ones(20), np.ones(20)) for name in ("energy", "forces")}
    assert [list(committee_scales(both, n)) for n in (3, 4)] == [["forces"], ["energy", "forces"]]


def test_forces_that_vanish_by_symmetry_and_members_that_agree_exactly_do_not_count(committee: Path) -> None:
    crystal, lone = bulk("AlNi", "cesiumchloride", a=2.9), Atoms("Al", cell=[20.0] * 3, pbc=True)
    rattled = crystal * 2
    rattled.rattle(0.1, seed=1)
    structures = [
        replace(Structure.from_atoms(atoms), energy=0.0, forces=np.full((len(atoms), 3), 1e-3))
        for atoms in (crystal, lone, rattled)
    ]
    potential = load_model(committee, device="cpu")
    results = estimates(potential, structures, lambda graph: committee_deviation(potential, graph))
    assert {name: len(own.error) for name, own in residuals_of(results).items()} == {"energy": 3, "forces": 48}
    (indices, batch, found), agreed = results[0], torch.tensor([0.1, 4e-16, math.nan], dtype=torch.float64)
    assert residuals_of([(indices, batch, replace(found, energy_deviation=agreed))])["energy"].deviation.tolist() == [
        0.1
    ]


@pytest.mark.parametrize("wrong", [{"forces": 0.0}, {"forces": -1.0}, {"forces": 1e300}, {"stress": 1.0}])
def test_wrong_factors_in_a_file_are_refused(write_model, tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="deviation_scales"):
        write_model(tmp_path / "m.pt", n_members=2, deviation_scales=wrong)
    with pytest.raises(ValueError, match="deviation_scales is of a committee"):
        write_model(tmp_path / "m.pt", deviation_scales={"forces": 1.0})
