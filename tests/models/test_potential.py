"""Potentials: sums of terms with reference energies; committees; the registry of architectures."""

import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.derivatives import predict
from unnp.errors import ConfigError, ModelError
from unnp.models import (
    Architecture,
    Head,
    Potential,
    PotentialConfig,
    Term,
    TrainingData,
    architecture,
    architectures,
    build_potential,
    potential_from_description,
    registry,
    unavailable,
)
from unnp.models.committee import Committee
from unnp.nn.exchange import exchange
from unnp.nn.system import System

SYMBOLS = ["Al", "Ni"]
HEADS, DATA = [Head(1.5, {"Al": -3.1, "Ni": 2.7})], TrainingData(20.0)
SETTINGS = {"layer_cutoffs": [3.0, 4.0], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}


def build(seed: int = 0, **fields: Any) -> Potential:
    torch.manual_seed(seed)
    config = PotentialConfig(**{"settings": SETTINGS, **fields})
    return build_potential(config, SYMBOLS, HEADS, DATA).double()


def cluster() -> Graph:
    positions = [[0, 0, 0], [1.5, 0.3, 0], [0.4, 2.2, 0.5], [3.0, 1.9, 1.1]]
    return Graph.of(Structure(np.array([13, 28, 28, 13]), np.array(positions)), Elements(SYMBOLS), 4.0)


def energies(model: torch.nn.Module, graph: Graph) -> torch.Tensor:
    with torch.no_grad():
        return model(*graph.arguments)


def test_sum_of_terms():
    potential, graph = build(add={"zbl": {"outer": 2.5}}), cluster()
    system = System(*graph.arguments[:4], 1, graph.n_atoms, 0)
    features, zbl = potential.representation.features(system), potential.terms[0].energies(system)
    alone = potential.representation.embedding.weight
    network = potential.energy_heads[0](features, alone, graph.species, torch.ones(4, dtype=torch.bool))
    references = torch.tensor([-3.1, 2.7, 2.7, -3.1], dtype=torch.float64)
    torch.testing.assert_close(energies(potential, graph), 1.5 * network + zbl + references, rtol=0, atol=1e-13)
    assert network.abs().max() > 1e-3
    assert zbl.max() > 1
    assert potential.cutoff() == 4.0
    assert potential.receptive_field() == 7.0
    assert potential.halo() == "exchange"
    assert potential.communication().exchanges == [4 + 3 * 2 + 6 * 2]
    assert len(potential.references) == 2
    trained = [potential.representation, potential.energy_heads]
    assert potential.n_parameters == sum(p.numel() for part in trained for p in part.parameters())


def test_a_term_may_reach_farther_than_the_network():
    potential = build(add={"zbl": {"outer": 9.0}})
    assert (potential.cutoff(), potential.receptive_field()) == (9.0, 9.0)


def test_how_far_a_potential_sees_is_known_from_its_settings():
    config = PotentialConfig(preset="S", add={"zbl": {"outer": 6.5}})
    assert {n: (s.cutoff, s.receptive_field) for n, s in config.summands().items()} == {
        "teanet": (5.0, 9.0),
        "zbl": (6.5, 6.5),
    }
    assert config.cutoff() == 6.5


def test_settings_left_to_the_data_act_as_if_they_were_given():
    left, given = build(), build(settings={**SETTINGS, "average_neighbors": 20.0})
    torch.testing.assert_close(energies(left, cluster()), energies(given, cluster()), rtol=0, atol=0)
    assert left.describe() == given.describe()
    other = build(settings={**SETTINGS, "average_neighbors": 10.0})
    assert (energies(left, cluster()) - energies(other, cluster())).abs().max() > 1e-6


def test_description_includes_all_terms():
    potential = build(add={"zbl": {"outer": 2.5}})
    other = potential_from_description(potential.describe()).double()
    other.load_state_dict(potential.state_dict())
    torch.testing.assert_close(energies(other, cluster()), energies(potential, cluster()), rtol=0, atol=1e-6)
    assert potential.describe()["add"] == {"zbl": {"inner": 1.0, "outer": 2.5}}
    assert potential.describe()["settings"]["average_neighbors"] == 20.0


def test_terms_take_over_from_the_data_too(monkeypatch):
    class Dense(Term):
        """A term with a setting that is left to the data."""

        Config = architecture("teanet").Config
        adapt = architecture("teanet").adapt
        layers = ()

    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    registry.register("dense")(Dense)
    potential = build(add={"dense": SETTINGS})
    assert potential.describe()["add"]["dense"]["average_neighbors"] == 20.0


def test_presets_are_overridden_by_settings():
    preset = architecture("teanet").presets["S"]
    potential = build(preset="S", settings={"hidden": 5})
    settings = potential.describe()["settings"]
    assert settings["scalars"] == preset["scalars"] != 4
    assert settings["hidden"] == 5


def test_every_preset_can_be_built():
    for name, kind in architectures().items():
        for preset in kind.presets:
            assert build(architecture=name, preset=preset, settings={}).cutoff() > 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"architecture": "teanett"}, r"unknown architecture 'teanett'; allowed: .*Did you mean 'teanet'"),
        ({"preset": "XXL"}, r"unknown preset of teanet 'XXL'; allowed: .*S"),
        ({"settings": {"scalar": 3}}, r"potential.settings \(teanet\):\n.*scalar: unknown key. Did you mean 'scalars'"),
        ({"settings": {"layer_cutoffs": []}}, "layer_cutoffs"),
        ({"settings": {"layer_cutoffs": [4.0, float("nan")]}}, r"layer_cutoffs.1: .*finite"),
        ({"settings": {"layer_cutoffs": [4.0, -1.0]}}, r"layer_cutoffs.1: .*greater than 0"),
        ({"settings": {"tensors": 0}}, "tensors"),
        ({"add": {"zbll": {}}}, "unknown architecture 'zbll'.*Did you mean 'zbl'"),
        ({"add": {"teanet": {}}}, "'teanet' is no further term; write `architecture: teanet` to train it"),
        ({"add": {"zbl": {"outr": 2}}}, r"potential.add.zbl:\n.*outr: unknown key. Did you mean 'outer'"),
    ],
)
def test_wrong_configurations(fields, message):
    with pytest.raises(ConfigError, match=message):
        build(**fields)


def test_missing_reference_energies():
    with pytest.raises(ConfigError, match="reference energies of Ni are missing"):
        build_potential(PotentialConfig(settings=SETTINGS), SYMBOLS, [Head(1.0, {"Al": 0.0})], DATA)


def test_conversion_and_moving():
    potential = build().float()
    assert potential.reference_energies.dtype == torch.float64
    assert {p.dtype for p in potential.parameters()} == {torch.float32}
    assert potential.to("meta").reference_energies.device.type == "meta"


class Passing(Term):
    """A term that exchanges two numbers."""

    Config = architecture("zbl").Config

    def energies(self, system: System) -> torch.Tensor:
        h = system.bond_vector.new_zeros([system.n_updated, 2])
        return exchange(h, system.species.shape[0], system.halo)[: system.n_updated].sum(1)


@dataclass(frozen=True)
class Halos:
    network: str
    term: str
    together: str


@pytest.mark.parametrize(
    "halos",
    [
        Halos("local", "local", "local"),
        Halos("exchange", "local", "exchange"),
        Halos("local", "exchange", "exchange"),
        Halos("exchange", "wide", "wide"),
        Halos("wide", "local", "wide"),
    ],
)
def test_halo_that_suits_all_terms(halos, monkeypatch):
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    registry.register("passing")(Passing)
    cutoffs = {"layer_cutoffs": [3.0] if halos.network == "local" else [3.0, 4.0]}
    term = "passing" if halos.term == "exchange" else "zbl"
    potential = build(settings={**SETTINGS, **cutoffs}, add={term: {}})
    for summand, kind in zip(potential.summands(), (halos.network, halos.term), strict=True):
        if kind == "wide":
            monkeypatch.setattr(type(summand), "halo", "wide")
    assert potential.halo() == halos.together
    width = 4 + 3 * 2 + 6 * 2
    widths = ([width] if halos.network == "exchange" else []) + ([2] if term == "passing" else [])
    assert potential.communication().exchanges == ([] if halos.together == "wide" else widths)


class Hasty(Passing):
    """A term that exchanges only where there are bonds."""

    def energies(self, system: System) -> torch.Tensor:
        if system.bond_index.shape[1] > 0:
            return super().energies(system)
        return system.bond_vector.new_zeros([system.n_updated])


def test_exchanges_do_not_depend_on_what_a_rank_owns(monkeypatch):
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    registry.register("hasty")(Hasty)
    with pytest.raises(
        ModelError, match=r"exchanges \[22, 2\] numbers per atom, one without bonds \[22\], one without"
    ):
        build(add={"hasty": {}}).communication()


def test_committee_is_the_mean_of_its_members():
    members = [build(seed) for seed in range(3)]
    committee, graph = Committee(members), cluster()
    expected = torch.stack([energies(member, graph) for member in members])
    assert expected.std(0).min() > 1e-4
    torch.testing.assert_close(energies(committee, graph), expected.mean(0), rtol=0, atol=1e-13)
    with torch.no_grad():
        found = committee.members(*graph.arguments)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_layers_of_one_shape_share_parameters_in_a_tied_start():
    potential = build(settings={**SETTINGS, "layer_cutoffs": [3.0, 3.0, 4.0]})
    names = {id(p): name for name, p in potential.named_parameters()}
    groups = {tuple(names[id(p)] for p in group) for group in potential.tied_parameters()}
    assert tuple(f"representation.layers.{k}.even_odd.weight" for k in range(3)) in groups


def test_registry():
    assert {"teanet", "zbl"} <= set(architectures())
    for name, kind in architectures().items():
        assert kind.name == name
        assert (kind.__doc__ or "").strip()
        if kind.__module__.startswith("unnp."):
            assert kind.references
            assert all(field.description for field in kind.Config.model_fields.values())


def test_a_name_is_taken_once():
    class Impostor(Architecture):
        """Another one of that name."""

    with pytest.raises(ConfigError, match="'teanet' is registered twice"):
        registry.register("teanet")(Impostor)
    assert architecture("teanet") is not Impostor


def test_packages_that_do_not_import_are_named(monkeypatch):
    """For the architecture that was asked for alone; all others can be used."""
    broken = EntryPoint("quantum", "no_such_package.models:Quantum", "unnp.models")
    other = EntryPoint("odd", "unnp.nn.linear", "unnp.models")
    monkeypatch.setattr("unnp.plugins.registry.entry_points", lambda group: [broken, other])
    with pytest.raises(ConfigError, match=r"'quantum' of no_such_package.models:Quantum cannot be imported"):
        architecture("quantum")
    with pytest.raises(ConfigError, match=r"'odd' of unnp.nn.linear does not register itself by this name"):
        architecture("odd")
    assert unavailable().keys() == {"quantum", "odd"}
    assert {"teanet", "zbl"} <= set(architectures())
    assert not {"quantum", "odd"} & set(architectures())
    listed = CliRunner().invoke(build_app(), ["models"]).output
    assert "teanet" in listed
    assert "quantum      cannot be used: the architecture 'quantum' of no_such_package" in listed


def test_only_the_architecture_that_is_asked_for_is_imported():
    code = "import sys; from unnp.models import architecture; architecture('zbl'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "unnp.models.architectures.zbl" in loaded
    assert not [name for name in loaded if re.fullmatch(r"unnp\.models\.architectures\.(teanet|schnet|painn)", name)]


@pytest.mark.parametrize(("name", "module"), [("dimenet++", "dimenet_pp"), ("gemnet-t", "gemnet_t")])
def test_names_may_hold_what_names_of_modules_cannot(name, module):
    assert architecture(name).__module__ == f"unnp.models.architectures.{module}"
    assert architecture(name).name == name
    assert module not in architectures()
    with pytest.raises(ConfigError, match=f"unknown architecture '{module}'.* Did you mean '{re.escape(name)}'"):
        architecture(module)


def test_interactions_vanish_with_the_distance():
    graph = cluster()
    near = predict(build(add={"zbl": {}}), graph).atomic_energy
    far = Graph(graph.species, graph.bond_index, 10 * graph.bond_vector, graph.atom_graph, graph.volume)
    alone = predict(build(add={"zbl": {}}), far).atomic_energy
    np.testing.assert_allclose(alone, [-3.1, 2.7, 2.7, -3.1], atol=1e-12)
    assert (near - alone).abs().min() > 1e-6
