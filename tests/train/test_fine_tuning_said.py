"""Fine-tuning: traps that are refused, and what is said of zeros, rates, replay and heads without data."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from fine_tuned import BESIDE, begun, energy, labelled
from unnp.config import from_dict
from unnp.errors import ConfigError
from unnp.models.checkpoint import load_potential
from unnp.train.committee import train_committee
from unnp.train.config import TrainConfig
from unnp.train.run import train
from unnp.train.zeros import Shift

Settings = Callable[..., dict[str, Any]]
Configuration = Callable[..., TrainConfig]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": {"fine": {}}, "replay": {}}, "no old structure belongs to a head that stays"),
        ({"replay": {"per_epoch": 9}, "heads": BESIDE}, "replay.per_epoch: 9 of 8 structures"),
        ({"replay": {"per_epoch": 0.01}, "heads": BESIDE}, "from 1 to 8"),
        ({"heads": BESIDE}, "heads.default: it has no training structures, but the layers below it learn"),
        (
            {"heads": {"fine": {"copy_of": "pbe"}}},
            "heads.fine.copy_of: unknown head of the start 'pbe'; allowed: default",
        ),
        ({"heads": {"fine": {"reference_energies": "shift"}}}, "name copy_of"),
        ({"heads": {"default": {"reference_energies": "zero"}}}, "its weights belong to the reference energies"),
        ({"heads": {"default": {"reference_energies": {"Fe": 1}}}}, "unknown element of reference_energies 'Fe'"),
        ({"heads": {"default": {"reference_energies": "shift"}}, "replay": {}}, "old data go through it"),
    ],
)
def test_traps_are_refused(changes: dict[str, Any], message: str, tuned: Configuration) -> None:
    with pytest.raises(ConfigError, match=message):
        begun(tuned(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replay": {}}, "`replay` is of the old data of `start`"),
        ({"heads": {"a": {"copy_of": "b"}}}, "`copy_of` is of a head of `start`"),
        ({"heads": {"a": {}, "b": {"groups": []}}}, "a head without groups learns nothing"),
    ],
)
def test_without_a_start_there_is_nothing_old(changes: dict[str, Any], message: str, settings: Settings) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(settings(**changes), TrainConfig)


def test_another_zero_is_refused_in_an_old_head_and_moved_by_shift(tuned: Configuration, tmp_path: Path) -> None:
    write(tmp_path / "far.extxyz", labelled("Cu", 4, zero=-7.0, a=3.6))
    data = {"train": [str(tmp_path / "far.extxyz")], "validation": 0.25}
    with pytest.raises(ConfigError, match=r"differ from those of 'default' .*Cu -\d\.\d+ eV.*another zero"):
        begun(tuned(data=data))
    moved = begun(tuned(data=data, heads={"fine": {"copy_of": "default", "reference_energies": "shift"}}))
    for atoms in labelled("Cu", 4, zero=-7.0, a=3.6):
        assert energy(moved, atoms, 0) / 4 == pytest.approx(atoms.get_potential_energy() / 4, abs=0.3)


@pytest.mark.parametrize(("shift", "is_told"), [(0.23, True), (0.03, False)])
def test_corrections_of_compounds_are_told(
    first: Path, tuned: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture, shift: float, is_told: bool
) -> None:
    """Labels that are the start's own energies, with a constant for each atom, as MP2020 adds them."""
    potential, frames = load_potential(first)[0], labelled("Cu", 4, a=3.6)
    for atoms in frames:
        given = dict(atoms.calc.results, energy=energy(potential, atoms, 0) + shift * len(atoms))
        atoms.calc = SinglePointCalculator(atoms, **given)
    write(tmp_path / "corrected.extxyz", frames)
    data = {"train": [str(tmp_path / "corrected.extxyz")], "validation": 0.25}
    with caplog.at_level(logging.WARNING):
        begun(tuned(data=data))
    said = (
        "differ from those of 'default' of the start by nearly a constant for each element (Cu +0.23 eV; 0.23 eV/atom)"
    )
    assert (said in caplog.text) == is_told
    assert ("`copy_of: default, reference_energies: shift`" in caplog.text) == is_told
    caplog.clear()
    begun(tuned(data=data, heads={"fine": {"copy_of": "default", "reference_energies": "shift"}}))
    assert "constant for each element" not in caplog.text


def test_as_few_structures_as_elements_are_no_reason_for_doubt() -> None:
    assert Shift({"Cu": 0.5}, size=0.5, explained=1.0, free=1).may_be_another_zero
    assert not Shift({"Cu": 0.5}, size=0.5, explained=1.0, free=0).may_be_another_zero
    assert not Shift({"Cu": 0.5}, size=0.5, explained=0.8, free=9).may_be_another_zero


def test_large_rates_and_elements_without_data_are_told(tuned: Configuration, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        begun(tuned(optimizer={"learning_rate": 0.05}))
    assert "times the rate that it ended with (1e-05)" in caplog.text
    assert "heads.default has no training structure with Al" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        begun(tuned(optimizer={"learning_rate": 0.05, "rates": {"representation": 0.01, "elements": 0}}, replay={}))
    assert "times the rate" not in caplog.text
    assert "has no training structure" not in caplog.text


@pytest.mark.parametrize(
    ("per_epoch", "drawn", "is_warned"),
    [(1, "1 of the 8 old", True), (1.0, "8 of the 8 old", False), (3, "3 of the 8 old", False)],
)
def test_what_each_epoch_draws_is_said(
    per_epoch: float,
    drawn: str,
    is_warned: bool,
    tuned: Configuration,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One is one structure, one with a decimal point all."""
    with caplog.at_level(logging.WARNING):
        train(tuned(replay={"per_epoch": per_epoch}, epochs=1), tmp_path / "run")
    assert f"11 structures for training (each epoch: 3 and {drawn}), 1 for validation" in capsys.readouterr().out
    assert ("so few hardly count" in caplog.text) == is_warned
    assert (
        f"11 structures for training (each epoch: 3 and {drawn[0]} drawn of 8)"
        in (tmp_path / "run/card.md").read_text()
    )


def test_errors_on_old_structures_that_the_start_may_have_learnt_are_marked(
    tuned: Configuration, data_files: dict[str, str], tmp_path: Path
) -> None:
    old = {"train": [data_files["train"]], "validation": 0.25}
    for name, changes in {
        "anew": {},
        "files": {"validation": [data_files["validation"]]},
        "seed": {"split_seed": 0},
    }.items():
        train(tuned(replay={"per_epoch": 0.5, "data": {**old, **changes}}, epochs=1), tmp_path / name)
        card = (tmp_path / name / "card.md").read_text()
        before = card.split("## Errors on the old structures before this training\n")[1]
        assert before.startswith("\nThese structures were drawn anew from replay.data") == (name == "anew")


def test_a_committee_is_no_start_and_its_members_are_named(
    settings: Settings, tuned: Configuration, tmp_path: Path
) -> None:
    train_committee(from_dict(settings(epochs=1, seeds=[3, 11]), TrainConfig), tmp_path / "both")
    folder = tmp_path / "both"
    with pytest.raises(
        ConfigError, match=f"is the folder of a committee of 2; name one of its members, as {folder}/seed-3 or seed-11"
    ):
        begun(tuned(start=str(folder)))
    begun(tuned(start=str(folder / "seed-3")))


def test_a_group_that_no_structure_has_is_told(tuned: Configuration) -> None:
    heads = {"fine": {"copy_of": "default", "groups": ["nosuch"]}, "default": {}}
    with pytest.raises(ConfigError, match=r"heads.fine: unknown group 'nosuch'; no structure has a group. Name groups"):
        begun(tuned(heads=heads))
