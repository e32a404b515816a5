"""Several levels of theory in one potential, and the outputs it declares."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from ase.build import bulk
from lammps_run import BIN, run_lammps, write_data
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.outputs import Output
from unnp.atoms.structure import Structure
from unnp.core import core
from unnp.derivatives import predict
from unnp.errors import ConfigError
from unnp.exported.export import export_model
from unnp.exported.loader import LoadedPotential, load_model
from unnp.models import (
    Head,
    Potential,
    PotentialConfig,
    TrainingData,
    architecture,
    architectures,
    build_potential,
    registry,
)
from unnp.nn.system import System

SYMBOLS = ["Al", "Ni"]
HEADS = [
    Head(1.5, {"Al": -3.0, "Ni": -4.0}, "pbe", ("bulk",)),
    Head(0.5, {"Al": -30.0, "Ni": -40.0}, "r2scan", ("slabs", "liquid")),
]
SETTINGS = {"layer_cutoffs": [3.0, 4.0], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}


def build(heads: Sequence[Head] = HEADS, seed: int = 0, **fields: object) -> Potential:
    torch.manual_seed(seed)
    config = PotentialConfig(**{"settings": SETTINGS, **fields})
    return build_potential(config, SYMBOLS, heads, TrainingData(20.0)).double()


def structure(seed: int = 0) -> Structure:
    atoms = bulk("Al", cubic=True, a=3.9)
    atoms.numbers[1:3] = 28
    atoms.rattle(0.2, seed=seed)
    return Structure.from_atoms(atoms)


def graph(head: int = 0, seed: int = 0) -> Graph:
    return Graph.of(structure(seed), Elements(SYMBOLS), 4.0, head)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("heads") / "m.pt"
    export_model([build(seed=1), build(seed=2)], path, name="two levels")
    return path


def test_each_head_is_the_potential_of_that_head_alone():
    both = build()
    for k, head in enumerate(HEADS):
        alone = build([head])
        alone.representation.load_state_dict(both.representation.state_dict())
        alone.energy_heads[0].load_state_dict(both.energy_heads[k].state_dict())
        expected, found = predict(alone, graph()), predict(both, graph(k))
        np.testing.assert_allclose(found.atomic_energy, expected.atomic_energy, rtol=0, atol=1e-13)
        np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=1e-13)


def test_structures_of_a_batch_may_have_different_heads():
    potential = build(add={"zbl": {}})
    parts = [graph(1, seed=3), graph(0, seed=4), graph(1, seed=5)]
    together = predict(potential, Graph.batch(parts))
    alone = [predict(potential, part) for part in parts]
    np.testing.assert_allclose(together.energy, torch.cat([p.energy for p in alone]), rtol=0, atol=1e-12)
    np.testing.assert_allclose(together.forces, torch.cat([p.forces for p in alone]), rtol=0, atol=1e-12)


def test_a_head_learns_nothing_from_structures_of_others():
    potential = build()
    predict(potential, graph(1), training=True).energy.sum().backward()
    own, other = potential.energy_heads[1].network[0].weight, potential.energy_heads[0].network[0].weight
    assert own.grad.abs().max() > 0
    assert other.grad is None or not other.grad.any()


def test_isolated_atoms_have_the_reference_energy_of_the_head():
    lone = Graph.of(Structure(np.array([28]), np.zeros((1, 3))), Elements(SYMBOLS), 4.0, 1)
    assert predict(build(), lone).energy.item() == -40.0


def test_heads_have_different_names():
    with pytest.raises(ConfigError, match="heads with different names, got pbe, pbe"):
        build([HEADS[0], HEADS[0]])


def test_an_exported_file_holds_all_heads(file):
    members = [build(seed=1), build(seed=2)]
    for k, name in enumerate((None, "r2scan")):
        loaded = load_model(file, device="cpu", head=name)
        found, expected = loaded.predict(graph()), [predict(member, graph(k)) for member in members]
        energies = torch.stack([e.energy for e in expected])
        np.testing.assert_allclose(found.energy, energies.mean(0), rtol=0, atol=1e-12)
        np.testing.assert_allclose(loaded.members(graph())[0], energies, rtol=0, atol=1e-12)
    assert [head.name for head in loaded.manifest.heads] == ["pbe", "r2scan"]
    assert loaded.manifest.heads[1].groups == ["slabs", "liquid"]
    assert loaded.manifest.heads[1].reference_energies == {"Al": -30.0, "Ni": -40.0}
    with pytest.raises(ConfigError, match=r"unknown head of this model 'r2scam'; allowed: pbe, r2scan. Did you mean"):
        load_model(file, device="cpu", head="r2scam")


def test_calculator(file):
    atoms = structure().to_atoms()
    energies = {}
    for name in ("pbe", "r2scan"):
        atoms.calc = UnnpCalculator(file, device="cpu", head=name)
        energies[name] = atoms.get_potential_energy()
        expected = load_model(file, device="cpu", head=name).predict(graph()).energy.item()
        assert energies[name] == pytest.approx(expected, abs=1e-10)
    assert abs(energies["pbe"] - energies["r2scan"]) > 100


@pytest.mark.skipif(not (BIN / "lmp").exists(), reason="needs the lammps package")
def test_lammps(file, tmp_path):
    atoms = structure().to_atoms() * (2, 2, 2)
    write_data(tmp_path / "a.data", atoms, SYMBOLS)
    deck = ""
    for name in ("", "head pbe", "head r2scan"):
        deck += f"clear\nunits metal\nread_data a.data\npair_style unnp {name}\npair_coeff * * {file} Al Ni\n"
        deck += "variable e equal pe\nrun 0\nprint 'found $(v_e:%.12g)'\n"
    output = run_lammps(tmp_path, deck, 2).output
    found = [float(line.split()[1]) for line in output.splitlines() if line.startswith("found ")]
    for energy, name in zip(found, ("pbe", "pbe", "r2scan"), strict=True):
        atoms.calc = UnnpCalculator(file, device="cpu", head=name)
        assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    assert "r2scan of pbe, r2scan" in output
    wrong = f"units metal\nread_data a.data\npair_style unnp head r2scam\npair_coeff * * {file} Al Ni\n"
    refused = run_lammps(tmp_path, wrong, 2, check=False)
    assert "has no head 'r2scam'; it has pbe, r2scan. Did you mean 'r2scan'" in refused.output


class Charged(architecture("teanet")):  # type: ignore[misc]
    """A representation with outputs of its own."""

    further_outputs: ClassVar[list[Output]] = [
        Output(name="charge", unit="e"),
        Output(name="size", per="structure"),
    ]

    def further(self, features: torch.Tensor, system: System) -> dict[str, torch.Tensor]:
        charge = features[:, 0] * features[:, 1]
        size = charge.new_zeros([system.n_graphs]).index_add(0, system.graph[: system.n_updated], features[:, 2])
        return {"charge": charge, "size": size}


@pytest.fixture
def charged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Potential, LoadedPotential]:
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    registry.register("charged")(Charged)
    potential = build(architecture="charged")
    export_model([potential], tmp_path / "m.pt", name="charged")
    return potential, load_model(tmp_path / "m.pt", device="cpu")


def test_declared_outputs(charged):
    potential, loaded = charged
    declared = {o.name: (o.per, o.shape, o.unit) for o in loaded.manifest.outputs}
    assert declared == {
        "energy": ("atom", [], "eV"),
        "features": ("atom", [4], ""),
        "charge": ("atom", [], "e"),
        "size": ("structure", [], ""),
    }
    both = Graph.batch([graph(), graph(seed=2)])
    found = loaded.outputs(both)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "energy": (8,),
        "features": (8, 4),
        "charge": (8,),
        "size": (2,),
    }
    h = loaded.features(both)
    torch.testing.assert_close(h, potential.features(*both.arguments).detach(), rtol=0, atol=1e-13)
    torch.testing.assert_close(found["charge"], h[:, 0] * h[:, 1])
    torch.testing.assert_close(found["size"], h[:, 2].view(2, 4).sum(1))
    torch.testing.assert_close(found["energy"], loaded.predict(both).atomic_energy)
    core().check_model(str(loaded.path))


@pytest.mark.parametrize("name", ["charge", "size"])
def test_gradient_of_an_output_by_differences(charged, name):
    """Forces are minus the gradient of its sum over the atoms, or of that of the structure."""
    loaded, atoms = charged[1], structure()

    def value(step: float) -> float:
        moved = Structure(atoms.numbers, atoms.positions.copy(), atoms.cell, atoms.pbc)
        moved.positions[1, 2] += step
        return loaded.predict(Graph.of(moved, Elements(SYMBOLS), 4.0), of=name).energy.item()

    slope = (value(1e-4) - value(-1e-4)) / 2e-4
    assert abs(slope) > 1e-6
    assert loaded.predict(graph(), of=name).forces[1, 2].item() == pytest.approx(-slope, rel=1e-5)


def test_outputs_that_cannot_be_had(charged):
    loaded = charged[1]
    with pytest.raises(ConfigError, match=r"unknown output of this model 'charges'; allowed: .*Did you mean 'charge'"):
        loaded.predict(graph(), of="charges")
    with pytest.raises(ConfigError, match=r"only outputs that are a number have derivatives.*\[4\]"):
        loaded.predict(graph(), of="features")


def test_features_of_a_committee_stand_side_by_side(file):
    loaded = load_model(file, device="cpu")
    expected = torch.cat([build(seed=seed).features(*graph().arguments) for seed in (1, 2)], dim=1)
    torch.testing.assert_close(loaded.features(graph()), expected.detach(), rtol=0, atol=1e-13)
    assert loaded.manifest.output("features").shape == [8]


def test_features_do_not_change_under_rotation(file):
    turned = structure()
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned.positions, turned.cell = turned.positions @ q, turned.cell @ q
    loaded = load_model(file, device="cpu")
    found = loaded.features(Graph.of(turned, Elements(SYMBOLS), 4.0))
    torch.testing.assert_close(found, loaded.features(graph()), rtol=0, atol=1e-11)
