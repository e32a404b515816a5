"""POD potentials of LAMMPS' own fit, as contestants of a benchmark: against the model that labelled, in cells of any shape."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError, LammpsError
from unnp.lammps.launch import Launch
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.fitpod import FitpodConfig, fit_pod
from unnp.workflows.benchmark.run import run_benchmark

BODIES = ("four", "five", "six", "seven")
SMALL = {
    "parameters": {
        "rcut": 4.0,
        "bessel_polynomial_degree": 3,
        "inverse_polynomial_degree": 4,
        "twobody_number_radial_basis_functions": 6,
        "threebody_number_radial_basis_functions": 3,
        "threebody_angular_degree": 2,
        **{f"{n}body_number_radial_basis_functions": 0 for n in BODIES},
        **{f"{n}body_angular_degree": 0 for n in BODIES},
    }
}


def structures(n: int, seed: int) -> list[Structure]:
    """Return CuAg cells, skewed and turned, labelled by EMT."""
    random, found = np.random.default_rng(seed), []
    for _ in range(n):
        atoms = bulk("Cu", a=3.8) * (2, 2, 1)
        atoms.numbers[0] = 47
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.04 * random.standard_normal((3, 3))), scale_atoms=True)
        atoms.rotate(float(random.uniform(0, 180)), random.standard_normal(3), rotate_cell=True)
        atoms.rattle(0.1, rng=random)
        found.append(labelled(atoms))
    return found


def labelled(atoms: Atoms) -> Structure:
    atoms.calc = EMT()
    return Structure(
        atoms.numbers,
        atoms.positions,
        atoms.cell.array,
        atoms.pbc,
        energy=atoms.get_potential_energy(),
        forces=atoms.get_forces(),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("pod")
    write_structures(structures(40, 0), base / "train.extxyz")
    write_structures(structures(10, 1), base / "test.extxyz")
    run_benchmark(from_dict(settings(), BenchmarkConfig), base, base / "out")
    return base


def settings() -> dict[str, object]:
    data = {"train": ["train.extxyz"], "validation": 0.25, "test": ["test.extxyz"]}
    return {"data": data, "models": {"POD": {"fitpod": SMALL}}, "cost": {"atoms": 32, "steps": 2}}


def test_a_fit_stands_in_the_table_with_errors_parameters_and_cost(finished: Path) -> None:
    (result,) = run_benchmark(from_dict(settings(), BenchmarkConfig), finished, finished / "out", resume=True)["POD"]
    forces = np.concatenate([s.forces.ravel() for s in structures(10, 1) if s.forces is not None])
    assert result["errors"]["forces"] < 0.2 * np.abs(forces).mean()
    assert result["errors"]["energy"] < 20
    assert result["n_parameters"] > 20
    assert result["us_per_atom_step"] > 0


def test_errors_are_those_that_lammps_finds_in_the_fit(finished: Path) -> None:
    """Errors of the training structures: fitpod's own, and those of the pair style on the cells as they were given."""
    other = settings()
    other["data"] = {"train": ["train.extxyz"], "validation": 0.25, "test": ["train.extxyz"]}
    (result,) = run_benchmark(from_dict(other, BenchmarkConfig), finished, finished / "out", resume=True)["POD"]
    said = (finished / "out/POD/seed-0/pod/fit_training_errors.pod").read_text()
    energy, _, forces, _ = (float(word) for word in said.split("All files")[1].split()[2:6])
    np.testing.assert_allclose(result["errors"]["energy"], 1000 * energy, atol=2e-3)
    # the pair style interpolates radial functions that the fit evaluates
    np.testing.assert_allclose(result["errors"]["forces"], forces, rtol=0.01)


def test_a_fit_is_done_again_only_where_what_it_depends_on_changes(finished: Path) -> None:
    coefficients = finished / "out/POD/seed-0/pod/fit_coefficients.pod"
    before = coefficients.stat().st_mtime_ns
    run_benchmark(from_dict(settings(), BenchmarkConfig), finished, finished / "out", resume=True)
    assert coefficients.stat().st_mtime_ns == before
    other = settings()
    other["models"] = {"POD": {"fitpod": {**SMALL, "fit": {"fitting_weight_energy": 10.0}}}}
    run_benchmark(from_dict(other, BenchmarkConfig), finished, finished / "out", resume=True)
    assert coefficients.stat().st_mtime_ns != before


def test_structures_that_cannot_be_fitted_to(tmp_path: Path) -> None:
    (periodic,) = structures(1, 0)
    free = Structure(periodic.numbers, periodic.positions, energy=0.0, forces=periodic.forces)
    unlabelled = Structure(periodic.numbers, periodic.positions, periodic.cell, periodic.pbc, energy=0.0)
    for wrong, message in ((free, "not periodic in all directions"), (unlabelled, "no forces")):
        with pytest.raises(DataError, match=f"training structure 1 .*{message}"):
            fit_pod(FitpodConfig(), [periodic, wrong], Launch(), tmp_path)


def test_settings_that_lammps_would_ignore_or_refuse(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="radius"):
        from_dict({"parameters": {"radius": 4.0}}, FitpodConfig)
    more = from_dict({"parameters": {"fourbody_angular_degree": 9}}, FitpodConfig)
    with pytest.raises(LammpsError, match="four-body angular degree"):
        fit_pod(more, structures(2, 0), Launch(), tmp_path)
