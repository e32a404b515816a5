"""The settings of GemNet-T."""

from pydantic import Field, FiniteFloat

from unnp.models.base import ArchitectureConfig


class GemNetTConfig(ArchitectureConfig):
    """Settings of GemNet-T."""

    cutoff: FiniteFloat = Field(default=5.0, gt=0)
    """longest edge [A]"""
    atom_channels: int = Field(default=128, ge=2)
    """channels of an atom"""
    edge_channels: int = Field(default=128, ge=2)
    """channels of a message"""
    blocks: int = Field(default=4, ge=1)
    """number of interaction blocks"""
    angular_channels: int = Field(default=64, ge=1)
    """channels of a message where it meets the angles"""
    bilinear_channels: int = Field(default=64, ge=2)
    """channels of what comes out of that"""
    radial_channels: int = Field(default=16, ge=1)
    """combinations of functions of the distance"""
    circular_channels: int = Field(default=16, ge=1)
    """combinations of functions of distance and angle"""
    radial_functions: int = Field(default=6, ge=1)
    """functions of the distance, also beside each Legendre polynomial"""
    angular_functions: int = Field(default=7, ge=1)
    """Legendre polynomials of the angle"""
    layers_before_skip: int = Field(default=1, ge=0)
    """residual layers before the old message is added"""
    layers_after_skip: int = Field(default=1, ge=0)
    """residual layers after it"""
    layers_after_atoms: int = Field(default=1, ge=0)
    """residual layers of what atoms add to a message"""
    atom_layers: int = Field(default=2, ge=0)
    """residual layers of atoms and outputs"""
    cutoff_exponent: int = Field(default=5, ge=3)
    """exponent of the polynomial cutoff function"""

    @property
    def receptive_field(self) -> float:
        return (2 * self.blocks + 1) * self.cutoff
