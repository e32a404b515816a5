"""Features to one row and back; sums over structures; the energy head."""

import numpy as np
import pytest
import torch
from torch import nn
from unnp.core import core
from unnp.nn.activations import SOFTPLUS_GAIN, ShiftedSoftplus
from unnp.nn.heads import MLPHead
from unnp.nn.linear import linear
from unnp.nn.packing import exchange_parts, pack, unpack
from unnp.nn.pooling import mean_by_graph, sum_by_graph
from unnp.nn.system import System

scripted = pytest.mark.parametrize("script", [False, True], ids=["eager", "TorchScript"])


@scripted
@pytest.mark.parametrize("n", [0, 1, 5])
def test_there_and_back(n, script):
    parts = [torch.randn(n, 4), torch.randn(n, 3, 2), torch.randn(n, 6, 5), torch.randn(n, 3, 3, 2), torch.randn(n, 0)]
    make, back = (torch.jit.script(pack), torch.jit.script(unpack)) if script else (pack, unpack)
    rows = make(parts)
    assert rows.shape == (n, 4 + 6 + 30 + 18)
    found = back(rows, parts)
    assert len(found) == len(parts)
    assert all(torch.equal(a, b) for a, b in zip(found, parts, strict=True))


def test_more_rows_than_the_parts_had():
    parts = [torch.randn(2, 4), torch.randn(2, 3, 2)]
    rows = torch.cat([pack(parts), torch.randn(3, 10)])
    s, v = unpack(rows, parts)
    assert torch.equal(s, rows[:, :4])
    assert torch.equal(v, rows[:, 4:].reshape(5, 3, 2))


@scripted
def test_without_ghosts_nothing_is_packed(script):
    core()  # registers the exchange
    parts = [torch.randn(2, 4), torch.randn(2, 3, 2)]
    found = (torch.jit.script(exchange_parts) if script else exchange_parts)(parts, 2, 0)
    assert all(a.data_ptr() == b.data_ptr() for a, b in zip(found, parts, strict=True))


@scripted
def test_sums_and_means_over_structures(script):
    x = torch.randn(6, 3, 2, dtype=torch.float64, requires_grad=True)
    graph = torch.tensor([0, 0, 3, 1, 3, 3])
    core()  # registers the sum over ranks
    system = System(graph, torch.empty(2, 0, dtype=torch.int64), torch.empty(0, 3), graph, 4, 6, 0)
    total, mean = (torch.jit.script(f) if script else f for f in (sum_by_graph, mean_by_graph))
    for g in range(4):
        rows = x[graph == g]
        torch.testing.assert_close(total(x, system)[g], rows.sum(0))
        expected = rows.mean(0) if len(rows) else torch.zeros(3, 2, dtype=torch.float64)
        torch.testing.assert_close(mean(x, system)[g], expected)
    assert torch.autograd.gradcheck(lambda y: mean_by_graph(y, system), x)
    assert mean_by_graph(torch.ones(6), system).tolist() == [1, 1, 0, 1]


def test_shifted_softplus():
    x = torch.linspace(-50, 50, 41, dtype=torch.float64, requires_grad=True)
    y = ShiftedSoftplus()(x)
    np.testing.assert_allclose(y.detach(), np.log(0.5 + 0.5 * np.exp(x.detach().numpy())), atol=1e-14)
    assert ShiftedSoftplus()(torch.zeros(1, dtype=torch.float64)).item() == 0
    assert torch.autograd.gradgradcheck(ShiftedSoftplus(), x)
    torch.manual_seed(0)
    values = linear(64, 256, gain=SOFTPLUS_GAIN)(ShiftedSoftplus()(torch.randn(20_000, 64)))
    assert values.square().mean().item() == pytest.approx(1, abs=0.15)


@scripted
def test_energy_of_an_atom_without_bonds_is_zero_to_the_last_bit(script):
    torch.manual_seed(0)
    head: nn.Module = MLPHead(33, 16, nn.SiLU(), 1.0)
    head = torch.jit.script(head) if script else head
    features, alone = torch.randn(5, 33), torch.randn(2, 33)
    species = torch.tensor([0, 1, 1, 0, 1])
    bonded = torch.tensor([True, False, True, False, True])
    features[1], features[3] = alone[1] * (1 + 1e-7), alone[0] * (1 - 1e-7)
    energy = head(features, alone, species, bonded)
    assert energy[[1, 3]].tolist() == [0, 0]
    expected = (head.network(features) - head.network(alone[species])).squeeze(1)
    torch.testing.assert_close(energy[bonded], expected[bonded])
    assert head(features[:0], alone, species[:0], bonded[:0]).shape == (0,)
