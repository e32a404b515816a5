"""Settings of TeaNet."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from unnp.models.base import ArchitectureConfig
from unnp.nn.norm import norm_of

HIGHEST_OF_ALL = 2
"""degree of rank-2 tensors, the highest that all layers have"""


class TeaNetConfig(ArchitectureConfig):
    """Settings of TeaNet; the defaults are preset M."""

    layer_cutoffs: list[Annotated[FiniteFloat, Field(gt=0)]] = Field(default=[5.0, 4.0], min_length=1)
    """cutoff of each layer [A]; their number is the number of layers"""
    scalars: int = Field(default=32, ge=1)
    """scalar channels of an atom"""
    vectors: int = Field(default=16, ge=1)
    """vector channels of an atom"""
    tensors: int = Field(default=16, ge=1)
    """rank-2 channels of an atom"""
    bond_scalars: int = Field(default=16, ge=1)
    """scalar channels of a bond"""
    projections: int = Field(default=16, ge=1)
    """channels in which the vectors and tensors of two atoms meet on a bond; also vector channels of a bond"""
    hidden: int = Field(default=32, ge=1)
    """width of the hidden state of a bond"""
    radial_functions: int = Field(default=6, ge=1)
    """number of sinc functions of the distance; more of them fit the training data better and other data worse"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    products: int = Field(default=8, ge=0)
    """channels in which an atom multiplies its vectors and tensors with each other; 0: not at all, as published"""
    last_messages: Literal["scalars", "all"] = "all"
    """messages of the last layer: scalars, as published, or vectors and tensors too, of which atoms make scalars"""
    degree: int = Field(default=6, ge=2, le=8)
    """highest degree of the spherical harmonics among the messages of the last layer; beyond 2 atoms make scalars of them"""
    multipoles: int = Field(default=8, ge=1)
    """channels of each degree beyond 2"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom within the longest cutoff, to normalise sums; null: taken from the training data"""

    @property
    def cutoff(self) -> float:
        return max(self.layer_cutoffs)

    @property
    def receptive_field(self) -> float:
        return sum(self.layer_cutoffs)

    @property
    def n_multipole_scalars(self) -> int:
        """Number of scalars that an atom makes of multipoles in the last layer."""
        return 2 * self.multipoles * (self.degree - HIGHEST_OF_ALL)


def normalisation(config: TeaNetConfig, k: int) -> float:
    """Return the factor on the sums over the neighbours in layer ``k``, whose cutoff may not be the longest."""
    share = (config.layer_cutoffs[k] / config.cutoff) ** 3
    return norm_of(config.average_neighbors, share)
