"""What is sampled: the order parameter, and how the bias is made."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from unnp.config import Config
from unnp.lammps.system_config import Positive

Triplet = tuple[int, int, int]


class OrderBase(Config):
    """What order parameters have in common."""

    basin_shares: ClassVar[tuple[float, float]] = (0.1, 0.5)
    """share of the way from the liquid's mean to the solid's up to which it is liquid, and from which it is solid"""

    range: tuple[FiniteFloat, FiniteFloat] | None = None
    """smallest and largest value that is biased; default: of `fix momt`"""

    @model_validator(mode="after")
    def _range_has_a_width(self) -> OrderBase:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"`range` must be [smaller, larger], got {list(self.range)}")
        return self


class SkOrder(OrderBase):
    """Bragg peaks: the mean of |rho_k|^2 / N^2 over a star of wave vectors; 1 in the perfect crystal, 1/N in a gas."""

    kind: Literal["sk"]
    star: Literal["fcc", "bcc"] | None = None
    """which star: {111} of fcc or {110} of bcc; default: `structure.lattice`"""
    cells: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    """conventional cells along the box edges; default: `structure.repeat`"""
    wave_vectors: list[Triplet] | None = None
    """for other crystals, instead of star and cells: integer triplets n of k = 2 pi h^-T n, h the cell"""

    @model_validator(mode="after")
    def _star_or_list(self) -> SkOrder:
        if self.wave_vectors is not None and (self.star or self.cells):
            raise ValueError("give either `wave_vectors`, or `star` and `cells`")
        if self.wave_vectors is not None and (not self.wave_vectors or (0, 0, 0) in self.wave_vectors):
            raise ValueError("`wave_vectors` needs at least one triplet, and none of them [0, 0, 0]")
        return self


class FkOrder(SkOrder):
    """The root of `sk`: the liquid has more of its range, which is what hills (`wt`) and grids (`wl`) need."""

    basin_shares: ClassVar = (0.3, 0.7)

    kind: Literal["fk"]  # type: ignore[assignment]


class Q6Order(OrderBase):
    """Global Steinhardt Q6 of the smoothly counted neighbours; does not depend on the orientation of the crystal."""

    kind: Literal["q6"]
    inner: Positive
    """neighbours up to this distance count in full [A]; the end of the first shell"""
    outer: Positive
    """neighbours beyond this distance do not count [A]; before the second shell"""

    @model_validator(mode="after")
    def _inner_before_outer(self) -> Q6Order:
        if self.inner >= self.outer:
            raise ValueError(f"`inner` ({self.inner:g}) must be smaller than `outer` ({self.outer:g})")
        return self


class NoOrder(Config):
    """No order parameter: multithermal sampling of one phase."""

    kind: Literal["none"]


class OpesBias(Config):
    """OPES: the weights of many temperatures and umbrellas, from free energies learnt on the way."""

    kind: Literal["opes"]
    barrier: Positive | None = None
    """first guess of the free energy of umbrellas that were not seen yet, in k T0; default: of `fix momt`"""
    observe: PositiveInt | None = None
    """updates before the bias begins to act; default: of `fix momt`"""
    memory: Annotated[FiniteFloat, Field(ge=0)] | None = None
    """updates that the free energies remember for each passage made so far, 0 for all; default: of `fix momt`"""
    sigma: Positive | None = None
    """width of the umbrellas along the order parameter; default: of `fix momt`"""
    free: Annotated[FiniteFloat, Field(ge=0, lt=1)] | None = None
    """share of the samples for solid and liquid as they are, without umbrella; default: of `fix momt`"""
    bridge: tuple[Positive, Positive] | None = None
    """temperatures between which there are umbrellas [K]; default: of `fix momt`, from T0 up"""

    @model_validator(mode="after")
    def _bridge_in_order(self) -> OpesBias:
        if self.bridge is not None and self.bridge[0] > self.bridge[1]:
            raise ValueError(f"`bridge` must be [lower, higher], got {list(self.bridge)}")
        return self


class WtBias(Config):
    """OPES in the enthalpy, well-tempered hills along the order parameter."""

    kind: Literal["wt"]
    observe: PositiveInt | None = None
    """updates before the bias of the enthalpy begins to act; default: of `fix momt`"""
    height: Positive | None = None
    """of the first hills [eV]; default: of `fix momt`"""
    gamma: Annotated[float, Field(gt=1)] | None = None
    """bias factor; default: of `fix momt`"""
    sigma: Positive | None = None
    """width of the hills along the order parameter; default: of `fix momt`"""


class WlBias(Config):
    """Wang-Landau in enthalpy and order parameter, on a grid that comes from the observe phase."""

    kind: Literal["wl"]
    enthalpy_bins: PositiveInt | None = None
    """bins of h = H + tilt s; default: as wide as the standard deviation of H in the observe phase"""
    tilt: FiniteFloat | None = None
    """of the grid [eV]; default: so that solid and liquid of one temperature have the same h"""
    bins: PositiveInt | None = None
    """bins of the order parameter; default: of `fix momt`"""
    increment: Positive | None = None
    """first increment of ln n; default: of `fix momt`"""


Order = Annotated[SkOrder | FkOrder | Q6Order | NoOrder, Field(discriminator="kind")]
Bias = Annotated[OpesBias | WtBias | WlBias, Field(discriminator="kind")]
