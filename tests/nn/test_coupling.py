"""Clebsch-Gordan coefficients turn as the harmonics do, are orthonormal, and hold the products that have names."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from unnp.nn.coupling import clebsch_gordan, couples
from unnp.nn.spherical import SphericalHarmonics

L_MAX = 3
TRIPLES = [triple for triple in product(range(L_MAX + 1), repeat=3) if couples(*triple)]
HARMONICS = SphericalHarmonics(L_MAX, "component")


def harmonics(unit: np.ndarray, degree: int) -> np.ndarray:
    return HARMONICS(torch.from_numpy(unit))[:, degree**2 : (degree + 1) ** 2].numpy()


def random_units(n: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def wigner(degree: int, matrix: np.ndarray) -> np.ndarray:
    """Return D with ``Y(R u) = Y(u) D``."""
    unit = random_units(40, 1)
    return np.linalg.lstsq(harmonics(unit, degree), harmonics(unit @ matrix.T, degree), rcond=None)[0]


@pytest.mark.parametrize("triple", TRIPLES)
@pytest.mark.parametrize("reflect", [False, True])
def test_products_turn_as_harmonics(triple, reflect):
    """Under reflection too, up to the sign by which products of odd l1 + l2 + l3 differ from harmonics."""
    matrix = Rotation.from_rotvec([0.3, -1.2, 0.8]).as_matrix() * (-1 if reflect else 1)
    d1, d2, d3 = (wigner(degree, matrix) for degree in triple)
    c = clebsch_gordan(*triple)
    sign = (-1) ** sum(triple) if reflect else 1
    np.testing.assert_allclose(
        np.einsum("ia,jb,abk->ijk", d1, d2, c), sign * np.einsum("ijn,nk->ijk", c, d3), atol=1e-12
    )


@pytest.mark.parametrize("triple", TRIPLES)
def test_orthonormal(triple):
    c = clebsch_gordan(*triple).reshape(-1, 2 * triple[2] + 1)
    np.testing.assert_allclose(c.T @ c, np.eye(2 * triple[2] + 1), atol=1e-13)


@pytest.mark.parametrize("triple", [triple for triple in TRIPLES if sum(triple) % 2 == 0])
def test_product_of_harmonics_of_one_direction(triple):
    unit = random_units(20, 2)
    l1, l2, l3 = triple
    found = np.einsum("ni,nj,ijk->nk", harmonics(unit, l1), harmonics(unit, l2), clebsch_gordan(*triple))
    ratio = found / harmonics(unit, l3)
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-9)
    assert abs(ratio[0, 0]) > 0.1


def test_dot_and_cross_products():
    """Degree 1 is (y, z, x), a cyclic order, so that a cross product is one."""
    a, b = random_units(5, 3), random_units(5, 4)
    dot = np.einsum("ni,nj,ijk->nk", a, b, clebsch_gordan(1, 1, 0))[:, 0]
    np.testing.assert_allclose(np.abs(dot), np.abs((a * b).sum(1)) / np.sqrt(3), atol=1e-14)
    cross = np.einsum("ni,nj,ijk->nk", a, b, clebsch_gordan(1, 1, 1))
    np.testing.assert_allclose(np.abs(cross), np.abs(np.cross(a, b)) / np.sqrt(2), atol=1e-14)


def test_degrees_that_do_not_couple():
    with pytest.raises(ValueError, match="degrees 1 and 2 have no product of degree 0: it is 1 to 3"):
        clebsch_gordan(1, 2, 0)
