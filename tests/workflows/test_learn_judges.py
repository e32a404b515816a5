"""Judges of a loop: what they say of models whose mistakes are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from unnp.config.kinds import check_kind
from unnp.errors import ConfigError
from unnp.executors.here import Here, HereConfig
from unnp.workflows.crystals.prototypes import parse_specs
from unnp.workflows.crystals.relaxation import Settings, relax_crystals
from unnp.workflows.learn.judges.base import REGISTRY, Judge
from unnp.workflows.learn.judges.crystals import Crystals
from unnp.workflows.learn.situation import Situation

EMT_FILE = {"kind": "ase", "name": "emt"}
SHIFTS = {"fcc": -0.010, "bcc": 0.005}
"""What the table of the test has more than EMT [eV/atom]."""


def judge(base: Path, **settings: Any) -> Judge:
    kind, config = check_kind(REGISTRY, {"kind": "crystals", **settings}, "judge.this")
    return kind(config, base)


@pytest.fixture
def at(tmp_path: Path, small_model: Path) -> Situation:
    return Situation(1, tmp_path, 7, Here(HereConfig()), "cpu", small_model)


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, float]]:
    """Crystals of aluminium in EMT, with energies that are off by known amounts, and bonds by 0.02 A."""
    found = relax_crystals(parse_specs(list(SHIFTS), ["Al"]), EMT(), Settings(curves=False))
    return {
        crystal.spec.kind: {
            "energy": crystal.energy + SHIFTS[crystal.spec.kind],
            "bond": crystal.numbers()["bond"] + 0.02,
        }
        for crystal in found
    }


@pytest.fixture
def table(rows: dict[str, dict[str, float]], tmp_path: Path) -> Path:
    (tmp_path / "table.yaml").write_text(yaml.safe_dump(rows))
    return tmp_path / "table.yaml"


def test_all_kinds_are_found() -> None:
    assert REGISTRY.names() == ["crystals", "files", "new", "pool"]


def test_differences_from_a_table(at: Situation, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unnp.workflows.learn.judges.crystals.UnnpCalculator", lambda *given, **named: EMT())
    own = judge(table.parent, reference="table.yaml", crystals=list(SHIFTS), elements=["Al"])
    own.check([])
    found = own.judge(at)
    gap = 1000 * (0.010 + 0.005)  # the table has bcc that much further above fcc
    assert found == {
        "wrong": 0.0,
        "ordered": 1.0,
        "energy_mae": pytest.approx(7.5, abs=1e-3),
        "energy_worst": pytest.approx(10.0, abs=1e-3),
        "above_lowest_mae": pytest.approx(gap / 2, abs=1e-3),
        "above_lowest_worst": pytest.approx(gap, abs=1e-3),
        "bond_mae": pytest.approx(0.02),
        "bond_worst": pytest.approx(0.02),
    }
    rows = yaml.safe_load(table.read_text())
    rows["fcc"]["energy"] += 0.1
    table.write_text(yaml.safe_dump(rows))
    turned = judge(table.parent, reference="table.yaml", crystals=list(SHIFTS), elements=["Al"])
    assert turned.judge(at)["ordered"] == 0.0


def test_a_reference_potential_agrees_with_itself_and_is_asked_once(
    at: Situation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unnp.workflows.learn.judges.crystals.UnnpCalculator", lambda *given, **named: EMT())
    (tmp_path / "emt.yaml").write_text(yaml.safe_dump(EMT_FILE))
    own = judge(tmp_path, reference="emt.yaml", crystals=["fcc", "AlCu:B2"], elements=["Al"])
    own.check([])
    (tmp_path / "emt.yaml").unlink()  # it is not read again
    found = own.judge(at)
    assert own.specs[1].name == "AlCu:B2"
    assert {name: value for name, value in found.items() if name != "ordered"} == pytest.approx(
        {name: 0.0 for name in found if name != "ordered"}, abs=1e-6
    )
    assert found["ordered"] == 1.0


def test_given_structures_are_crystals_too(at: Situation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unnp.workflows.learn.judges.crystals.UnnpCalculator", lambda *given, **named: EMT())
    (tmp_path / "emt.yaml").write_text(yaml.safe_dump(EMT_FILE))
    atoms = bulk("Al", cubic=True, a=3.9)
    atoms.symbols[0] = "Cu"
    write(tmp_path / "al3cu.extxyz", atoms)
    settings = {"reference": "emt.yaml", "structures": ["al3cu.extxyz"], "elements": ["Al"], "bond": 2.8}
    own = judge(tmp_path, **settings, crystals=["fcc"])
    own.check([])
    assert [spec.formula for spec in own.specs][1:] == ["Al3Cu"]
    assert len(own.reference) == 2
    found = own.judge(at)
    assert found["wrong"] == 0
    assert found["energy_worst"] == pytest.approx(0, abs=1e-6)


def test_a_model_whose_crystals_go_wrong_is_told_without_a_worst(at: Situation, table: Path) -> None:
    """Random weights and an element that the model does not know: nothing is at rest, or not all."""
    own = judge(table.parent, reference="table.yaml", crystals=["fcc", "bcc"], elements=["Al"])
    found = own.judge(at)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(np.isfinite(value) for value in found.values())
    assert ("energy_worst" in found) == (found["wrong"] == 0)
    (table.parent / "cu.csv").write_text("crystal,energy\nfcc,-3.5\n")
    unknown = judge(table.parent, reference="cu.csv", crystals=["fcc"], elements=["Cu"])
    assert unknown.judge(at) == {"wrong": 1.0}
    assert isinstance(unknown, Crystals)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference": "table.yaml"}, "of which elements"),
        ({"reference": "table.yaml", "crystals": ["fccc"], "elements": ["Al"]}, "Did you mean 'fcc'"),
        ({"reference": "table.yaml", "crystals": ["sc"], "elements": ["Al"]}, "has none of the crystals asked for"),
        ({"reference": "gone.yaml", "elements": ["Al"]}, "gone.yaml"),
        ({"crystals": ["Al:fcc"]}, "reference: Field required"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_done(settings: dict[str, Any], message: str, table: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        judge(table.parent, **settings).check([])
