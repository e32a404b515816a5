"""The level of theory of a model in what runs LAMMPS, and in `unnp elastic`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.adapters.dispersion import D3Config
from unnp.adapters.opening import names_of
from unnp.cli import build_app
from unnp.errors import ConfigError
from unnp.exported.export import export_model
from unnp.models import Head, PotentialConfig, TrainingData, architecture, build_potential
from unnp.workflows.elastic import run as elastic

CRYSTAL = {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [2, 2, 2]}
RUNS = {
    "md": {"structure": CRYSTAL, "ensemble": "nve", "temperature": 300, "steps": 2},
    "ramp": {"structure": {**CRYSTAL, "repeat": [4, 4, 4]}, "temperatures": [300, 1800, 300], "rate": 20},
    "melt": {"structure": {"element": "Al", "lattice": "fcc", "a": 4.05}, "temperatures": [750, 930]},
    "sample momt": {
        "structure": {**CRYSTAL, "repeat": [3, 3, 3]},
        "temperatures": [650, 1400],
    },
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the heads pbe and scan."""
    path = tmp_path_factory.mktemp("heads") / "two.pt"
    torch.manual_seed(0)
    config = PotentialConfig(architecture="schnet", settings=architecture("schnet").example_settings)
    heads = [Head(1.0, {"Al": -3.0}, "pbe"), Head(2.0, {"Al": -5.0}, "scan")]
    export_model([build_potential(config, ["Al"], heads, TrainingData(20.0)).double()], path, name="two")
    return path


def run(verb: str, folder: Path, *options: str, **potential: object) -> str:
    """Run a verb with a configuration of this potential and return what it prints."""
    (folder / "run.yaml").write_text(json.dumps({**RUNS[verb], "potential": potential}))
    words = [*verb.split(), str(folder / "run.yaml"), "-o", str(folder / "run"), *options]
    return CliRunner().invoke(build_app(), words, catch_exceptions=False).output


@pytest.mark.parametrize("verb", RUNS)
def test_the_head_reaches_the_pair_style_and_an_unknown_one_is_refused(verb, model, tmp_path):
    run(verb, tmp_path, "--dry-run", model=str(model), head="scan")
    decks = [path.read_text() for path in tmp_path.rglob("in.*") if path.is_file()]
    styles = {line for deck in decks for line in deck.splitlines() if line.startswith("pair_style")}
    assert {re.sub(" +", " ", line) for line in styles} == {"pair_style unnp head scan"}
    (tmp_path / "wrong").mkdir()
    with pytest.raises(ConfigError, match="unknown head of this model 'hse'; allowed: pbe, scan"):
        run(verb, tmp_path / "wrong", model=str(model), head="hse")
    assert not list((tmp_path / "wrong").rglob("in.*"))


def test_the_run_has_the_energies_of_the_head(model, tmp_path):
    run("md", tmp_path, model=str(model), head="scan")
    table = np.genfromtxt(tmp_path / "run/thermo.csv", delimiter=",", names=True)
    atoms = bulk("Al", "fcc", a=4.05, cubic=True) * 2
    found = {}
    for head in ("pbe", "scan"):
        atoms.calc = UnnpCalculator(model, head=head)
        found[head] = atoms.get_potential_energy()
    assert table["potential_energy_eV"][0] == pytest.approx(found["scan"], rel=1e-9)
    assert abs(found["scan"] - found["pbe"]) > 1


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        (
            {"pair_style": "lj/cut 8.0", "pair_coeff": ["1 1 0.1 2.5"], "head": "scan"},
            "`head` chooses a level of theory",
        ),
        ({"model": "two.pt", "head": "scan halo wide"}, "head"),
    ],
)
def test_a_head_is_a_word_and_of_a_model(potential, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run("md", tmp_path, "--dry-run", **potential)


def test_elastic_takes_a_head(model, tmp_path, monkeypatch):
    asked = []

    def elastic_properties(crystal, calculator):
        atoms = crystal.copy()
        atoms.calc = calculator
        asked.append(atoms.get_potential_energy())
        raise ConfigError("enough")

    monkeypatch.setattr(elastic, "elastic_properties", elastic_properties)
    words = ["elastic", str(model), "-o", str(tmp_path), "--element", "Al", "--head"]
    for head in ("pbe", "scan"):
        with pytest.raises(ConfigError, match="enough"):
            CliRunner().invoke(build_app(), [*words, head], catch_exceptions=False)
    with pytest.raises(ConfigError, match="unknown head of this model 'hse'; allowed: pbe, scan"):
        CliRunner().invoke(build_app(), [*words, "hse"], catch_exceptions=False)
    assert abs(asked[1] - asked[0]) > 1


def test_names_in_the_comparison_differ():
    twice = [(Path("a/model.pt"), "pbe", None), (Path("a/model.pt"), "scan", None)]
    assert names_of(twice) == ["model pbe", "model scan"]
    others = [(Path("a/model.pt"), None, None), (Path("b/model.pt"), None, None)]
    assert names_of(others) == ["a/model.pt", "b/model.pt"]
    assert names_of([(Path("a.pt"), None, None), (Path("a.pt"), None, D3Config())]) == ["a", "a D3"]


def test_a_head_and_d3_go_together_in_one_deck(model, tmp_path):
    run("md", tmp_path, "--dry-run", model=str(model), head="scan", d3={"functional": "pbe"})
    lines = [re.sub(" +", " ", line) for line in next(tmp_path.rglob("in.lammps")).read_text().splitlines()]
    assert "pair_style hybrid/overlay dispersion/d3 bj pbe 30 20 unnp head scan" in lines
    assert "pair_coeff * * unnp model.pt Al" in lines
