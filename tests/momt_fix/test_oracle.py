"""The oracle itself: limits that are known, and derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from momt_oracle import Hills, Opes, bcc_star, fcc_star, steinhardt, structure_factor
from scipy.spatial.transform import Rotation


def _opes() -> Opes:
    rng = np.random.default_rng(1)
    return Opes(900.0, np.geomspace(650, 1400, 5), rng.normal(0, 0.2, (5, 4)), np.linspace(0, 0.9, 4), 0.2)


def test_a_perfect_crystal_has_order_one() -> None:
    fcc, bcc = bulk("Al", cubic=True) * (2, 3, 4), bulk("Fe", cubic=True) * (4, 2, 3)
    assert structure_factor(fcc, fcc_star(2, 3, 4)) == pytest.approx(1.0)
    assert structure_factor(bcc, bcc_star(4, 2, 3)) == pytest.approx(1.0)


@pytest.mark.parametrize(("lattice", "a", "value"), [("fcc", 4.05, 0.57452), ("sc", 3.0, 0.35355)])
def test_steinhardt_of_crystals(lattice: str, a: float, value: float) -> None:
    atoms = bulk("Al", lattice, a=a, cubic=True) * 3
    assert steinhardt(atoms, 3.2, 3.6) == pytest.approx(value, abs=1e-5)


def test_steinhardt_does_not_see_rotation() -> None:
    atoms = bulk("Al", cubic=True) * 2
    atoms.rattle(0.2, seed=1)
    before = steinhardt(atoms, 3.2, 4.2)
    turn = Rotation.from_rotvec([0.3, -0.5, 0.9]).as_matrix()
    atoms.set_cell(atoms.cell.array @ turn.T, scale_atoms=True)
    assert steinhardt(atoms, 3.2, 4.2) == pytest.approx(before, abs=1e-12)


def test_derivatives_of_the_bias() -> None:
    opes, step = _opes(), 1e-5
    along_h = (opes.bias(0.3 + step, 0.4) - opes.bias(0.3 - step, 0.4)) / (2 * step)
    along_s = (opes.bias(0.3, 0.4 + step) - opes.bias(0.3, 0.4 - step)) / (2 * step)
    assert opes.alpha(0.3, 0.4) == pytest.approx(1 + along_h, abs=1e-9)
    assert opes.order_force(0.3, 0.4) == pytest.approx(along_s, abs=1e-9)


def test_updates_are_the_running_mean_of_the_exponentials() -> None:
    """DF_l = -kT ln( sum_t v_t exp(-Du_l(t)) / sum_t v_t ), v_t = exp(Vb_t / kT0); DF at the start counts as one sample."""
    opes = _opes()
    start = opes.free_energies.copy()
    rng, weights, exponents = np.random.default_rng(2), [], []
    for _ in range(20):
        enthalpy, order = rng.normal(0, 2), rng.uniform(0, 0.9)
        bias = opes.bias(enthalpy, order)
        weights.append(np.exp(bias / opes.kt))
        exponents.append(np.exp(-opes.exponents(enthalpy, order)))
        opes.update(enthalpy, order, bias)
    total = 1 + sum(weights)
    mean = (np.exp(-start / opes.kt) + sum(w * e for w, e in zip(weights, exponents, strict=True))) / total
    np.testing.assert_allclose(opes.free_energies, -opes.kt * np.log(mean), atol=1e-12)
    assert opes.rct == pytest.approx(opes.kt * np.log(total / opes.counter), abs=1e-12)


def test_hills_are_tempered() -> None:
    hills = Hills(900.0, 0.015, 0.02, 10.0)
    for _ in range(50):
        hills.update(0.5)
    scale = 8.617343e-5 * 900 * 9
    assert np.all(np.diff(hills.heights) < 0)
    assert hills.bias(0.5) == pytest.approx(scale * np.log1p(50 * 0.02 / scale), rel=0.02)
