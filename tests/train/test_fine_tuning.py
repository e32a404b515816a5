"""Fine-tuning: heads and elements beside those of a run, replay of its data, and what a start may be."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase.io import write
from fine_tuned import BESIDE, SLOW, begun, energy, labelled
from unnp.errors import ConfigError
from unnp.exported.export import export_model
from unnp.models import Head, architecture, potential_from_description
from unnp.models.checkpoint import load_checkpoint, load_potential
from unnp.nn.closest import MARGIN, shortest_distances
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.replay import open_all
from unnp.train.run import train

Settings = Callable[..., dict[str, Any]]
Configuration = Callable[..., TrainConfig]


def test_a_copied_head_gives_what_the_old_one_gives_at_the_start(first: Path, tuned: Configuration) -> None:
    old, _ = load_potential(first)
    new = begun(tuned(heads={"fine": {"copy_of": "default"}, "default": {"groups": []}}, replay={}))
    assert [head.name for head in new.heads] == ["fine", "default"]
    for atoms in labelled("Cu", 2, a=4.2):  # no closer than in the old data
        assert energy(new, atoms, 0) == energy(new, atoms, 1) == pytest.approx(energy(old, atoms, 0), abs=1e-5)


def test_a_head_of_its_own_is_random_and_has_reference_energies_of_its_own(first: Path, tuned: Configuration) -> None:
    new = begun(
        tuned(heads={"fine": {"reference_energies": {"Al": 1.0, "Cu": 2.0}}, "default": {"groups": []}}, replay={})
    )
    fine, default = new.heads
    assert fine.reference_energies == {"Al": 1.0, "Cu": 2.0}
    assert default.describe()["reference_energies"] == load_potential(first)[0].heads[0].reference_energies
    weights = [dict(head.named_parameters()) for head in new.energy_heads]
    assert any(not torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_a_head_may_be_replaced(tuned: Configuration) -> None:
    assert [head.name for head in begun(tuned(heads={"fine": {}})).heads] == ["fine"]


def test_a_new_element_leaves_the_old_energies_as_they_are(first: Path, tuned: Configuration, tmp_path: Path) -> None:
    write(tmp_path / "ni.extxyz", labelled("Ni", 4, a=3.5))
    data = {"train": [str(tmp_path / "ni.extxyz")], "validation": 0.25}
    config = tuned(data=data)
    old, new = load_potential(first)[0], begun(config)
    assert new.elements == [*old.elements, "Ni"]
    for atoms in labelled("Cu", 2, a=3.7):
        assert energy(new, atoms, 0) == pytest.approx(energy(old, atoms, 0), abs=1e-5)
    per_atom = np.mean([atoms.get_potential_energy() / 4 for atoms in labelled("Ni", 4, a=3.5)])
    assert new.heads[0].reference_energies["Ni"] == pytest.approx(per_atom, abs=0.3)
    train(config, tmp_path / "run")
    assert load_potential(tmp_path / "run")[0].elements == [*old.elements, "Ni"]


@pytest.mark.parametrize(("name", "changes"), [("ani", {}), ("soapnet", {"channels": None})])
def test_an_architecture_whose_layers_depend_on_the_elements_takes_no_further_one(
    name: str, changes: dict[str, Any], tuned: Configuration, tmp_path: Path
) -> None:
    settings = {**architecture(name).example_settings, **changes}
    head = Head(1.0, {"Al": 0.0, "Cu": 0.0}).describe()
    description = {"architecture": name, "settings": settings, "add": {}, "elements": ["Al", "Cu"], "outputs": []}
    old = potential_from_description({**description, "heads": [head], "closest": []})
    export_model([old], tmp_path / "model.pt", name="model")
    write(tmp_path / "ni.extxyz", labelled("Ni", 4, a=3.5))
    data = {"train": [str(tmp_path / "ni.extxyz")], "validation": 0.25}
    potential = {"architecture": name, "settings": settings}
    with pytest.raises(ConfigError, match=f"{name} cannot take further elements.*Train it with all elements"):
        begun(tuned(data=data, start=str(tmp_path / "model.pt"), potential=potential))


def test_new_elements_and_closer_atoms_extend_the_shortest_distances(
    first: Path, tuned: Configuration, tmp_path: Path
) -> None:
    """Cu-Cu comes closer than before, Al-Al does not occur, Ni is new."""
    old = np.array(load_potential(first)[0].closest.table())
    write(tmp_path / "more.extxyz", [*labelled("Cu", 4, a=3.35), *labelled("Ni", 4, a=3.5)])
    data = {"train": [str(tmp_path / "more.extxyz")], "validation": 0.25}
    config = tuned(data=data)
    new, datasets = build(config, open_all(config))
    found = MARGIN * np.array(
        shortest_distances([datasets["train"][k].graph for k in range(len(datasets["train"]))], 3)
    )
    al, cu, ni = (new.elements.index(symbol) for symbol in ("Al", "Cu", "Ni"))
    table = new.closest.table()
    assert table[cu][cu] == found[cu][cu] < old[cu, cu]
    assert table[al][al] == old[al, al] > 0
    assert table[al][cu] == table[cu][al] == old[al, cu] > 0
    assert table[ni][ni] == found[ni][ni] > 0
    assert table[al][ni] == table[cu][ni] == 0
    assert load_potential(first)[0].closest.table() == old.tolist()


def test_frozen_features_keep_their_shortest_distances(
    first: Path, tuned: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "near.extxyz", labelled("Cu", 4, a=3.35))
    data = {"train": [str(tmp_path / "near.extxyz")], "validation": 0.25}
    frozen = {**SLOW, "rates": {"elements": 0, "representation": 0}}
    heads = {"fine": {"copy_of": "default"}, "default": {"groups": [], "rate": 0}}
    old = load_potential(first)[0]
    with caplog.at_level(logging.WARNING):
        kept = begun(tuned(data=data, heads=heads, optimizer=frozen))
    assert kept.closest.table() == old.closest.table()
    assert "closer than those of the start (Cu-Cu" in caplog.text
    near = labelled("Cu", 1, a=3.35, seed=6)[0]
    assert energy(kept, near, 1) == pytest.approx(energy(old, near, 0), abs=1e-5)
    learning = begun(tuned(data=data, heads=heads, optimizer={**SLOW, "rates": {"elements": 0}}, replay={}))
    assert abs(energy(learning, near, 1) - energy(old, near, 0)) > 1e-3


def test_a_given_shortest_distance_holds_for_all_pairs(tuned: Configuration) -> None:
    assert begun(tuned(potential={"architecture": "toy", "closest": 1.5})).closest.table() == [[1.5, 1.5], [1.5, 1.5]]
    assert begun(tuned(potential={"architecture": "toy", "closest": 0})).closest.table() == []


def test_replay_keeps_what_is_forgotten_without(first: Path, tuned: Configuration, tmp_path: Path) -> None:
    """The same head learns Cu alone, fast; the card has the errors on the Al-Cu that the run has held back."""
    after = {}
    for name, replay in (("replay", {"per_epoch": 8}), ("none", None)):
        train(tuned(replay=replay, epochs=15, optimizer={**SLOW, "learning_rate": 0.01}), tmp_path / name)
        card = yaml.safe_load((tmp_path / name / "card.yaml").read_text())
        before = card["metrics_of_start"]["old"]["overall"]["forces"]["mae"]
        after[name] = card["metrics"]["old"]["overall"]["forces"]["mae"]
        assert "Errors on the old structures" in (tmp_path / name / "card.md").read_text()
    assert after["replay"] < 0.8 * after["none"]
    assert before < after["none"]


def test_resume_is_exact(tuned: Configuration, tmp_path: Path) -> None:
    settings = {"heads": BESIDE, "replay": {"per_epoch": 0.5}, "optimizer": {**SLOW, "final_learning_rate": 1e-3}}
    for name, stops in (("once", [3]), ("twice", [1, 3])):
        for k, epochs in enumerate(stops):
            train(tuned(**settings, epochs=epochs), tmp_path / name, resume=k > 0)
    once, twice = (load_checkpoint(tmp_path / f"{name}/checkpoints/last.safetensors") for name in ("once", "twice"))
    assert once.tensors.keys() == twice.tensors.keys()
    assert all(torch.equal(tensor, twice.tensors[name]) for name, tensor in once.tensors.items())
    assert once.description["position"]["step"] == 3 * 4  # 3 new and 4 of 8 old structures, two in a batch


def test_an_exported_model_will_do(tuned: Configuration, tmp_path: Path) -> None:
    settings = architecture("schnet").example_settings
    head = Head(1e-3, {"Al": -0.1, "Cu": -0.2}).describe()
    description = {"architecture": "schnet", "settings": settings, "add": {}, "elements": ["Al", "Cu"], "outputs": []}
    closest = [[1.5, 1.4], [1.4, 1.25]]  # shorter than in the new data
    old = potential_from_description({**description, "heads": [head], "closest": closest})
    export_model([old], tmp_path / "model.pt", name="model")
    changes = {"start": str(tmp_path / "model.pt"), "potential": {"architecture": "schnet", "settings": settings}}
    new = begun(tuned(**changes))
    assert all(torch.equal(tensor, new.state_dict()[name]) for name, tensor in old.state_dict().items())
    assert new.closest.table() == closest
    with pytest.raises(ConfigError, match=r"model.pt is in no run folder, so its data are not known"):
        open_all(tuned(**changes, replay={}))


def test_a_frozen_head_needs_no_data(first: Path, tuned: Configuration, tmp_path: Path) -> None:
    rates = {"elements": 0, "representation": 0}
    heads = {"fine": {}, "default": {"groups": [], "rate": 0}}
    train(tuned(heads=heads, optimizer={**SLOW, "rates": rates}), tmp_path / "run")
    old, new = load_potential(first)[0], load_potential(tmp_path / "run")[0]
    for atoms in labelled("Cu", 2, a=3.7):
        assert energy(new, atoms, 1) == pytest.approx(energy(old, atoms, 0), abs=1e-5)
    card = yaml.safe_load((tmp_path / "run/card.yaml").read_text())
    before, after = (card[key]["old"]["overall"]["forces"]["mae"] for key in ("metrics_of_start", "metrics"))
    assert after == pytest.approx(before, rel=1e-5)
