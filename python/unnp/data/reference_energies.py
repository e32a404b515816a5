"""The energy each element is counted from: given, zero, or fitted to the compositions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unnp.elements import Elements
from unnp.errors import ConfigError, DataError, unknown
from unnp.structure import Structure

logger = logging.getLogger(__name__)

Kind = Literal["zero", "least-squares"] | dict[str, float]


@dataclass(frozen=True)
class ReferenceEnergies:
    """Reference energies and how far they can be trusted.

    Attributes:
        energies: [eV] by chemical symbol, one for each of the model's elements.
        rank: independent compositions found; below the number of elements the energies are not unique.
        residual: root mean square of ``E/n - sum x_e mu_e`` [eV/atom]; None where nothing was fitted.
        message: what the user should know; empty where all is well.
    """

    energies: dict[str, float]
    rank: int
    residual: float | None = None
    message: str = ""


def reference_energies(structures: Sequence[Structure], elements: Elements, kind: Kind) -> dict[str, float]:
    """Return the reference energies [eV] by chemical symbol; a rank deficiency is logged as a warning.

    Arguments and errors are those of ``fit_reference_energies``.
    """
    report = fit_reference_energies(structures, elements, kind)
    if report.message:
        logger.warning(report.message)
    return report.energies


def fit_reference_energies(structures: Sequence[Structure], elements: Elements, kind: Kind) -> ReferenceEnergies:
    """Return reference energies ``mu_e`` with a report.

    "least-squares" minimises ``sum_s (E_s / n_s - sum_e x_se mu_e)^2`` over the structures s that have an energy, with
    the atomic fractions ``x_se``. Where the compositions do not determine all ``mu_e``, the one of least norm is taken.

    Args:
        structures: with energies, for "least-squares"; unused otherwise.
        elements: the model's elements.
        kind: "zero", "least-squares", or the energies [eV] of all elements.

    Raises:
        ConfigError: an unknown word, or given energies that do not match the elements.
        DataError: no structure has an energy.
        ModelError: a structure holds an element the model does not know.
    """
    if isinstance(kind, dict):
        return ReferenceEnergies(_given(kind, elements), rank=len(elements))
    if kind == "zero":
        return ReferenceEnergies(dict.fromkeys(elements.symbols, 0.0), rank=len(elements))
    if kind != "least-squares":
        raise ConfigError(unknown("reference energies", str(kind), ["zero", "least-squares", "{element: eV}"]))
    labelled = [s for s in structures if s.energy is not None and len(s)]
    if not labelled:
        raise DataError("reference energies by least squares need energies, and no structure has one; use 'zero'.")
    counts = [np.bincount(elements.species(s.numbers), minlength=len(elements)) for s in labelled]
    fractions = np.stack([c / c.sum() for c in counts])
    target = np.array([s.energy for s in labelled], dtype=np.float64) / np.array([len(s) for s in labelled])
    solution, _, rank, _ = np.linalg.lstsq(fractions, target, rcond=1e-10)
    residual = float(np.sqrt(np.mean((fractions @ solution - target) ** 2)))
    energies = dict(zip(elements.symbols, solution.tolist(), strict=True))
    return ReferenceEnergies(energies, int(rank), residual, _deficiency(fractions, int(rank), elements))


def _given(energies: dict[str, float], elements: Elements) -> dict[str, float]:
    for symbol in energies:
        if symbol not in elements.symbols:
            raise ConfigError(unknown("element of reference_energies", symbol, elements.symbols))
    missing = [symbol for symbol in elements.symbols if symbol not in energies]
    if missing:
        raise ConfigError(f"reference_energies lacks {', '.join(missing)}; give one number [eV] for each element.")
    for symbol, energy in energies.items():
        if not np.isfinite(energy):
            raise ConfigError(f"reference_energies of {symbol} must be finite, got {energy}.")
    return {symbol: float(energies[symbol]) for symbol in elements.symbols}


def _deficiency(fractions: np.ndarray, rank: int, elements: Elements) -> str:
    if rank == len(elements):
        return ""
    absent = [symbol for symbol, column in zip(elements.symbols, fractions.T, strict=True) if not column.any()]
    never = f" {', '.join(absent)} never occur(s) in the data and get(s) 0." if absent else ""
    return (
        f"reference energies: {len(elements)} elements but only {rank} independent composition(s), so the "
        f"least-squares solution is not unique; the one of least norm is used.{never} Total energies of the "
        "compositions in the data are right, those of other compositions are arbitrary: give reference energies, or "
        "add structures of other compositions."
    )
