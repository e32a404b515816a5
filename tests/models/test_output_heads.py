"""Output heads: what each of them has to fulfil, for all that are registered."""

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError, ModelError
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.models.checkpoint import number_type
from unnp.models.output_heads.base import REGISTRY, register

ELEMENTS = Elements(["Al", "Ni"])
SETTINGS = {"cutoff": 4.0, "features": 6, "layers": 2, "radial_functions": 5}
NAMES = REGISTRY.names()


def build(outputs: list[str], seed: int = 0) -> Potential:
    torch.manual_seed(seed)
    config = PotentialConfig(architecture="painn", settings=SETTINGS, outputs=outputs)
    with number_type("float64"):
        potential = build_potential(config, ELEMENTS.symbols, [Head(1.0, {"Al": -1.0, "Ni": 0.5})], TrainingData(15.0))
        for parameter in potential.output_heads.parameters():  # also of those that begin with zeros
            torch.nn.init.normal_(parameter)
    return potential


def structure(seed: int = 1) -> Structure:
    rng = np.random.default_rng(seed)
    cell = np.diag([5.0, 5.5, 6.0])
    return Structure(np.array([13, 28, 28, 13]), rng.uniform(0, 5, (4, 3)), cell, np.ones(3, dtype=bool))


def values(potential: Potential, name: str, *structures: Structure) -> np.ndarray:
    graph = Graph.batch([Graph.of(s, ELEMENTS, 4.0) for s in structures])
    return potential.outputs(*graph.arguments)[name].detach().numpy()


def test_every_quantity_of_atoms_that_no_energy_gives_has_a_head() -> None:
    of_atoms = [name for name, q in QUANTITIES.items() if q.origin == "head" and q.per_atom]
    assert of_atoms == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_shape_symmetry_and_locality(name: str) -> None:
    potential, atoms = build([name]), structure()
    found = values(potential, name, atoms)
    assert found.shape == (4, *QUANTITIES[name].shape)
    assert np.abs(found - found[0]).max() > 1e-3
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned = Structure(atoms.numbers, atoms.positions @ q, atoms.cell @ q, atoms.pbc)
    np.testing.assert_allclose(values(potential, name, turned), found, atol=1e-11)
    order = [2, 0, 3, 1]
    swapped = Structure(atoms.numbers[order], atoms.positions[order], atoms.cell, atoms.pbc)
    np.testing.assert_allclose(values(potential, name, swapped), found[order], atol=1e-11)
    np.testing.assert_allclose(values(potential, name, structure(2), atoms)[4:], found, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_a_lone_atom_has_what_its_element_has(name: str) -> None:
    potential = build([name])
    far = Structure(np.array([13, 13, 28]), np.array([[0.0, 0, 0], [20, 0, 0], [0, 20, 0]]))
    one, other, nickel = values(potential, name, far)
    assert one == other
    assert (one == nickel) == (name == "charges")


def test_energies_are_those_of_the_same_potential_without_heads(tmp_path: Path) -> None:
    graph = Graph.of(structure(), ELEMENTS, 4.0)
    expected = build([])(*graph.arguments)
    torch.testing.assert_close(build(NAMES)(*graph.arguments), expected, rtol=0, atol=0)


def test_a_committee_gives_the_mean(tmp_path: Path) -> None:
    members = [build(NAMES, seed) for seed in (1, 2)]
    export_model(members, tmp_path / "m.pt", name="two")
    loaded = load_model(tmp_path / "m.pt", device="cpu")
    assert loaded.quantities == NAMES
    found = loaded.predict(Graph.of(structure(), ELEMENTS, 4.0), outputs=True).outputs
    for name in NAMES:
        mean = np.mean([values(member, name, structure()) for member in members], axis=0)
        np.testing.assert_allclose(found[name], mean, atol=1e-12)


@pytest.mark.parametrize(("one", "other"), [(["charges"], []), ([], ["charges"])])
def test_members_with_different_outputs_are_no_committee(one: list[str], other: list[str], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"member 1 of the committee differs from member 0 in .*outputs"):
        export_model([build(one), build(other)], tmp_path / "m.pt", name="two")
    assert not (tmp_path / "m.pt").exists()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [(["charge"], "unknown output 'charge'.*Did you mean 'charges'"), (["charges", "charges"], "each output once")],
)
def test_outputs_that_there_are_not(outputs: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(outputs)


def test_terms_alone_have_no_outputs() -> None:
    config = PotentialConfig(architecture="zbl", outputs=["charges"])
    with pytest.raises(ConfigError, match="only an architecture with features"):
        build_potential(config, ["Al"], [Head(1.0, {"Al": 0.0})], TrainingData(10.0))


@pytest.mark.parametrize("name", ["energy", "stress", "spin"])
def test_only_quantities_of_the_table_can_be_registered(name: str) -> None:
    with pytest.raises(ConfigError, match="no quantity of atoms"):
        register(name)


def test_a_head_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("magnetic_moments", "outside", "unnp.output_heads")
    own = REGISTRY.get("magnetic_moments")
    monkeypatch.setattr(REGISTRY, "entries", {"charges": REGISTRY.get("charges")})
    monkeypatch.setattr(EntryPoint, "load", lambda self: register(self.name)(own))
    monkeypatch.setattr("unnp.plugins.registry.entry_points", lambda group: [entry])
    assert REGISTRY.names() == ["charges", "magnetic_moments"]
    assert REGISTRY.get("magnetic_moments") is own


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_gives_another_output_is_not_written(tmp_path: Path, monkeypatch, name: str) -> None:
    save = torch.jit.save

    def save_changed(module, *args, **kwargs) -> None:
        weight = next(p for n, p in module.named_parameters() if "output_heads" in n)
        with torch.no_grad():
            weight += 0.3
        save(module, *args, **kwargs)
        with torch.no_grad():
            weight -= 0.3

    monkeypatch.setattr(torch.jit, "save", save_changed)
    with pytest.raises(ModelError, match=f"gives another output '{name}' than the potential"):
        export_model([build([name])], tmp_path / "m.pt", name="other")
    assert not list(tmp_path.iterdir())
