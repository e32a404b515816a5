"""The functions of the embedded-atom potentials of Zhou, Johnson and Wadley."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

_HIGH = 1.15  # rho_0 / rho_e: where the outer branch of the embedding energy begins


@dataclass(frozen=True)
class ZhouMetal:
    """One metal, with the energy

        E = sum_i F(rho_i) + 1/2 sum_ij phi(r_ij),   rho_i = sum_j f(r_ij).

    X. W. Zhou, R. A. Johnson, H. N. G. Wadley, Phys. Rev. B 69, 144113 (2004), whose symbols the names are.

    Attributes:
        symbol, number, mass: of the element; mass in amu.
        lattice: crystal that the parameters were fitted to.
        r_e: distance of nearest neighbours in that crystal [A].
        f_e: scale of the electron density.
        rho_e, rho_s: electron density in the crystal, and the scale of the outer branch.
        alpha, beta, kappa, lam: exponents and shifts, no units; ``lam`` is lambda.
        A, B: of the pair energy [eV].
        below: F_n0 ... F_n3 [eV], embedding energy below ``low * rho_e``.
        around: F_0 ... F_3 [eV], embedding energy up to ``1.15 rho_e``.
        eta, F_e: embedding energy beyond; F_e in eV.
        low: rho_n / rho_e, where the lowest branch ends.
    """

    symbol: str
    number: int
    mass: float
    lattice: Literal["fcc", "bcc", "hcp"]
    r_e: float
    f_e: float
    rho_e: float
    rho_s: float
    alpha: float
    beta: float
    A: float
    B: float
    kappa: float
    lam: float
    below: tuple[float, float, float, float]
    around: tuple[float, float, float, float]
    eta: float
    F_e: float
    low: float = 0.85

    def density(self, r: np.ndarray) -> np.ndarray:
        """Return f(r) = f_e exp(-beta (r / r_e - 1)) / (1 + (r / r_e - lambda)^20) at distances r [A]."""
        return self.f_e * self._decay(r, self.beta, self.lam)

    def pair(self, r: np.ndarray) -> np.ndarray:
        """Return the energy phi(r) [eV] of two atoms of this metal at distances r [A]: a repulsion A less an attraction B."""
        return self.A * self._decay(r, self.alpha, self.kappa) - self.B * self._decay(r, self.beta, self.lam)

    def embedding(self, rho: np.ndarray) -> np.ndarray:
        """Return the embedding energy F(rho) [eV]: two cubics, then F_e (1 - ln x) x with x = (rho / rho_s)^eta."""
        x = (np.maximum(rho, _HIGH * self.rho_e) / self.rho_s) ** self.eta
        cubics = [
            np.polynomial.polynomial.polyval(rho / scale - 1.0, coefficients)
            for scale, coefficients in ((self.low * self.rho_e, self.below), (self.rho_e, self.around))
        ]
        beyond = self.F_e * (1.0 - np.log(x)) * x
        return np.select([rho < self.low * self.rho_e, rho < _HIGH * self.rho_e], cubics, beyond)

    @property
    def lattice_constant(self) -> float:
        """a [A] of the crystal with the neighbour distance ``r_e``."""
        return self.r_e * {"fcc": 2.0**0.5, "bcc": 2.0 / 3.0**0.5, "hcp": 1.0}[self.lattice]

    def _decay(self, r: np.ndarray, exponent: float, shift: float) -> np.ndarray:
        x = r / self.r_e
        return np.exp(-exponent * (x - 1.0)) / (1.0 + (x - shift) ** 20)


def mixed_pair(a: ZhouMetal, b: ZhouMetal, r: np.ndarray) -> np.ndarray:
    """Return the energy [eV] of an atom of a and one of b at distances r [A].

    phi_ab = 1/2 (f_b / f_a phi_aa + f_a / f_b phi_bb), R. A. Johnson, Phys. Rev. B 39, 12554 (1989).
    """
    ratio = b.density(r) / a.density(r)
    return 0.5 * (ratio * a.pair(r) + b.pair(r) / ratio)
