"""The energy each element is counted from: given, zero, or that of isolated atoms, and fitted to the compositions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unnp.atoms.elements import Elements
from unnp.atoms.neighbors import bonds
from unnp.atoms.structure import Structure
from unnp.data.zeros import composition
from unnp.errors import ConfigError, DataError, unknown

logger = logging.getLogger(__name__)

Kind = Literal["zero", "least-squares"] | dict[str, float]
REACH = 6.0
"""Distance [A] without any other atom that makes an atom isolated, where no model says how far it reaches."""
CONTRADICTION = 1e-3
"""Difference [eV/atom] from which on energies of isolated atoms contradict each other."""


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


def reference_energies(
    structures: Sequence[Structure], elements: Elements, kind: Kind, cutoff: float = REACH
) -> dict[str, float]:
    """Return the reference energies [eV] by chemical symbol; what the user should know is logged as a warning.

    Arguments and errors are those of ``fit_reference_energies``.
    """
    report = fit_reference_energies(structures, elements, kind, cutoff)
    if report.message:
        logger.warning(report.message)
    return report.energies


def fit_reference_energies(
    structures: Sequence[Structure], elements: Elements, kind: Kind, cutoff: float = REACH
) -> ReferenceEnergies:
    """Return reference energies ``mu_e`` with a report.

    A model gives atoms without bonds exactly their reference energies. So structures in which no two atoms are within the
    cutoff determine them: ``sum_e n_e mu_e = E``. "least-squares" takes these as they are, and with what they leave open
    minimises ``sum_s (E_s / n_s - sum_e x_se mu_e)^2`` over the other structures s that have an energy, with the atomic
    fractions ``x_se``. Where the compositions do not determine all ``mu_e``, the one of least norm is taken.

    Args:
        structures: with energies, for "least-squares"; otherwise isolated atoms in them are compared with ``kind``.
        elements: the model's elements.
        kind: "zero", "least-squares", or the energies [eV] of all elements.
        cutoff: [A], length of the longest bond of the model.

    Raises:
        ConfigError: an unknown word, or given energies that do not match the elements.
        DataError: no structure has an energy.
        ModelError: a structure holds an element the model does not know.
    """
    labelled = [s for s in structures if s.energy is not None and len(s)]
    isolated = [s for s in labelled if is_isolated(s, cutoff)]
    if kind != "least-squares":
        energies = _given(kind, elements) if isinstance(kind, dict) else _zero(kind, elements)
        contradiction = _contradiction(isolated, elements, np.array(list(energies.values())))
        return ReferenceEnergies(energies, rank=len(elements), message=contradiction)
    if not labelled:
        raise DataError("reference energies by least squares need energies, and no structure has one; use 'zero'.")
    fractions = composition(labelled, elements)
    target = np.array([s.energy for s in labelled], dtype=np.float64) / fractions.sum(1)
    fractions /= fractions.sum(1, keepdims=True)
    fixed = np.array([k for k, s in enumerate(labelled) if is_isolated(s, cutoff)], dtype=np.int64)
    solution, rank = _constrained(fractions, target, fixed)
    for k in range(len(elements)):  # exactly the label, not what the algebra leaves of its digits
        single = fixed[fractions[fixed, k] == 1.0]
        if len(single):
            solution[k] = np.median(target[single])
    residual = float(np.sqrt(np.mean((fractions @ solution - target) ** 2)))
    messages = [
        _contradiction(isolated, elements, solution),
        _deficiency(fractions, rank, elements),
    ]
    energies = dict(zip(elements.symbols, solution.tolist(), strict=True))
    return ReferenceEnergies(energies, rank, residual, " ".join(m for m in messages if m))


def is_isolated(structure: Structure, cutoff: float) -> bool:
    """Return whether no two atoms of a structure, images included, are within the cutoff [A]."""
    # No packing of spheres is denser than that of fcc, sqrt(2) per cube of the distance: a quick no for every crystal.
    if np.all(structure.pbc) and structure.volume < len(structure) * cutoff**3 / 2**0.5:
        return False
    return bonds(structure, cutoff)[0].shape[1] == 0


def _constrained(fractions: np.ndarray, target: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the solution of least squares that satisfies the rows ``fixed`` first, and the rank."""
    n_elements = fractions.shape[1]
    free = np.setdiff1d(np.arange(len(target)), fixed)
    solution, rank, directions = np.zeros(n_elements), 0, np.eye(n_elements)
    if len(fixed):
        solution, _, rank, _ = np.linalg.lstsq(fractions[fixed], target[fixed], rcond=1e-10)
        directions = np.linalg.svd(fractions[fixed])[2][rank:].T  # what the fixed rows leave open
    if len(free) and directions.shape[1]:
        rest = target[free] - fractions[free] @ solution
        along, _, more, _ = np.linalg.lstsq(fractions[free] @ directions, rest, rcond=1e-10)
        solution, rank = solution + directions @ along, rank + more
    return solution, int(rank)


def _contradiction(isolated: Sequence[Structure], elements: Elements, energies: np.ndarray) -> str:
    """Say which isolated atoms have another energy than the sum of reference energies."""
    if not isolated:
        return ""
    counts = composition(isolated, elements)
    expected = counts @ energies
    off = np.array([s.energy for s in isolated]) - expected
    wrong = np.flatnonzero(np.abs(off) / counts.sum(1) > CONTRADICTION)
    if not len(wrong):
        return ""
    worst = wrong[np.abs(off[wrong] / counts[wrong].sum(1)).argmax()]
    alike = np.flatnonzero((counts == counts[worst]).all(1))
    other = alike[np.abs(off[alike] - off[worst]).argmax()]
    against = f"{expected[worst]:.6g} eV by the reference energies"
    if abs(off[other] - off[worst]) > CONTRADICTION * counts[worst].sum():
        against = f"{isolated[other].energy:.6g} eV in {isolated[other].source or 'another structure'}, and {against}"
    formula = "".join(
        f"{e}{n if n > 1 else ''}" for e, n in zip(elements.symbols, counts[worst].astype(int), strict=True) if n
    )
    return (
        f"isolated atoms contradict each other or the reference energies in {len(wrong)} structure(s): the energy of "
        f"{formula}, without bonds, is {isolated[worst].energy:.6g} eV in {isolated[worst].source or 'one structure'}, but "
        f"{against}. No model can learn this: correct or remove the label, or change reference_energies."
    )


def _zero(kind: str, elements: Elements) -> dict[str, float]:
    if kind != "zero":
        raise ConfigError(unknown("reference energies", str(kind), ["zero", "least-squares", "{element: eV}"]))
    return dict.fromkeys(elements.symbols, 0.0)


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
