"""Fine-tuning: heads and elements beside those of a run, replay of its data, and what is refused."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.derivatives import predict
from unnp.errors import ConfigError
from unnp.exported.export import export_model
from unnp.models import Head, Potential, architecture, potential_from_description
from unnp.models.checkpoint import load_checkpoint, load_potential
from unnp.nn.closest import MARGIN, shortest_distances
from unnp.train.building import build
from unnp.train.committee import train_committee
from unnp.train.config import TrainConfig
from unnp.train.replay import open_all
from unnp.train.run import train
from unnp.train.zeros import Shift

Settings = Callable[..., dict[str, Any]]
Configuration = Callable[..., TrainConfig]
SLOW = {"kind": "adamw", "learning_rate": 1e-3, "warmup_steps": 0, "average_decay": 0.5}
BESIDE = {"fine": {}, "default": {"groups": []}}


def labelled(symbol: str, n: int, zero: float = 0.0, a: float = 4.0, seed: int = 5) -> list[Atoms]:
    """Return rattled cells of one element with the labels of EMT, energies counted from another zero [eV/atom]."""
    random, frames = np.random.default_rng(seed), []
    for _ in range(n):
        atoms = bulk(symbol, cubic=True, a=a)
        atoms.positions += 0.1 * random.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy() + zero * len(atoms), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels, stress=atoms.get_stress())
        frames.append(atoms)
    return frames


@pytest.fixture(scope="module")
def first(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on Al-Cu, with one head."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("first") / "run"
    train(from_dict(settings(epochs=20, validation_interval=20), TrainConfig), path)
    return path


@pytest.fixture
def tuned(first: Path, settings: Settings, tmp_path: Path) -> Configuration:
    """A function that returns the settings of a training on cells of Cu that begins with the run."""
    write(tmp_path / "cu.extxyz", labelled("Cu", 4, a=3.6))
    data = {"train": [str(tmp_path / "cu.extxyz")], "validation": 0.25}
    return lambda **changes: from_dict(
        settings(**{"data": data, "start": str(first), "optimizer": SLOW, "epochs": 2, **changes}), TrainConfig
    )


def energy(potential: Potential, atoms: Atoms, head: int) -> float:
    structure = Structure(atoms.numbers, atoms.positions, np.array(atoms.cell), atoms.pbc)
    graph = Graph.of(structure, Elements(potential.elements), potential.cutoff(), head).to("cpu", torch.float32)
    return float(predict(potential.eval(), graph, derivatives=False).energy)


def begun(config: TrainConfig) -> Potential:
    return build(config, open_all(config))[0]


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
