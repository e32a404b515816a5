"""TeaNet's products of vectors and tensors: their symmetries, what they do at zero and where they are large."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from ase import Atoms
from torch import Tensor
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.models.architectures.teanet import TeaNet, TeaNetConfig
from unnp.models.architectures.teanet.products import Products
from unnp.models.architectures.teanet.state import Atoms as State
from unnp.models.architectures.teanet.state import Messages
from unnp.models.architectures.teanet.update import Update

CONFIG = TeaNetConfig(scalars=4, vectors=3, tensors=2, products=5)
PLACES = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
MIRROR = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))


@pytest.fixture
def update() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """A middle layer's update with random weights, which finds no multipoles."""
    torch.manual_seed(1)
    update = Update(CONFIG, first=False, last=False).double()
    return lambda *given: tuple(update(State(*given[:3]), Messages(*given[3:], given[0][:, :0])))


def state(n: int = 6) -> list[Tensor]:
    """Return s, v, t of n atoms and of their messages."""
    torch.manual_seed(2)
    return [torch.randn(n, *shape, dtype=torch.float64) for shape in 2 * [(4,), (3, 3), (6, 2)]]


def turned_vectors(q: Tensor, v: Tensor) -> Tensor:
    return torch.einsum("ab,nbc->nac", q, v)


def turned_tensors(q: Tensor, t: Tensor) -> Tensor:
    full = t.new_zeros(len(t), 3, 3, t.shape[2])
    for place, (a, b) in enumerate(PLACES):
        full[:, a, b] = full[:, b, a] = t[:, place]
    full = torch.einsum("ab,nbcx,dc->nadx", q, full, q)
    return torch.stack([full[:, a, b] for a, b in PLACES], dim=1)


def turned(q: Tensor, s: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return s, turned_vectors(q, v), turned_tensors(q, t)


@pytest.mark.parametrize("determinant", [1.0, -1.0])
def test_the_update_turns_and_is_reflected_with_vectors_and_tensors(update, determinant):
    torch.manual_seed(3)
    q = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    q = q if torch.det(q) * determinant > 0 else q @ MIRROR
    assert torch.det(q).item() == pytest.approx(determinant)
    given = state()
    turned_first = update(*turned(q, *given[:3]), *turned(q, *given[3:]))
    turned_afterwards = turned(q, *update(*given))
    torch.testing.assert_close(turned_first, turned_afterwards, rtol=0, atol=1e-12)
    assert (turned_first[1] - update(*given)[1]).abs().max() > 0.1


def test_atoms_in_another_order_have_the_same_products(update):
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    given = state()
    reordered = update(*[x[order] for x in given])
    torch.testing.assert_close(reordered, tuple(x[order] for x in update(*given)), rtol=0, atol=1e-14)


def test_products_tell_apart_what_norms_cannot():
    torch.manual_seed(1)
    products = Products(CONFIG, first=True, coupled=True).double()
    s, v, t = state()[:3]
    against = turned_tensors(torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0], t)
    invariants, coupled = products(s, s, v, t)
    change = (products(s, s, v, against)[0] - invariants).abs().unflatten(1, (4, CONFIG.products)).amax((0, 2))
    assert change[[0, 1, 3]].max() < 1e-12  # vectors alone, tensors alone
    assert change[2] > 1e-2  # tensors that are turned against the vectors
    assert [x.shape for x in coupled] == [(6, 3, 5), (6, 6, 5), (6, 6, 5)]


def test_products_are_zero_without_vectors_and_tensors(update):
    s, v, t, m_s = [torch.zeros_like(x) for x in state()[:4]]
    s = state()[0]
    after = update(s, v, t, m_s, v, t)
    assert all(torch.equal(new, old) for new, old in zip(after, (s, v, t), strict=True))


def test_the_update_is_smooth_where_vectors_and_tensors_vanish(update):
    """Along a line through zero the second derivative of finite differences has one value on both sides, and autograd's."""
    s, *direction = state(1)
    direction[2] = torch.zeros_like(direction[2])

    def along(x: Tensor) -> Tensor:
        v, t, _, m_v, m_t = [x * d for d in direction]
        after = update(s, v, t, torch.zeros_like(s), m_v, m_t)
        return torch.cat([part.flatten() for part in after])

    step = 1e-4
    points = torch.stack([along(torch.tensor(k * step, dtype=torch.float64)) for k in range(-3, 4)])
    second = (points[:-2] - 2 * points[1:-1] + points[2:]) / step**2
    zero = torch.zeros((), dtype=torch.float64)
    first = partial(torch.autograd.functional.jacobian, along, create_graph=True)
    exact = torch.autograd.functional.jacobian(first, zero)
    assert exact.abs().max() > 0.1
    torch.testing.assert_close(second, exact.expand_as(second), rtol=0, atol=0.02 * exact.abs().max().item())


def test_large_products_grow_no_faster_than_one_factor(update):
    given = state()
    sizes = []
    for factor in (1e4, 1e6):
        after = update(given[0], *[factor * x for x in given[1:3]], given[3], *[factor * x for x in given[4:]])
        sizes.append(torch.stack([part.abs().max() for part in after]))
    assert (sizes[1] / sizes[0]).max() < 101


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"products": 0},
        {"last_messages": "scalars"},
        {"layer_cutoffs": [4.0]},
        {"degree": 5, "multipoles": 3},
        {"degree": 3, "last_messages": "scalars"},
    ],
)
def test_forces_are_the_slope_of_the_energy_in_every_form(settings):
    torch.manual_seed(5)
    small = {
        "layer_cutoffs": [4.0, 3.0],
        "scalars": 4,
        "vectors": 3,
        "tensors": 2,
        "hidden": 5,
        "products": 3,
        "degree": 2,
    }
    config = PotentialConfig(settings=small | settings)
    potential = build_potential(config, ["Si"], [Head(1.0, {"Si": 0.0})], TrainingData(20.0)).double()
    atoms = Atoms("Si4", [[0, 0, 0], [2.2, 0.3, 0], [0.4, 2.2, 0.5], [2.0, 1.9, 1.3]])

    def of(positions: np.ndarray):
        atoms.positions[:] = positions
        return predict(potential, Graph.of(Structure.from_atoms(atoms), Elements(["Si"]), 4.0), derivatives=True)

    start = atoms.positions.copy()
    force = of(start).forces[1, 0].item()
    step = np.zeros_like(start)
    step[1, 0] = 1e-4
    slope = (of(start + step).energy - of(start - step).energy).item() / 2e-4
    assert abs(force) > 1e-3
    assert force == pytest.approx(-slope, rel=1e-5, abs=1e-8)


def test_the_published_form_has_no_products():
    config = TeaNetConfig(**TeaNet.presets["published-form"])
    names = [name for name, _ in TeaNet(config, ["Si"]).named_parameters()]
    assert not [name for name in names if "products" in name]
    assert not hasattr(TeaNet(config, ["Si"]).layers[-1], "directed_message")
    recommended = TeaNetConfig()
    assert recommended.products > 0
    assert TeaNet(recommended, ["Si"]).layers[-1].directed_message.out_features == 16 + 16


def eight_neighbours(twist: float) -> Atoms:
    """Return an atom in a cube of others, whose upper face is turned by an angle; no others are within 1.15 of the distance."""
    angle = np.arange(4) * np.pi / 2
    faces = [(1.0, angle + twist), (-1.0, angle)]
    others = [[np.sqrt(2) * np.cos(a), np.sqrt(2) * np.sin(a), z] for z, angles in faces for a in angles]
    return Atoms("Si9", np.vstack([np.zeros((1, 3)), 2.4 / np.sqrt(3) * np.array(others)]))


@pytest.mark.parametrize(("degree", "differ"), [(2, False), (3, False), (4, True), (6, True)])
def test_one_layer_tells_a_cube_from_an_antiprism_by_its_fourth_degree(degree: int, differ: bool) -> None:
    """Their first, second and third moments are the same; so are all distances within the cutoff."""
    torch.manual_seed(6)
    small = {
        "layer_cutoffs": [2.6],
        "scalars": 4,
        "vectors": 3,
        "tensors": 2,
        "hidden": 5,
        "products": 3,
        "degree": degree,
    }
    potential = build_potential(PotentialConfig(settings=small), ["Si"], [Head(1.0, {"Si": 0.0})], TrainingData(8.0))
    structures = [Structure.from_atoms(eight_neighbours(twist)) for twist in (0.0, np.pi / 4)]
    graphs = [Graph.of(structure, Elements(["Si"]), 2.6) for structure in structures]
    assert [graph.n_bonds for graph in graphs] == [8, 8]
    cube, antiprism = (potential.double()(*graph.arguments)[0].item() for graph in graphs)
    difference = abs(cube - antiprism)  # small in any case, near the cutoff
    assert difference > 1e-8 if differ else difference < 1e-13
