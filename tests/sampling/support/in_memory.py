"""Samples of the two-phase model without files."""

from __future__ import annotations

import numpy as np
from two_phase import TwoPhase
from unnp.sampling.log_file import COLUMNS, LogHeader
from unnp.sampling.samples import Samples


def draw_samples(
    model: TwoPhase, n: int, seed: int, walkers: int = 2, phases: tuple[int, ...] = (0, 1), **header: object
) -> Samples:
    """Draw n rows of each walker; ``header`` overrides its fields."""
    drawn = [model.draw(n, 1000 * seed + walker, phases) for walker in range(walkers)]
    columns = {name: np.concatenate([d[name] for d in drawn]) for name in COLUMNS}
    return Samples(
        walker=np.repeat(np.arange(walkers), n), header=LogHeader.model_validate(model.header(**header)), **columns
    )
