"""The cutoff function is C2, and falls from 1 to 0."""

import math

import pytest
import torch
from unnp.nn.cutoff import CutoffFunction, half_cosine_cutoff, polynomial_cutoff

CUTOFF = 4.7
exponents = pytest.mark.parametrize("p", [3, 4, 6, 9])


def derivatives(distance: float, p: int) -> list[float]:
    """Return f, f' and f''."""
    r = torch.tensor([distance], dtype=torch.float64, requires_grad=True)
    f = polynomial_cutoff(r, CUTOFF, p)
    (slope,) = torch.autograd.grad(f.sum(), r, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), r)
    return [f.item(), slope.item(), curvature.item()]


@exponents
def test_vanishes_with_two_derivatives_at_the_cutoff(p):
    below = derivatives(CUTOFF * (1 - 1e-8), p)
    assert below[0] == pytest.approx(0, abs=1e-14)
    assert below[1] == pytest.approx(0, abs=1e-13)
    assert below[2] == pytest.approx(0, abs=1e-5)
    assert below[2] != 0  # the third derivative does not vanish
    at = derivatives(CUTOFF, p)
    assert at == pytest.approx([0, 0, 0], abs=1e-12)


@exponents
@pytest.mark.parametrize("distance", [CUTOFF * (1 + 1e-12), 5.0, 100.0])
def test_nothing_beyond_the_cutoff(p, distance):
    assert derivatives(distance, p) == [0, 0, 0]


@exponents
def test_one_at_the_atom(p):
    assert derivatives(0.0, p)[:2] == [1, 0]
    assert derivatives(1e-3, p)[0] == pytest.approx(1, abs=1e-8)


@exponents
def test_falls_all_the_way(p):
    f = polynomial_cutoff(torch.linspace(0, CUTOFF, 501, dtype=torch.float64), CUTOFF, p)
    assert (f[1:] <= f[:-1]).all()
    assert 0 <= f.min() <= f.max() == 1


@exponents
def test_is_the_published_formula(p):
    x = torch.linspace(0, 1, 101, dtype=torch.float64)
    expected = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    torch.testing.assert_close(polynomial_cutoff(CUTOFF * x, CUTOFF, p), expected, rtol=0, atol=1e-13)


def test_float32():
    r = torch.linspace(0.5, 4.9, 200)
    exact = polynomial_cutoff(r.double(), CUTOFF)
    assert (polynomial_cutoff(r, CUTOFF) - exact).abs().max() < 1e-5


def test_half_cosine_is_the_published_formula_and_only_c1():
    r = torch.linspace(0, 6, 101, dtype=torch.float64)
    expected = torch.where(r < CUTOFF, 0.5 * (1 + torch.cos(math.pi * r / CUTOFF)), 0.0)
    torch.testing.assert_close(half_cosine_cutoff(r, CUTOFF), expected, rtol=0, atol=1e-15)
    near = torch.tensor([CUTOFF * (1 - 1e-9), CUTOFF * (1 + 1e-9)], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(half_cosine_cutoff(near, CUTOFF).sum(), near, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), near)
    assert slope.abs().max() < 1e-8
    assert curvature.tolist() == pytest.approx([math.pi**2 / (2 * CUTOFF**2), 0])


def test_cutoff_function_by_name():
    r = torch.linspace(0.1, 6, 30, dtype=torch.float64)
    for kind, expected in [("polynomial", polynomial_cutoff(r, CUTOFF, 5)), ("cosine", half_cosine_cutoff(r, CUTOFF))]:
        function = CutoffFunction(kind, CUTOFF, 5)
        assert torch.equal(function(r), expected)
        assert torch.equal(torch.jit.script(function)(r), expected)
