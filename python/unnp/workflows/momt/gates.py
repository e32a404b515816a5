"""When a phase may end: round trips, a bias that stands still, weight at every temperature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import LammpsError
from unnp.files.writing import read_json
from unnp.sampling.reweighting import log_sum_exp, log_weights
from unnp.sampling.samples import Samples
from unnp.sampling.support import effective_fraction
from unnp.units import BOLTZMANN_EV_PER_K

REACHABLE = 15.0
"""order parameters up to this free energy [k T0] above the lowest count for the drift"""

CENTRE_WEIGHTS = np.array([1.0, 23.0, 23.0, 1.0]) / 48
"""of uniform cubic B-splines in the middle between two knots"""


def bias_drift(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Return the largest change of the bias' free energies between two states, in k T0; constants do not count.

    For `opes`, whose ensembles l = (T, umbrella) have ``exp(-b0 DF_l) = Z_l / Z_0``, these are the free energies of the
    temperatures and those of the umbrellas that can be reached, each summed over the other; for `wt` those of the
    temperatures, and the hills where there are any; for `wl` ln n(H, s) at the centres of the bins that were visited. Of
    hills and ln n the means are taken that a frozen bias consists of.

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


def _profiles(state: dict[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return free energies in k T0 and which of their entries count."""
    bias, b0 = state["bias"], 1 / (BOLTZMANN_EV_PER_K * state["temperature"])
    if state["mode"] == "wl":
        return [(_at_centres(np.array(bias["mean_log_density"], dtype=float)), np.array(bias["visits"]) > 0)]
    rows = [b0 * np.array(row, dtype=float) for row in bias["free_energies"]]
    profiles = []
    if state["mode"] == "wt":
        hills = b0 * np.array(bias["mean_potential"], dtype=float)
        profiles.append((hills, hills > 0.05 * hills.max(initial=0.0)))
    elif n_umbrellas := len(bias["umbrellas"]):
        bridges = np.array([row[:n_umbrellas] for row in rows if len(row) >= n_umbrellas])
        umbrellas = np.array([-log_sum_exp(-column) for column in bridges.T])
        profiles.append((umbrellas, umbrellas < umbrellas.min() + REACHABLE))
    temperatures = np.array([-log_sum_exp(-row) for row in rows])
    return [*profiles, (temperatures, np.ones(len(rows), dtype=bool))]


def _at_centres(coefficients: np.ndarray) -> np.ndarray:
    """Return the values of a cubic spline at the centres of its bins, (n_h, n_s) of coefficients (n_h + 3, n_s + 3)."""
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(coefficients, 4, axis=axis)
        coefficients = windows @ CENTRE_WEIGHTS
    return coefficients


def half_run_drift(folder: Path, n_chunks: int) -> float | None:
    """Return the drift of the bias between half of a phase and its end; None after one chunk.

    Args:
        folder: of the phase, with the state after each chunk, ``state.<number>.json``.
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
