"""Damaged and hostile model files: no crash, no hang, no text of torch, no wrong answer, no file written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from model_archive import Archive
from mutants import KINDS, mutants
from reading import examine
from unnp.exported.export import export_model
from unnp.models import Head, PotentialConfig, TrainingData, build_potential

ROOT = Path(__file__).parents[3]
SETTINGS = {
    "layer_cutoffs": [3.5, 3.5],
    "scalars": 4,
    "vectors": 2,
    "tensors": 2,
    "projections": 2,
    "hidden": 4,
    "bond_scalars": 4,
}

OUTCOMES = [
    "clear error",
    "accepted",
    "right answer",
    "another model",
    "other answer",
    "traceback",
    "raw",
    "crash",
    "hang",
]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small TeaNet as it is exported, with a checksum of its records."""
    path = tmp_path_factory.mktemp("sealed") / "sealed.pt"
    heads, data = [Head(1.0, {"Ni": -1.0})], TrainingData(20.0)
    export_model([build_potential(PotentialConfig(settings=SETTINGS), ["Ni"], heads, data)], path, name="small")
    return path


@pytest.fixture(scope="module")
def unsealed(sealed: Path) -> Path:
    """The same without a checksum, as older versions exported: what is behind it has to stand by itself."""
    archive = Archive(sealed.read_bytes())
    manifest = json.loads(archive.read("extra/unnp.json")) | {"records_checksum": ""}
    path = sealed.with_name("unsealed.pt")
    path.write_bytes(archive.rebuilt({"extra/unnp.json": json.dumps(manifest).encode()}))
    return path


@pytest.mark.parametrize("original", ["sealed", "unsealed"])
def test_thirty_mutants(original: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = request.getfixturevalue(original)
    table, bad = examine(list(mutants(path.read_bytes(), 30, seed=3)), path, tmp_path, original == "sealed")
    assert not bad, "\n".join(bad)
    assert table["ase"]["clear error"] > 20


def test_every_kind_is_among_the_quick_ones(sealed: Path) -> None:
    assert {mutant.kind for mutant in mutants(sealed.read_bytes(), 30)} == set(KINDS)


@pytest.mark.fuzz
def test_a_thousand_mutants(sealed: Path, unsealed: Path, tmp_path: Path) -> None:
    """Of a file with a checksum, of one without, and of a shipped model; the tables go to the results of this machine."""
    shipped = ROOT / "models" / "teanet-mlearn-Ni" / "model.pt"
    settings = {
        "mutants": 1000,
        "seed": 11,
        "readers": "info: unnp info; ase: ASE calculator; engine: what LAMMPS opens",
    }
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from measuring import Report

    report = Report("fuzz_model_files", settings)
    for name, path, n in (
        ("with checksum", sealed, 400),
        ("without checksum", unsealed, 400),
        ("shipped", shipped, 200),
    ):
        folder = tmp_path / name
        folder.mkdir()
        table, bad = examine(list(mutants(path.read_bytes(), n, seed=11)), path, folder, path == sealed)
        for reader, counts in table.items():
            report.add({"file": name, "loaded_by": reader, "tried": n, **dict.fromkeys(OUTCOMES, 0), **counts})
        assert not bad, "\n".join(bad)
