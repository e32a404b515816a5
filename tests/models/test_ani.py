"""ANI is the published one: surroundings, energies and forces equal torchani's, in cells narrower than the cutoff too."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.errors import ConfigError
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential
from unnp.models.architectures.ani import ANI, Sections, numbers_of_pairs
from unnp.models.checkpoint import number_type
from unnp.nn.system import System

SYMBOLS = ["H", "C", "O"]


def potential(data: TrainingData | None = None, preset: str | None = None, **settings: Any) -> Potential:
    torch.manual_seed(0)
    config = PotentialConfig(architecture="ani", preset=preset, settings=settings)
    with number_type("float64"):
        return build_potential(config, SYMBOLS, [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], data or TrainingData(20.0))


def network(built: Potential) -> ANI:
    assert isinstance(built.representation, ANI)
    return built.representation


def random_structure(seed: int, shortest: float = 1.0) -> Structure:
    """Return atoms in a cell that is narrower than the cutoff, or without a cell for odd seeds."""
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3.5, 5.5, 3)) + rng.uniform(-0.6, 0.6, (3, 3))
    positions = (np.arange(7)[:, None] / 7 + rng.uniform(0, 0.3, (7, 3))) @ cell * shortest
    return Structure(rng.choice([1, 6, 8], 7), positions, cell * shortest, np.full(3, seed % 2 == 0))


def system(structure: Structure, cutoff: float) -> System:
    graph = Graph.of(structure, Elements(SYMBOLS), cutoff)
    return System(*graph.arguments[:4], graph.n_graphs, graph.n_atoms, 0)


def surroundings(of: ANI, structure: Structure) -> Tensor:
    atoms = system(structure, of.config.cutoff)
    return torch.cat([of.environment.distances(atoms), of.environment.angles(atoms)], dim=1)


def exactly(computer: Any, of: ANI) -> Any:
    """Return torchani's module in float64, its constants too, which it rounds to float32."""
    c = of.config
    computer = computer.double()

    def shifts(n: int, last: float) -> Tensor:
        return c.first_shift + torch.arange(n, dtype=torch.float64) * ((last - c.first_shift) / n)

    computer.radial.eta.fill_(c.radial_eta)
    computer.radial.shifts.copy_(shifts(c.radial_shifts, c.radial_cutoff))
    computer.angular.eta.fill_(c.angular_eta)
    computer.angular.zeta.fill_(c.zeta)
    computer.angular.shifts.copy_(shifts(c.angular_shifts, c.angular_cutoff))
    halves = torch.arange(c.sections, dtype=torch.float64) + 0.5
    computer.angular.sections.copy_(halves * (torch.pi / c.sections))
    return computer


@pytest.mark.parametrize(("preset", "name"), [("published", "like_2x"), ("ani-1x", "like_1x")])
@pytest.mark.parametrize("seed", range(4))
def test_equal_to_torchani(preset: str, name: str, seed: int) -> None:
    """All functions, their order, cutoff functions and constants are those of the published networks."""
    aev = pytest.importorskip("torchani.aev", reason="needs torchani (make parity)", exc_type=ImportError)
    ours = network(potential(preset=preset))
    terms = (getattr(term, name)() for term in (aev.ANIRadial, aev.ANIAngular))
    theirs = exactly(aev.AEVComputer(*terms, num_species=3), ours)
    structure = random_structure(seed)
    species = system(structure, 1.0).species.unsqueeze(0)
    positions = torch.from_numpy(structure.positions).unsqueeze(0)
    periodic = bool(structure.pbc.all())
    cell = {"cell": torch.from_numpy(structure.cell), "pbc": torch.ones(3, dtype=torch.bool)} if periodic else {}
    expected = theirs(species, positions, **cell)[0]
    found = surroundings(ours, structure)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def with_weights_of(ours: Potential, networks: Any) -> Any:
    """Return torchani's networks of the elements with the weights of a potential, whose last layer has no bias."""
    representation, head = network(ours), ours.energy_heads[0]
    for k, theirs in enumerate(networks.atomics.values()):
        copied = [layer for layer in representation.networks.networks[k] if isinstance(layer, torch.nn.Linear)]
        for mine, its in zip(copied, theirs.layers, strict=True):
            its.load_state_dict(mine.state_dict())
        with torch.no_grad():
            theirs.final_layer.weight.copy_(head.weight[k : k + 1])
            theirs.final_layer.bias.zero_()
    return networks


@pytest.mark.parametrize("seed", range(4))
def test_energies_and_forces_are_those_of_torchani(seed: int) -> None:
    """The whole network with copied weights; our energies count from those of atoms alone."""
    torchani = pytest.importorskip("torchani", reason="needs torchani (make parity)", exc_type=ImportError)
    ours = potential(preset="published", hidden=[9, 7])
    c = network(ours).config
    aev = exactly(
        torchani.AEVComputer(torchani.aev.ANIRadial.like_2x(), torchani.aev.ANIAngular.like_2x(), 3), network(ours)
    )
    sizes = (network(ours).environment.n_radial + network(ours).environment.n_angular, *c.hidden, 1)
    made = {symbol: torchani.nn.AtomicNetwork(sizes, "celu", bias=True) for symbol in SYMBOLS}
    networks = with_weights_of(ours, torchani.nn.ANINetworks(made).double())
    structure = random_structure(seed)
    graph = Graph.of(structure, Elements(SYMBOLS), c.cutoff)
    species = graph.species.unsqueeze(0)
    positions = torch.from_numpy(structure.positions).unsqueeze(0).requires_grad_(True)
    periodic = bool(structure.pbc.all())
    cell = {"cell": torch.from_numpy(structure.cell), "pbc": torch.ones(3, dtype=torch.bool)} if periodic else {}
    energy = networks(species, aev(species, positions, **cell)).sum()
    alone = networks(species, torch.zeros(1, len(structure), sizes[0], dtype=torch.float64)).sum()
    (gradient,) = torch.autograd.grad(energy, positions)
    found = predict(ours, graph)
    assert found.forces.abs().max() > 0.01
    torch.testing.assert_close(found.energy.sum(), (energy - alone).detach(), rtol=0, atol=1e-9)
    torch.testing.assert_close(found.forces, -gradient[0], rtol=0, atol=1e-9)


def test_order_of_elements() -> None:
    """Each pair of elements has functions of its own, whichever of the two comes first."""
    numbers = numbers_of_pairs(3).reshape(3, 3)
    torch.testing.assert_close(numbers, torch.tensor([[0, 1, 2], [1, 3, 4], [2, 4, 5]]))


@pytest.mark.parametrize("factor", [0.9, 1.4])
def test_scale(factor: float) -> None:
    """Surroundings of a stretched structure are the same with radii that are stretched as well."""
    plain, scaled = network(potential()), network(potential(scale=factor))
    assert scaled.config.cutoff == pytest.approx(factor * plain.config.cutoff)
    expected, found = surroundings(plain, random_structure(0)), surroundings(scaled, random_structure(0, factor))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cosine", [1.0, -1.0, 0.3])
def test_derivatives_of_angles_are_finite(cosine: float) -> None:
    """Neighbours on a line are no exception: both derivatives are those of finite differences."""
    sections = Sections(4, 14.1).double()
    angles = torch.tensor([cosine], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sections, angles)
    assert torch.autograd.gradgradcheck(sections, angles)


def test_sections_are_the_published_ones() -> None:
    with number_type("float64"):
        sections = Sections(4, 14.1)
    cosine = torch.linspace(-1, 1, 41, dtype=torch.float64)
    centres = torch.pi * (torch.arange(4, dtype=torch.float64) + 0.5) / 4
    expected = 2 * ((1 + torch.cos(torch.acos(0.95 * cosine).unsqueeze(1) - centres)) / 2) ** 14.1
    torch.testing.assert_close(sections(cosine), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("activation", "function"), [("silu", torch.nn.SiLU()), ("celu", torch.nn.CELU(0.1))])
def test_each_element_has_a_network(activation: str, function: torch.nn.Module) -> None:
    """Energies are those of a loop over atoms, each with the weights of its own element."""
    built = potential(hidden=[9, 8, 7], activation=activation)
    ours, head = network(built), built.energy_heads[0]
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    structure = random_structure(0)
    inputs, species = surroundings(ours, structure), system(structure, 1.0).species

    def energy(x: Tensor, element: int) -> Tensor:
        maps = [part for part in ours.networks.networks[element] if isinstance(part, torch.nn.Linear)]
        for layer in maps:
            x = function(layer.weight @ x + layer.bias)
        return head.weight[element] @ x  # type: ignore[index, operator, no-any-return]

    loop = [energy(x, int(s)) - energy(torch.zeros_like(x), int(s)) for x, s in zip(inputs, species, strict=True)]
    found = built(*Graph.of(structure, Elements(SYMBOLS), ours.config.cutoff).arguments)
    assert found.std() > 0.1
    torch.testing.assert_close(found, torch.stack(loop), rtol=0, atol=1e-10)


def test_functions_are_normalized_to_the_training_data() -> None:
    """Distances and angles have the mean square 1 in the network where they had it not, and none without the setting."""
    graphs = [Graph.of(random_structure(seed), Elements(SYMBOLS), 5.1) for seed in range(3)]
    data = TrainingData(20.0, graphs)
    ours, raw = network(potential(data)), network(potential(data, normalize=False))
    atoms = data.sample(torch.float64)
    assert atoms is not None
    for scaling, part in [
        (ours.scale_distances, ours.environment.distances(atoms)),
        (ours.scale_angles, ours.environment.angles(atoms)),
    ]:
        assert abs(float(part.square().mean()) - 1) > 0.1
        assert float((scaling.factor * part).square().mean()) == pytest.approx(1.0)
    assert float(raw.scale_distances.factor) == float(raw.scale_angles.factor) == 1.0


@pytest.mark.parametrize("settings", [{"first_shift": 3.5}, {"radial_cutoff": 0.7}])
def test_first_shift_beyond_a_cutoff_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"first_shift .* must be below radial_cutoff .* and angular_cutoff"):
        potential(**settings)
