"""Real data sets, where the environment variable UNNP_TEST_DATA says where they are."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unnp.atoms.elements import Elements
from unnp.data.opening import open_structures
from unnp.data.reference_energies import fit_reference_energies
from unnp.data.splits import split
from unnp.data.statistics import statistics
from unnp.data.store_writer import write_store
from unnp.errors import DataError

FOLDER = os.environ.get("UNNP_TEST_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="UNNP_TEST_DATA is not set")


@pytest.fixture
def folder() -> Path:
    return Path(FOLDER or "")


def test_nickel(folder: Path, tmp_path: Path, assert_same: Callable) -> None:
    files = [folder / f"mlearn/Ni_{part}.extxyz.gz" for part in ("train", "test")]
    structures = open_structures(files)
    s = statistics(structures, 5.0)
    assert s.n_structures == 263 + 31
    assert s.elements.keys() == {"Ni"}
    assert not any(s.missing.values())
    assert s.average_neighbors is not None
    assert 45 < s.average_neighbors < 54  # four shells of fcc, fewer beside vacancies and surfaces
    store = write_store(structures, tmp_path / "ni")
    for a, b in zip(structures, store, strict=True):
        assert_same(a, b)
    for structure in structures:
        assert structure.forces is not None
        assert np.abs(structure.forces.sum(0)).max() < 0.1  # no net force: columns are what they should be


def test_refractory_alloy(folder: Path) -> None:
    structures = open_structures(folder / "NbMoTaW/train.extxyz.gz")
    assert len(structures) == 5282
    report = fit_reference_energies(structures, Elements(["Nb", "Mo", "Ta", "W"]), "least-squares")
    assert report.rank == 4
    assert report.residual is not None
    assert report.residual < 0.2
    parts = split(structures, {"train": 0.9, "test": 0.1}, seed=0, stratify=True)
    assert {structures[k].group for k in parts["test"]} == {s.group for s in structures}


def test_random_silicon_has_no_stress(folder: Path) -> None:
    from unnp.data.readers import ReadOptions

    path = folder / "pyxtal_Si/random_crystals.extxyz.gz"
    with pytest.raises(DataError, match=r"random_crystals\.extxyz\.gz frame 0 has no stress"):
        open_structures(path, ReadOptions(required=("energy", "forces", "stress")))
    assert statistics(open_structures(path)).missing["stress"] == 6887
