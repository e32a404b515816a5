"""Spherical Bessel functions and their zeros against scipy."""

import numpy as np
import pytest
import torch
from numpy.polynomial import legendre
from scipy.special import spherical_jn
from unnp.models.checkpoint import number_type
from unnp.nn.spherical_bessel import SphericalBesselBasis, spherical_bessel, spherical_bessel_zeros

SIZES = [(1, 1), (2, 1), (7, 6), (4, 20)]
CUTOFF = 5.0


def expected(n_degrees: int, n_functions: int, x: np.ndarray, derivative: bool = False) -> np.ndarray:
    zeros = spherical_bessel_zeros(n_degrees, n_functions)
    columns = []
    for degree, z in enumerate(zeros):
        norm = np.sqrt(2) / np.abs(spherical_jn(degree + 1, z))
        columns.append(spherical_jn(degree, np.multiply.outer(x, z), derivative) * norm * (z / CUTOFF) ** derivative)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("degree", range(8))
def test_function(degree):
    x = np.linspace(0, 40, 501)
    np.testing.assert_allclose(spherical_bessel(degree, x), spherical_jn(degree, x), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("n_degrees", "n_zeros"), SIZES)
def test_zeros(n_degrees, n_zeros):
    zeros = spherical_bessel_zeros(n_degrees, n_zeros)
    for degree, z in enumerate(zeros):
        np.testing.assert_allclose(spherical_jn(degree, z), 0, atol=1e-13)
        x = np.linspace(1e-3, z[-1] + 1e-6, 4001)
        assert np.count_nonzero(np.diff(np.sign(spherical_jn(degree, x)))) == n_zeros


@pytest.mark.parametrize(("n_degrees", "n_functions"), SIZES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_basis_and_slopes_at_every_distance(n_degrees, n_functions, dtype, tolerance):
    with number_type(dtype):
        basis = torch.jit.script(SphericalBesselBasis(n_degrees, n_functions, CUTOFF))
        r = torch.linspace(0.0, CUTOFF, 301, requires_grad=True)
    x = r.detach().double().numpy() / CUTOFF
    values = basis(r)
    function = expected(n_degrees, n_functions, x)
    np.testing.assert_allclose(values.detach(), function, rtol=0, atol=tolerance * np.abs(function).max())
    slope = expected(n_degrees, n_functions, x, derivative=True)
    for degree, n in np.ndindex(n_degrees, n_functions):
        (found,) = torch.autograd.grad(values[:, degree, n].sum(), r, retain_graph=True)
        np.testing.assert_allclose(found, slope[:, degree, n], rtol=0, atol=100 * tolerance * np.abs(slope).max())


def test_basis_is_orthonormal():
    nodes, weights = legendre.leggauss(80)
    x = 0.5 * (nodes + 1)
    with number_type("float64"):
        values = SphericalBesselBasis(5, 6, CUTOFF)(torch.tensor(CUTOFF * x)).numpy()
    for degree in range(5):
        overlap = (values[:, degree].T * (0.5 * weights * x**2)) @ values[:, degree]
        np.testing.assert_allclose(overlap, np.eye(6), atol=1e-12)
