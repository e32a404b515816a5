"""What networks make of structures: mean features, on a map of two coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset
from unnp.device import resolve_dtype
from unnp.evaluate.feature_space import mean_features, standardised
from unnp.models import Potential
from unnp.models.build import potential_from_description
from unnp.models.checkpoint import load_potential, number_type
from unnp.workflows.inject.maps import MapKind, coordinates


def map_of(run: Path, structures: Sequence[Structure], kind: MapKind, *, trained: bool) -> np.ndarray:
    """Return two coordinates of structures on a map of their features, (n_structures, 2).

    A structure is where the mean features of its atoms are, each in units of its spread over the structures.

    Args:
        run: run folder of the network.
        structures: labels are not looked at.
        kind: of map.
        trained: whether with its weights, or else with random ones.
    """
    potential, description = load_potential(run)
    if not trained:
        potential = _random(potential, description["dtype"])
    rows = _features(potential, structures, resolve_dtype(description["dtype"]))
    return coordinates(kind, standardised(rows, rows).astype(np.float64))


def _random(potential: Potential, dtype: str) -> Potential:
    """Return the same network with random weights, and what it has taken from its training data."""
    with torch.random.fork_rng(devices=[]), number_type(dtype):
        torch.manual_seed(0)
        fresh = potential_from_description(potential.describe())
    fresh.load_state_dict({**potential.state_dict(), **dict(fresh.named_parameters())})
    return fresh.eval()


@torch.no_grad()
def _features(potential: Potential, structures: Sequence[Structure], dtype: torch.dtype) -> np.ndarray:
    dataset = Dataset(structures, Elements(potential.elements), potential.cutoff(), cache_bytes=0)
    return mean_features(lambda graph: potential.features(*graph.to("cpu", dtype).arguments), dataset, potential.cost())
