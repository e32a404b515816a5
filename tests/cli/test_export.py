"""``unnp export`` of models that are exported already."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner
from unnp import UnnpCalculator
from unnp.cli import build_app
from unnp.exported.archive import read_manifest
from unnp.exported.export import export_model
from unnp.testing import Subject, example


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject(example("teanet"))


@pytest.fixture(scope="module")
def models(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models that differ in their weights."""
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for k in range(2):
        potential = subject.build("float64")
        with torch.no_grad():
            for parameter in potential.parameters():
                parameter.mul_(1.0 + 0.1 * k)
        paths.append(folder / f"{k}.pt")
        export_model([potential], paths[-1], name="model", data={"n_structures": 7}, metrics={"test": {"seen": k}})
    return paths


def export(*words: object) -> str:
    result = CliRunner().invoke(build_app(), ["export", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


def test_exported_models_make_a_committee(subject: Subject, models: list[Path], tmp_path: Path) -> None:
    assert "committee of 2" in export(*models, "-o", tmp_path / "two.pt")
    assert "committee of 3" in export(tmp_path / "two.pt", models[1], "-o", tmp_path / "three.pt")
    manifest = read_manifest(tmp_path / "three.pt")
    assert (manifest.n_members, manifest.data) == (3, {"n_structures": 7})
    atoms = subject.crystal().to_atoms()
    forces = []
    for model in (*models, tmp_path / "three.pt"):
        atoms.calc = UnnpCalculator(model)
        forces.append(atoms.get_forces())
    assert np.abs(forces[1] - forces[0]).max() > 1e-3 * np.abs(forces[0]).max()
    np.testing.assert_allclose(forces[2], (forces[0] + 2 * forces[1]) / 3, atol=1e-10 * np.abs(forces[0]).max())


def test_a_model_that_is_exported_again_keeps_its_errors(models: list[Path], tmp_path: Path) -> None:
    export(models[1], "-o", tmp_path / "again.pt")
    export(*models, "-o", tmp_path / "two.pt")
    assert read_manifest(tmp_path / "again.pt").metrics == {"test": {"seen": 1}}
    assert read_manifest(tmp_path / "two.pt").metrics == {}


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no model")
    words = ["export", str(tmp_path / "model.pt"), "-o", str(tmp_path / "other.pt")]
    result = CliRunner().invoke(build_app(), words)
    assert result.exit_code != 0
    assert "model.pt" in str(result.exception) + result.output
    assert not (tmp_path / "other.pt").exists()
