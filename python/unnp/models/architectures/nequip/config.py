"""Settings of NequIP."""

from pydantic import Field, FiniteFloat

from unnp.models.base import ArchitectureConfig


class NequIPConfig(ArchitectureConfig):
    """Settings of NequIP."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest bond [A]"""
    l_max: int = Field(default=1, ge=0, le=3)
    """highest degree of the tensors: 0 scalars, 1 vectors, 2 rank-2 tensors"""
    parity: bool = False
    """whether there are tensors of both parities; without, those alone that have the parity of the harmonics"""
    features: int = Field(default=32, ge=1)
    """channels of each kind of tensor"""
    layers: int = Field(default=4, ge=1)
    """number of layers"""
    radial_functions: int = Field(default=8, ge=1)
    """number of Bessel functions of the distance"""
    radial_layers: int = Field(default=2, ge=1)
    """hidden layers of the network that makes weights of them"""
    radial_features: int = Field(default=64, ge=1)
    """channels of these layers"""
    cutoff_exponent: int = Field(default=6, ge=3)
    """exponent of the polynomial cutoff"""
    average_neighbors: FiniteFloat | None = Field(default=None, gt=0)
    """neighbours per atom, by whose square root sums are divided; null: from the training data"""

    @property
    def receptive_field(self) -> float:
        return self.layers * self.cutoff
