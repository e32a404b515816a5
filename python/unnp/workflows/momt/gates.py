"""When a stage may end: round trips, a bias that stands still, weight at every temperature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import LammpsError
from unnp.files.writing import read_json
from unnp.sampling.reweighting import log_weights
from unnp.sampling.samples import Samples
from unnp.sampling.support import effective_fraction
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.momt.bias_modes import BIAS_MODES
from unnp.workflows.momt.bias_modes.base import Profile


def bias_drift(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Return the largest change of the bias' free energies between two states, in k T0; constants do not count.

    Which free energies these are is up to the mode, see `bias_modes`.

    Args:
        before, after: contents of state files of one run.
    """
    first, second = (_profiles(state) for state in (before, after))
    changes = []
    for (a, use_a), (b, use_b) in zip(first, second, strict=True):
        use = use_a | use_b
        if use.sum() > 1:
            change = (b - a)[use]
            changes.append(float(np.abs(change - np.median(change)).max()))
    return max(changes, default=0.0)


def _profiles(state: dict[str, Any]) -> list[Profile]:
    b0 = 1 / (BOLTZMANN_EV_PER_K * state["temperature"])
    return BIAS_MODES[state["mode"]].profiles(state["bias"], b0)


def half_run_drift(folder: Path, n_chunks: int) -> float | None:
    """Return the drift of the bias between half of a stage and its end; None after one chunk.

    Args:
        folder: the stage's folder, with the state after each chunk, ``state.<number>.json``.
        n_chunks: how many are finished.
    """
    if n_chunks < 2:
        return None
    return bias_drift(read_state(folder, n_chunks // 2), read_state(folder, n_chunks))


def read_state(folder: Path, chunk: int) -> dict[str, Any]:
    """Return the state of the bias after a chunk; raise LammpsError where it cannot be read."""
    path = folder / f"state.{chunk}.json"
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise LammpsError(f"{path} cannot be read ({error}); delete the run folder and start again.") from None


def effective_fractions(samples: Samples, temperatures: Sequence[float]) -> list[float]:
    """Return Kish's effective fraction of the samples at each temperature [K], at the pressure of the run."""
    return [effective_fraction(log_weights(samples, temperature)) for temperature in temperatures]
