"""``unnp features``."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from typer.testing import CliRunner
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.exported.loader import load_model


@pytest.fixture
def data(tmp_path: Path) -> Path:
    frames = []
    for k, symbol in enumerate(("Al", "Ni")):
        atoms = bulk(symbol, cubic=True) * (1, 1, k + 1)
        atoms.rattle(0.1, seed=k)
        atoms.info["group"] = f"group {k}"
        frames.append(atoms)
    write(tmp_path / "data.extxyz", frames)
    return tmp_path / "data.extxyz"


@pytest.mark.parametrize("of", ["features", "density", "crowding"])
def test_arrays(small_model: Path, data: Path, tmp_path: Path, of: str) -> None:
    target = tmp_path / "f.npz"
    words = ["features", small_model, data, "-o", target, "--of", of, "--device", "cpu", "--batch-atoms", "5"]
    result = CliRunner().invoke(build_app(), [str(word) for word in words])
    assert result.exit_code == 0, result.output
    found, loaded = np.load(target), load_model(small_model, device="cpu")
    structures = [Structure.from_atoms(atoms) for atoms in read(data, ":")]
    expected = [loaded.outputs(Graph.of(s, loaded.elements, loaded.cutoff))[of].numpy() for s in structures]
    np.testing.assert_allclose(found["values"], np.concatenate(expected), rtol=1e-12)
    assert found["structure"].tolist() == [0] * 4 + [1] * 8
    assert found["numbers"].tolist() == [13] * 4 + [28] * 8
    assert found["groups"].tolist() == ["group 0", "group 1"]


def test_unknown_output(small_model: Path, data: Path, tmp_path: Path) -> None:
    words = ["features", small_model, data, "-o", tmp_path / "f.npz", "--of", "densty"]
    result = CliRunner().invoke(build_app(), [str(word) for word in words])
    assert result.exit_code != 0
    assert "Did you mean 'density'" in str(result.exception) + result.output
    assert not (tmp_path / "f.npz").exists()
