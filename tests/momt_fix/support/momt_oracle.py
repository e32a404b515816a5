"""What `fix momt` has to give, in plain numpy: order parameters by definition, bias, its derivatives and its updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import ase
import numpy as np
from ase.neighborlist import neighbor_list
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax, sph_harm_y

BOLTZMANN = 8.617343e-5  # [eV/K] of LAMMPS' units metal
NKTV2P = 1602176.5  # [bar A^3/eV] of LAMMPS' units metal


def fcc_star(nx: int, ny: int, nz: int) -> np.ndarray:
    """Return the triplets (4, 3) of {111} of `nx` x `ny` x `nz` conventional cells, one of each pair k, -k."""
    return np.array([(nx, b * ny, c * nz) for b, c in product((1, -1), repeat=2)])


def bcc_star(nx: int, ny: int, nz: int) -> np.ndarray:
    """Return the triplets (6, 3) of {110} of `nx` x `ny` x `nz` conventional cells, one of each pair k, -k."""
    return np.array([row for c in (1, -1) for row in [(nx, c * ny, 0), (nx, 0, c * nz), (0, ny, c * nz)]])


def structure_factor(atoms: ase.Atoms, triplets: np.ndarray) -> float:
    """Return s = mean over k of |sum_j exp(i k r_j)|^2 / N^2, k = 2 pi h^-T n, h^-T the reciprocal vectors."""
    k = 2 * np.pi * triplets @ np.linalg.inv(atoms.cell.array).T
    rho = np.exp(1j * atoms.positions @ k.T).sum(0)
    return float(np.mean(np.abs(rho) ** 2) / len(atoms) ** 2)


def switching(r: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Return 1 up to `inner`, 0 from `outer` on, and 1 - 10 x^3 + 15 x^4 - 6 x^5 between."""
    x = np.clip((r - inner) / (outer - inner), 0.0, 1.0)
    return 1 - 10 * x**3 + 15 * x**4 - 6 * x**5


def steinhardt(atoms: ase.Atoms, inner: float, outer: float) -> float:
    """Return s = sqrt(4 pi / 13 sum_m |Q_6m|^2), Q_6m = sum_pairs f Y_6m / sum_pairs f."""
    r, bond = neighbor_list("dD", atoms, outer)
    weight = switching(r, inner, outer)
    polar, azimuth = np.arccos(np.clip(bond[:, 2] / r, -1, 1)), np.arctan2(bond[:, 1], bond[:, 0])
    q = [np.sum(weight * sph_harm_y(6, m, polar, azimuth)) / weight.sum() for m in range(-6, 7)]
    return float(np.sqrt(4 * np.pi / 13 * np.sum(np.abs(q) ** 2)))


@dataclass
class Opes:
    """Vb = -kT0 ln[ sum_l p_l exp(-Du_l + b0 DF_l) ], Du_l = (b_l - b0) H + (s - s_j)^2 / 2 sigma^2.

    Energies in eV; `free_energies` is (n_temperatures, n_umbrellas), one column without umbrellas, and one more for no
    umbrella where `free` is not 0. Temperatures outside `bridge` have no umbrellas.
    """

    temperature: float
    temperatures: np.ndarray
    free_energies: np.ndarray
    umbrellas: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sigma: float = 1.0
    free: float = 0.0
    bridge: tuple[float, float] = (0.0, np.inf)
    counter: int = 1
    rct: float = 0.0

    @property
    def kt(self) -> float:
        return BOLTZMANN * self.temperature

    def exponents(self, enthalpy: float, order: float) -> np.ndarray:
        """Return Du, in the shape of `free_energies`."""
        slope = 1 / (BOLTZMANN * self.temperatures) - 1 / self.kt
        umbrella = ((order - self.umbrellas) / self.sigma) ** 2 / 2
        if self.free or not len(self.umbrellas):
            umbrella = np.append(umbrella, 0.0)
        return enthalpy * slope[:, None] + umbrella[None, :]

    @property
    def shares(self) -> np.ndarray:
        """p_l; 0 where a temperature does not have an umbrella."""
        n = len(self.umbrellas)
        if n == 0:
            return np.full(self.free_energies.shape, 1 / self.free_energies.size)
        low, high = self.bridge
        has_umbrellas = (self.temperatures >= low) & (self.temperatures <= high)
        shares = np.zeros(self.free_energies.shape)
        shares[has_umbrellas, :n] = (1 - self.free) / (n * has_umbrellas.sum())
        shares[:, n:] = self.free / len(self.temperatures)
        return shares

    def _logarithms(self, enthalpy: float, order: float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self.shares) + self.free_energies / self.kt - self.exponents(enthalpy, order)

    def bias(self, enthalpy: float, order: float) -> float:
        """Return Vb [eV]."""
        return float(-self.kt * logsumexp(self._logarithms(enthalpy, order)))

    def alpha(self, enthalpy: float, order: float) -> float:
        """Return 1 + dVb/dH."""
        share = softmax(self._logarithms(enthalpy, order))
        return float(np.sum(share.sum(1) * self.temperature / self.temperatures))

    def order_force(self, enthalpy: float, order: float) -> float:
        """Return dVb/ds [eV]."""
        if not len(self.umbrellas):
            return 0.0
        share = softmax(self._logarithms(enthalpy, order)).sum(0)[: len(self.umbrellas)]
        return float(self.kt * np.sum(share * (order - self.umbrellas)) / self.sigma**2)

    def update(self, enthalpy: float, order: float, bias: float) -> None:
        """Take in a sample that was drawn with `bias` (Invernizzi, Piaggi, Parrinello, PRX 10, 041034)."""
        self.counter += 1
        before = np.log(self.counter - 1)
        shifted = (bias - self.rct) / self.kt
        increment = self.kt * np.log1p(np.exp(shifted - before))
        each = -self.exponents(enthalpy, order) + shifted + self.free_energies / self.kt - before
        self.free_energies = self.free_energies + increment - self.kt * np.logaddexp(0, each)
        self.rct += increment + self.kt * np.log1p(-1 / self.counter)


@dataclass
class Hills:
    """Well-tempered hills: each adds h exp(-V(s_t) / (kT0 (gamma - 1))) exp(-(s - s_t)^2 / 2 sigma^2) to V(s)."""

    temperature: float
    sigma: float
    height: float
    gamma: float
    centers: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def bias(self, order: float) -> float:
        """Return V(s) [eV]."""
        distance = (order - np.array(self.centers)) / self.sigma
        return float(np.sum(np.array(self.heights) * np.exp(-(distance**2) / 2)))

    def update(self, order: float) -> None:
        """Add a hill."""
        damping = BOLTZMANN * self.temperature * (self.gamma - 1)
        self.heights.append(self.height * np.exp(-self.bias(order) / damping))
        self.centers.append(order)


def late_mean(history: Sequence[ArrayLike]) -> np.ndarray:
    """Return the mean of what was there after each update, the k-th with the weight k (k + 1)."""
    k = np.arange(1, len(history) + 1)
    return np.average(np.array(history), axis=0, weights=k * (k + 1))


def umbrellas(low: float, high: float, sigma: float) -> np.ndarray:
    """Return the centres of the umbrellas of a range: equal distances, none above sigma."""
    return np.linspace(low, high, int(np.ceil((high - low) / sigma)) + 1)


def first_guess(opes: Opes, enthalpies: np.ndarray, orders: np.ndarray, barrier: float) -> np.ndarray:
    """Return DF after observation: second cumulant in b_l - b0, harmonic umbrellas up to `barrier` k T0."""
    slope = (1 / (BOLTZMANN * opes.temperatures) - 1 / opes.kt)[:, None]
    umbrella = np.minimum(opes.exponents(0.0, orders.mean())[:1], barrier)
    return opes.kt * (slope * enthalpies.mean() - slope**2 * enthalpies.var() / 2 + umbrella)
