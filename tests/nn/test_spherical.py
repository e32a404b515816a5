"""Real spherical harmonics against scipy, the addition theorem, rotations, and at the poles."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre, sph_harm_y
from torch import Tensor
from unnp.nn.spherical import SphericalHarmonics

L_MAX = 6
POLES = torch.tensor([[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [0, -1, 0]], dtype=torch.float64)


def random_units(n: int, seed: int = 0) -> Tensor:
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 3)))
    return x / x.norm(dim=1, keepdim=True)


def degree(y: Tensor, l: int) -> Tensor:  # noqa: E741
    return y[:, l * l : (l + 1) ** 2]


def test_values_of_scipy():
    unit = torch.cat([random_units(50), POLES])
    y = SphericalHarmonics(8)(unit)
    assert y.shape == (54, 81)
    x = unit.numpy()
    theta, phi = np.arccos(x[:, 2]), np.arctan2(x[:, 1], x[:, 0])
    for l in range(9):  # noqa: E741
        for m in range(l + 1):
            value = (-1) ** m * sph_harm_y(l, m, theta, phi)  # without the Condon-Shortley phase
            if m == 0:
                np.testing.assert_allclose(y[:, l * l + l], value.real, atol=1e-12)
            else:
                np.testing.assert_allclose(y[:, l * l + l + m], math.sqrt(2) * value.real, atol=1e-12)
                np.testing.assert_allclose(y[:, l * l + l - m], math.sqrt(2) * value.imag, atol=1e-12)


def test_first_degree_is_y_z_x():
    unit = random_units(5)
    np.testing.assert_allclose(
        degree(SphericalHarmonics(1, "component")(unit), 1), math.sqrt(3) * unit[:, [1, 2, 0]], atol=1e-14
    )


@pytest.mark.parametrize(("normalization", "factor"), [("integral", 1 / (4 * math.pi)), ("component", 1.0)])
def test_addition_theorem(normalization, factor):
    a, b = random_units(40, 1), random_units(40, 2)
    harmonics = SphericalHarmonics(L_MAX, normalization)
    for l in range(L_MAX + 1):  # noqa: E741
        product = (degree(harmonics(a), l) * degree(harmonics(b), l)).sum(1)
        expected = factor * (2 * l + 1) * eval_legendre(l, (a * b).sum(1).numpy())
        np.testing.assert_allclose(product, expected, atol=1e-13 * (2 * l + 1))


@pytest.mark.parametrize("reflect", [False, True])
def test_rotations_and_reflections_act_within_each_degree(reflect):
    """The matrix of a rotation is found by least squares from some directions, and is orthogonal and right for others."""
    matrix = torch.from_numpy(Rotation.from_rotvec([0.3, -1.2, 0.8]).as_matrix()) * (-1 if reflect else 1)
    harmonics, fitted, others = SphericalHarmonics(L_MAX), random_units(60, 3), random_units(20, 4)
    for l in range(L_MAX + 1):  # noqa: E741
        wigner = torch.linalg.lstsq(degree(harmonics(fitted), l), degree(harmonics(fitted @ matrix.T), l)).solution
        np.testing.assert_allclose(wigner.T @ wigner, np.eye(2 * l + 1), atol=1e-12)
        turned = degree(harmonics(others @ matrix.T), l)
        np.testing.assert_allclose(degree(harmonics(others), l) @ wigner, turned, atol=1e-12)


def test_derivatives_also_at_the_poles():
    harmonics = SphericalHarmonics(L_MAX)

    def of_vectors(vector: Tensor) -> Tensor:
        return harmonics(vector / vector.norm(dim=1, keepdim=True))

    vectors = torch.cat([POLES, 1.7 * random_units(2)]).requires_grad_()
    assert torch.autograd.gradcheck(of_vectors, vectors)
    assert torch.autograd.gradgradcheck(of_vectors, vectors)


@pytest.mark.parametrize("degrees", [(0, 1), (2, 2), (3, 6), (0, 12), (11, 12)])
@pytest.mark.parametrize("n", [0, 1, 7, 33])
def test_fused_and_plain_are_the_same(degrees: tuple[int, int], n: int):
    """Values, gradients and second derivatives, of vectors that need not be unit vectors too."""
    harmonics = SphericalHarmonics(degrees[1], l_min=degrees[0])
    found: list[list[Tensor]] = []
    for form in (harmonics, harmonics.plain):
        torch.manual_seed(n)
        vectors = torch.randn(n, 3, dtype=torch.float64, requires_grad=True)
        value = form(vectors)
        assert value.shape == (n, harmonics.width)
        weights = torch.randn_like(value).requires_grad_()
        (first,) = torch.autograd.grad((weights * value).sum(), vectors, create_graph=True)
        along = (first * torch.randn_like(first)).sum()
        second = torch.autograd.grad(along, [vectors, weights], materialize_grads=True)
        found.append([value, first, *second])
    for fused, plain in zip(*found, strict=True):
        size = max(float(plain.abs().max()), 1.0) if n else 1.0
        assert torch.allclose(fused, plain, rtol=0, atol=1e-12 * size)


def test_fused_in_float32():
    unit = random_units(40).float()
    y = SphericalHarmonics(8)(unit)
    assert y.dtype == torch.float32
    np.testing.assert_allclose(y, SphericalHarmonics(8)(unit.double()), atol=2e-6)


def test_poles_are_approached_smoothly():
    near = torch.tensor([[1e-9, -1e-9, 1.0]], dtype=torch.float64, requires_grad=True)
    at = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    weights = torch.linspace(-1, 1, (L_MAX + 1) ** 2, dtype=torch.float64)
    slopes = [torch.autograd.grad((SphericalHarmonics(L_MAX)(x) @ weights).sum(), x)[0] for x in (near, at)]
    assert torch.isfinite(slopes[1]).all()
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-6)


def test_torchscript_float32_and_nothing():
    harmonics = SphericalHarmonics(L_MAX)
    scripted, unit = torch.jit.script(harmonics), random_units(30)
    assert torch.equal(scripted(unit), harmonics(unit))
    single = scripted(unit.float())
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, harmonics(unit), atol=2e-6)
    assert scripted(unit[:0]).shape == (0, harmonics.width)
    assert SphericalHarmonics(0)(unit).shape == (30, 1)


@pytest.mark.parametrize(("l_min", "l_max"), [(0, 8), (3, 6), (0, 0)])
def test_sums_of_monomials_are_the_same(l_min, l_max):
    harmonics, unit = SphericalHarmonics(l_max, "component", l_min), torch.cat([random_units(40, 5), POLES])
    np.testing.assert_allclose(harmonics.summed(unit), harmonics.plain(unit), atol=1e-12)
    single = unit.float()
    np.testing.assert_allclose(harmonics.summed(single), harmonics.plain(unit), atol=2e-5)


def test_derivatives_of_sums_of_monomials_also_at_the_poles():
    harmonics = SphericalHarmonics(4, "integral", 1)

    def of_vectors(vector: Tensor) -> Tensor:
        return harmonics.summed(vector / vector.norm(dim=1, keepdim=True))

    vectors = torch.cat([POLES, 1.7 * random_units(2)]).requires_grad_()
    assert torch.autograd.gradcheck(of_vectors, vectors)
    assert torch.autograd.gradgradcheck(of_vectors, vectors)
