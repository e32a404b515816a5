"""The constant part of the difference between stress labels and the strain derivative of their own energies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unnp.atoms.quantities import QUANTITIES
from unnp.data.dataset import Batch
from unnp.derivatives import Prediction
from unnp.errors import ConfigError, ModelError, unknown
from unnp.evaluate.stress_offset import without_offset
from unnp.train.distributed import Processes
from unnp.train.loss import Loss
from unnp.units import GPA_PER_EV_PER_A3

LARGEST_SHARE = 0.5
"""Share of the stress term from which on the training says that a constant offset makes it."""
RECENT = 16
"""Labels that the offset in the loss is a mean of."""
LARGEST_LIKELY_OFFSET = 5.0
"""Largest offset [GPa] that is likely to be a Pulay stress."""


class StressOffset:
    """An isotropic offset of the stress labels of each group, ``sigma_label = dE/dstrain / V + p_g 1``.

    A plane-wave calculation with a finite basis has such an offset, the Pulay stress (Francis and Payne, J. Phys.:
    Condens. Matter 2, 4395 (1990)). No potential can learn it beside the energies, as its stress is the derivative of
    its energies. The offset is fitted as the mean of ``tr(label - prediction) / 3`` over the labels of a group: a
    cumulative mean during the first epoch, one with a memory of one epoch from then on. It minimises the mean square
    error of the stress term. In the loss stands a mean of the last few labels instead: a constant pressure then costs
    nothing there, and the energies alone decide on it. A longer memory would hold the pressures where they once were, and
    may hold them for a whole training far from where the energies want them.

    Args:
        loss: whose table says what the offset is: given, or to be fitted.
        groups: names that the group indices of the labels refer to.
        sizes: structures of each group, the memory of the mean.
        device: where the labels are.

    Raises:
        ConfigError: an offset is given for a group that is none.
    """

    def __init__(self, loss: Loss, groups: Sequence[str], sizes: Sequence[int], device: torch.device | str) -> None:
        self.groups = list(groups)
        given = loss.config.row("stress").offset
        self.fitted = given == "fit"
        self.used = loss.config.row("stress").used
        self._square = loss.config.row("stress").kind == "mse" and not loss.config.group_weights
        self.mean = torch.zeros(len(groups), dtype=torch.float64, device=device)
        """Mean isotropic difference between label and prediction, (n_groups,) [eV/A^3]; measured whether it is used or not."""
        self.recent = torch.zeros_like(self.mean)
        """The same of the last labels, (n_groups,) [eV/A^3]."""
        self.seen = torch.zeros_like(self.mean)
        """Labels that the mean stands for, (n_groups,)."""
        self._memory = torch.tensor([max(1, n) for n in sizes], dtype=torch.float64, device=device)
        self._given = torch.tensor(_given(given, groups), dtype=torch.float64, device=device) / GPA_PER_EV_PER_A3

    @property
    def values(self) -> Tensor:
        """What is taken off the labels of each group, (n_groups,) [eV/A^3]."""
        return self.mean if self.fitted else self._given

    @property
    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps, by name."""
        return {"offset.mean": self.mean, "offset.recent": self.recent, "offset.seen": self.seen}

    def learn(self, prediction: Prediction | None, batch: Batch | None, processes: Processes) -> None:
        """Update the means with the batches of all processes; ``batch`` None: nothing for this one."""
        if not self.used:
            return
        sums = torch.zeros(2, len(self.groups), dtype=torch.float64, device=self.mean.device)
        if batch is not None and prediction is not None and prediction.stress is not None:
            mask = batch.mask(QUANTITIES["stress"]).all(dim=-1).all(dim=-1)
            difference = (batch.labels["stress"] - prediction.stress.detach().double())[mask]
            group = batch.labels.group[mask]
            pressure = difference.diagonal(dim1=1, dim2=2).mean(dim=1)
            sums[0].index_add_(0, group, pressure)
            sums[1].index_add_(0, group, torch.ones_like(pressure))
        processes.add(sums)
        for mean, memory in ((self.recent, self._memory.clamp(max=RECENT)), (self.mean, self._memory)):
            count = torch.minimum(self.seen, memory) + sums[1]
            mean += torch.where(sums[1] > 0, (sums[0] - sums[1] * mean) / count.clamp(min=1.0), 0.0)
        self.seen = torch.minimum(self.seen, self._memory) + sums[1]

    def take_off(self, batch: Batch) -> Batch:
        """Return the batch with the offsets taken off its stress labels."""
        return without_offset(batch, self.values)

    def take_off_recent(self, batch: Batch) -> Batch:
        """Return the batch with what the loss takes off its stress labels: given offsets, or means of the last labels."""
        return without_offset(batch, self.recent if self.fitted else self._given)

    def summary(self) -> dict[str, float]:
        """Return the offset of each group with stress labels [GPa], rounded; empty where none is taken off."""
        if not self.used or not bool((self.values != 0).any()):
            return {}
        rows = zip(self.groups, self.values.tolist(), self.seen.tolist(), strict=True)
        return {name: round(GPA_PER_EV_PER_A3 * value, 4) for name, value, seen in rows if seen > 0}

    def doubt(self) -> str:
        """Return what to say of a fitted offset that is too large to be likely; empty where there is none."""
        large = {name: value for name, value in self.summary().items() if abs(value) > LARGEST_LIKELY_OFFSET}
        if not self.fitted or not large:
            return ""
        listed = ", ".join(f"{value:.1f} GPa ({name or 'no group'})" for name, value in large.items())
        return (
            f"the fitted offset of the stress labels is {listed}. Pulay stresses are seldom beyond "
            f"{LARGEST_LIKELY_OFFSET:g} GPa: "
            "the potential may not have learnt the energies of strained cells, and its pressures are then as wrong. Train "
            "longer or with a smaller learning rate, or give the offset."
        )

    def complaint(self, stress_term: float) -> str:
        """Return what to say where a constant offset makes most of the stress term; empty where all is well.

        Args:
            stress_term: mean square error of the stress components [(eV/A^3)^2] of the epoch.
        """
        left = torch.where(self.seen > 0, self.mean - self.values, 0.0)
        share = float((self.seen * left.square()).sum() / self.seen.sum().clamp(min=1.0)) / 3
        if self.fitted or not self._square or stress_term <= 0 or share < LARGEST_SHARE * stress_term:
            return ""
        worst = int(left.abs().argmax())
        pressure, name = GPA_PER_EV_PER_A3 * float(left[worst]), self.groups[worst] or "(none)"
        sign = "tensile" if pressure > 0 else "compressive"
        return (
            f"the stress term cannot fall: a constant offset makes {min(1.0, share / stress_term):.0%} of it. The stress "
            f"labels of group {name} are {abs(pressure):.2f} GPa more {sign} than dE/dstrain of what has been learnt "
            "(Pulay stress?). With `loss: {stress: {offset: fit}}` it is fitted and taken off."
        )


def found_offsets(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the offsets [GPa] that the description of a checkpoint holds, by group.

    Raises:
        ModelError: they are missing, or no finite numbers by name.
    """
    found = description.get("stress_offset")
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and type(value) is float and math.isfinite(value) for name, value in found.items()
    ):
        raise ModelError("the stress offsets of the checkpoint are missing or are no numbers by group.")
    return found


def _given(offset: float | str | dict[str, float], groups: Sequence[str]) -> list[float]:
    if isinstance(offset, dict):
        for name in offset:
            if name not in groups:
                raise ConfigError("loss.stress.offset: " + unknown("group", name, groups))
        return [offset.get(name, 0.0) for name in groups]
    return [0.0 if isinstance(offset, str) else offset] * len(groups)
