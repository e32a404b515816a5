"""A constant that is taken off stress labels before they are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from unnp.data.dataset import Batch
from unnp.units import GPA_PER_EV_PER_A3


def offsets_of(groups: Sequence[str], found: Mapping[str, float]) -> dict[str, float]:
    """Return the offset [GPa] of each group: the one found in the training.

    A group that is not in it takes that of the structures without a group, of which it may be a part, and where there are none
    the mean of all groups.
    """
    of_others = found.get("", sum(found.values()) / max(1, len(found)))
    return {name: found.get(name, of_others) for name in groups}


def offsets_in_stored_units(groups: Sequence[str], found: Mapping[str, float]) -> Tensor:
    """Return the offset of each group as ``without_offset`` takes it, (n_groups,) float64 [eV/A^3]."""
    return torch.tensor(list(offsets_of(groups, found).values()), dtype=torch.float64) / GPA_PER_EV_PER_A3


def without_offset(batch: Batch, values: Tensor) -> Batch:
    """Return a batch with the offset of each group, ``values`` (n_groups,) [eV/A^3], taken off its stress labels."""
    identity = torch.eye(3, dtype=torch.float64, device=values.device)
    stress = batch.labels["stress"] - values[batch.labels.group].view(-1, 1, 1) * identity
    return Batch(batch.graph, batch.labels.with_values("stress", stress))
