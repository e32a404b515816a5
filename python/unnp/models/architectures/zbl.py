"""ZBL: the screened repulsion of two nuclei, for atoms closer than any training structure has them.

J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of Ions in Matter, vol. 1, Pergamon, New York (1985). The
switching to zero is that of LAMMPS' ``pair_style zbl``, so that the two can be compared.
"""

from typing import ClassVar

import torch
from pydantic import Field, FiniteFloat, model_validator
from torch import Tensor

from unnp.atoms.elements import atomic_number
from unnp.models.base import ArchitectureConfig, Term
from unnp.models.registry import register
from unnp.nn.system import System
from unnp.units import COULOMB_EV_A

SCREENING = [(0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162)]
"""(c, d) of the universal screening function ``phi(x) = sum c exp(-d x)``"""
SCREENING_LENGTH = 0.46850
"""[A], times 1 / (Z_i^0.23 + Z_j^0.23)"""
CHARGE_EXPONENT = 0.23


class ZBLConfig(ArchitectureConfig):
    """Settings of the repulsion."""

    inner: FiniteFloat = Field(default=1.0, gt=0)
    """distance [A] where the switching begins"""
    outer: FiniteFloat = Field(default=2.0, gt=0)
    """distance [A] from which on there is no repulsion"""

    @property
    def cutoff(self) -> float:
        return self.outer

    @model_validator(mode="after")
    def _inner_before_outer(self) -> "ZBLConfig":
        if self.inner >= self.outer:
            raise ValueError(f"inner ({self.inner} A) must be shorter than outer ({self.outer} A)")
        return self


@register("zbl")
class ZBL(Term):
    """Screened nuclear repulsion, without anything to train (Ziegler, Biersack, Littmark 1985).

    ``E = sum over bonds of e(r) + S(r)``, half to each atom, with ``e(r) = k Z_i Z_j phi(r / a) / r``,
    ``a = 0.46850 A / (Z_i^0.23 + Z_j^0.23)``, and ``S(r) = A/3 x^3 + B/4 x^4 + C``, ``x = max(r - inner, 0)``, whose
    coefficients make the sum and its first two derivatives vanish at ``outer``. Always computed in float64.
    """

    Config = ZBLConfig
    repulsive: ClassVar[bool] = True
    references: ClassVar[list[str]] = [
        "J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of Ions in Matter, vol. 1, Pergamon (1985)"
    ]

    charges: Tensor

    def __init__(self, config: ZBLConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.inner, self.outer = config.inner, config.outer
        self.screening, self.coulomb = SCREENING, COULOMB_EV_A
        self.length, self.exponent = SCREENING_LENGTH, CHARGE_EXPONENT
        self.register_buffer("charges", torch.tensor([atomic_number(e) for e in elements]), persistent=False)

    def energies(self, system: System) -> Tensor:
        # "not beyond" instead of "within": a distance that is not a number has to show in the energy
        near = torch.logical_not(system.bond_vector.detach().square().sum(1) >= self.outer * self.outer)
        rows = torch.nonzero(near).squeeze(1)
        r = system.bond_vector.index_select(0, rows).double().square().sum(1).sqrt()
        i, j = system.bond_index[0].index_select(0, rows), system.bond_index[1].index_select(0, rows)
        charges = self.charges.index_select(0, system.species).double()
        z_i, z_j = charges.index_select(0, i), charges.index_select(0, j)
        inverse_length = (z_i.pow(self.exponent) + z_j.pow(self.exponent)) / self.length
        half = 0.5 * self.coulomb * z_i * z_j * self.switched(r, inverse_length)
        energy = half.new_zeros([charges.shape[0]]).index_add(0, i, half).index_add(0, j, half)
        return energy[: system.n_updated]

    def switched(self, r: Tensor, inverse_length: Tensor) -> Tensor:
        """Return ``phi(r / a) / r + S(r)`` (n_bonds,) [1/A] of distances and 1/a (n_bonds,)."""
        width = self.outer - self.inner
        end, slope, curvature = self.screened(torch.full_like(r, self.outer), inverse_length)
        cubic = (width * curvature - 3.0 * slope) / width**2
        quartic = (2.0 * slope - width * curvature) / width**3
        shift = width * slope / 2.0 - width**2 * curvature / 12.0 - end
        x = torch.clamp(r - self.inner, min=0.0)
        return self.screened(r, inverse_length)[0] + x.pow(3) * (cubic / 3.0 + quartic / 4.0 * x) + shift

    def screened(self, r: Tensor, inverse_length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``phi(r / a) / r`` and its first two derivatives."""
        value, slope, curvature = torch.zeros_like(r), torch.zeros_like(r), torch.zeros_like(r)
        for weight, rate in self.screening:
            d = rate * inverse_length
            term = weight * torch.exp(-d * r) / r
            value = value + term
            slope = slope - (d + 1.0 / r) * term
            curvature = curvature + (d * d + 2.0 * (d + 1.0 / r) / r) * term
        return value, slope, curvature
