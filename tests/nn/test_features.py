"""Radial functions, norms of tensors, and linear maps that keep the variance."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch.nn.functional import silu
from unnp.core import core
from unnp.nn.exchange import exchange
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.radial import GaussianBasis, SincBasis
from unnp.nn.tensors import (
    applied,
    contraction,
    norms,
    smooth_norm,
    symmetric_dyad,
    symmetric_product,
    taming,
)


def test_radial_functions_are_orthonormal_and_vanish_at_the_cutoff():
    basis = SincBasis(4, 5.0).double()
    end = basis(torch.tensor([5.0], dtype=torch.float64))
    assert end.abs().max() < 1e-6  # frequencies were made in float32

    def overlap(m: int, n: int) -> float:
        def integrand(r: float) -> float:
            b = basis(torch.tensor([r], dtype=torch.float64))[0]
            return (b[m] * b[n]).item() * r * r

        return quad(integrand, 1e-9, 5.0)[0]

    for m in range(4):
        for n in range(m + 1):
            assert overlap(m, n) == pytest.approx(float(m == n), abs=1e-6)


def test_radial_functions_have_the_published_form():
    r = torch.linspace(0.3, 4.0, 7)
    expected = torch.stack([math.sqrt(2 / 4.0) * torch.sin(n * math.pi / 4.0 * r) / r for n in (1, 2, 3)], dim=1)
    torch.testing.assert_close(SincBasis(3, 4.0)(r), expected)


def test_gaussians_stand_a_width_apart_from_zero_to_the_cutoff():
    r = torch.linspace(0.0, 4.0, 9, dtype=torch.float64)
    values = GaussianBasis(5, 4.0)(r)
    expected = torch.stack([torch.exp(-0.5 * (r - k) ** 2) for k in range(5)], dim=1)
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-15)  # centres are exact, whatever they were made in


def test_norm_has_no_cusp():
    x = torch.tensor([0.0, 1e-4, 0.3, 50.0], dtype=torch.float64, requires_grad=True)
    norm = smooth_norm(x.square())
    (slope,) = torch.autograd.grad(norm.sum(), x)
    assert norm[0] == 0
    assert slope[0] == 0
    assert slope[1].item() == pytest.approx(1e-3, rel=1e-3)  # x / eps
    assert norm[3].item() == pytest.approx(50 - 0.1, abs=1e-3)


def test_norms_do_not_change_under_rotation():
    torch.manual_seed(0)
    q = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    v = torch.randn(5, 3, 4, dtype=torch.float64)
    full = torch.randn(5, 3, 3, 3, dtype=torch.float64)
    full = full + full.transpose(1, 2)

    def packed(t: torch.Tensor) -> torch.Tensor:
        return torch.stack([t[:, a, b] for a, b in [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]], dim=1)

    rotated = torch.einsum("ab,nbc->nac", q, v), packed(torch.einsum("ab,nbcx,dc->nadx", q, full, q))
    found = norms(v, packed(full))
    torch.testing.assert_close(norms(*rotated), found)
    squares = torch.cat([v.square().sum(1), full.square().sum((1, 2))], dim=1)
    torch.testing.assert_close(found, smooth_norm(squares))


def test_linear_maps_keep_the_variance():
    torch.manual_seed(0)
    x = torch.randn(20_000, 64)
    y = linear(64, 256)(x)
    assert y.var().item() == pytest.approx(1, abs=0.1)
    assert linear(64, 256, gain=SILU_GAIN)(silu(x)).square().mean().item() == pytest.approx(1, abs=0.15)
    assert linear(3, 4).bias.tolist() == [0] * 4
    assert linear(3, 4, bias=False).bias is None


def test_exchange_without_ghosts_is_the_identity():
    core()
    h = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert exchange(h, 4, 0) is h
    op = torch.ops.unnp.exchange
    assert torch.equal(op(h, 4, 0), h)
    assert torch.autograd.gradcheck(lambda x: op(x, 4, 0), [h])
    with pytest.raises(RuntimeError, match="halo 0 has no ghosts"):
        op(h, 5, 0)


def test_an_unknown_halo_is_an_error():
    core()
    with pytest.raises(RuntimeError, match="halo"):
        torch.ops.unnp.exchange(torch.zeros(2, 1), 3, 4711)


def matrices(t: torch.Tensor) -> torch.Tensor:
    """Return symmetric tensors (6, n, channels) as matrices (n, channels, 3, 3)."""
    xx, yy, zz, yz, xz, xy = t.unbind(0)
    return torch.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], dim=2).unflatten(2, (3, 3))


def test_products_of_tensors_are_those_of_matrices():
    torch.manual_seed(0)
    t, u = torch.randn(2, 6, 4, 5, dtype=torch.float64)
    v, w = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    a, b = matrices(t), matrices(u)
    x, y = v.permute(1, 2, 0), w.permute(1, 2, 0)
    torch.testing.assert_close(contraction(t, u, 0), (a * b).sum((2, 3)))
    torch.testing.assert_close(contraction(t.transpose(0, 1), u.transpose(0, 1)), (a * b).sum((2, 3)))
    torch.testing.assert_close(applied(t, v).permute(1, 2, 0), (a @ x.unsqueeze(3)).squeeze(3))
    dyads = x.unsqueeze(3) * y.unsqueeze(2)
    torch.testing.assert_close(matrices(symmetric_dyad(v, w)), (dyads + dyads.mT) / 2)
    torch.testing.assert_close(matrices(symmetric_product(t, u)), (a @ b + (a @ b).mT) / 2)


def test_tamed_products_are_themselves_when_small_and_grow_as_one_factor_when_large():
    x = torch.tensor([1e-3, -1e-3, 0.0, 1e8, -1e8], dtype=torch.float64)
    small_and_large = torch.tensor([1e-3, -1e-3, 0.0, 1e4, -1e4], dtype=torch.float64)
    torch.testing.assert_close(x * taming(x.square()), small_and_large, rtol=1e-6, atol=0)
