"""How far the training is, and the learning rate that belongs to it."""

from __future__ import annotations

import math


def progress(epochs_done: float, epochs: int, minutes: float, max_minutes: float | None) -> float:
    """Return how much of the training is over, 0..1, by epochs or by time, whichever is more.

    Args:
        epochs_done: epochs so far, the running one counted by its batches.
        epochs: planned.
        minutes: training time so far, over all restarts.
        max_minutes: planned; None: no limit.
    """
    by_time = 0.0 if max_minutes is None else minutes / max_minutes
    return min(1.0, max(epochs_done / epochs, by_time))


def learning_rate(step: int, fraction: float, *, peak: float, final: float, warmup_steps: int) -> float:
    """Return the rate of a step: a linear warm-up times a half cosine from ``peak`` to ``final``.

    ``lr = min(1, (step + 1) / warmup_steps) * (final + (peak - final) (1 + cos(pi fraction)) / 2)``

    Args:
        step: optimizer steps so far.
        fraction: how much of the training is over, 0..1.
        peak: highest rate.
        final: rate at the end.
        warmup_steps: steps of the warm-up; 0 for none.
    """
    warmup = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    return warmup * (final + (peak - final) * 0.5 * (1.0 + math.cos(math.pi * fraction)))
