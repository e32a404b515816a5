"""What a mode of the bias is to the rest of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unnp.config import Config
from unnp.sampling.reweighting import log_sum_exp
from unnp.workflows.momt.basins import Basins, Grid


class Profile(NamedTuple):
    """Free energies of a bias along something, in k T0, and a mask of those that count."""

    values: np.ndarray
    counts: np.ndarray


class BiasMode(Config):
    """The keyword ``mode`` of `fix momt` as settings, and what the state of such a bias says.

    A new mode is one file of this folder, with a subclass whose ``kind`` is the word of the fix, beside one file of
    `cpp/src/momt`.
    """

    kind: str

    def words(self, basins: Basins) -> list[str]:
        """Return the settings as keywords of the command; what is not given is left to the fix.

        Args:
            basins: found in the observe stage.
        """
        raise NotImplementedError

    def check(self, temperatures: Sequence[float], *, has_order: bool) -> None:
        """Raise ValueError where the mode does not fit the temperatures of the ensemble [K] or the order parameter."""

    def tilt_of(self, found: float) -> float:
        """Return the tilt of the grid [eV], given the one on which solid and liquid of one temperature are level."""
        return found

    def check_grid(self, grid: Grid, temperatures: tuple[float, float]) -> None:
        """Raise LammpsError where the mode cannot work on the grid that was found.

        Args:
            grid: over both phases.
            temperatures: lowest and highest [K], of the solid and of the liquid.
        """

    @staticmethod
    def profiles(bias: dict[str, Any], b0: float) -> list[Profile]:
        """Return the free energies by which it is told whether a bias still changes.

        Args:
            bias: what is learnt, from the state file.
            b0: 1 / k T0 [1/eV].
        """
        raise NotImplementedError


def given_words(values: dict[str, float | None]) -> list[str]:
    """Return keywords with their values, without those that are left to the fix."""
    return [f"{name} {value:.10g}" for name, value in values.items() if value is not None]


def of_temperatures(rows: list[np.ndarray]) -> Profile:
    """Return the free energies of the temperatures, summed over what else the ensembles have.

    Args:
        rows: free energies of the ensembles in k T0, a row for each temperature.
    """
    return Profile(np.array([-log_sum_exp(-row) for row in rows]), np.ones(len(rows), dtype=bool))


def free_energies(ensemble: dict[str, Any], b0: float) -> list[np.ndarray]:
    """Return the free energies of an expanded ensemble in k T0, a row for each temperature."""
    return [b0 * np.array(row, dtype=float) for row in ensemble["free_energies"]]
