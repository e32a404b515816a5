"""Building blocks of architectures; docs/architectures/adding.md shows them at work."""

from unnp.nn.activations import ShiftedSoftplus
from unnp.nn.blocks import neighbor_blocks
from unnp.nn.coupling import clebsch_gordan
from unnp.nn.cutoff import CutoffFunction, half_cosine_cutoff, polynomial_cutoff
from unnp.nn.edges import Edges, bonded, directed, within
from unnp.nn.exchange import exchange
from unnp.nn.heads import EnergyHead, MLPHead
from unnp.nn.linear import linear
from unnp.nn.packing import exchange_parts, pack, unpack
from unnp.nn.pooling import mean_by_graph, sum_by_graph
from unnp.nn.radial import GaussianBasis, SincBasis
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.system import System
from unnp.nn.tensors import norms, smooth_norm
from unnp.nn.triplets import chains, pairs

__all__ = [
    "CutoffFunction",
    "Edges",
    "EnergyHead",
    "GaussianBasis",
    "MLPHead",
    "ShiftedSoftplus",
    "SincBasis",
    "SphericalHarmonics",
    "System",
    "bonded",
    "chains",
    "clebsch_gordan",
    "directed",
    "exchange",
    "exchange_parts",
    "half_cosine_cutoff",
    "linear",
    "mean_by_graph",
    "neighbor_blocks",
    "norms",
    "pack",
    "pairs",
    "polynomial_cutoff",
    "smooth_norm",
    "sum_by_graph",
    "unpack",
    "within",
]
