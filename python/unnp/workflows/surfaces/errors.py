"""Errors of potentials: their slabs beside those of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from unnp.workflows.surfaces.config import LABELS
from unnp.workflows.surfaces.energies import Measured
from unnp.workflows.surfaces.slabs import Energies, Slab

QUANTITIES = {"bulk": "eV/atom", "slab": "eV/atom", "gamma": "J/m^2", "gamma_relaxed": "J/m^2"}
"""What is compared, with its unit; labels have no relaxed slabs."""
SHOWN_UNITS = {"eV/atom": (1000.0, "meV/atom"), "J/m^2": (1.0, "J/m^2")}
"""By unit: the factor and the unit in which errors are shown."""
DRAWN = {"slab": "energy of the slab", "gamma": "surface energy"}
"""What maps of errors by substance and by distance show, with its title."""
ALL = "all"


@dataclass(frozen=True)
class Pair:
    """A number of a potential and the one of the reference.

    Attributes:
        potential: name.
        slab: name.
        formula: of the slab.
        quantity: one of ``QUANTITIES``.
        reference: value of the reference.
        predicted: value of the potential.
    """

    potential: str
    slab: str
    formula: str
    quantity: str
    reference: float
    predicted: float

    @property
    def error(self) -> float:
        """What the potential has more."""
        return self.predicted - self.reference


@dataclass(frozen=True)
class Summary:
    """Errors of a quantity over slabs, in its unit.

    Attributes:
        n: number of slabs.
        mae: mean absolute error.
        rmse: root mean square error.
        bias: mean error.
    """

    n: int
    mae: float
    rmse: float
    bias: float


def pairs(slabs: Sequence[Slab], measured: Mapping[str, Sequence[Measured]], reference: str | None) -> list[Pair]:
    """Return all numbers that potential and reference both have; none where there is no reference.

    Args:
        slabs: in the order of the measured.
        measured: of each potential by name.
        reference: ``labels``, the name of a potential, or None.
    """
    if reference is None:
        return []
    truths: Sequence[Energies | Measured | None]
    truths = [slab.labels for slab in slabs] if reference == LABELS else measured[reference]
    return [
        Pair(name, slab.name, slab.formula, quantity, float(true), float(value))
        for name, own in measured.items()
        if name != reference
        for slab, truth, each in zip(slabs, truths, own, strict=True)
        for quantity in QUANTITIES
        if (true := getattr(truth, quantity, None)) is not None and (value := getattr(each, quantity)) is not None
    ]


def summarise(found: Sequence[Pair]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return errors by potential, formula (and ``all``, where there are several), quantity and measure."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    several = len({pair.formula for pair in found}) > 1
    for together in (False, True) if several else (False,):
        for pair in found:
            key = pair.potential, ALL if together else pair.formula, pair.quantity
            groups.setdefault(key, []).append(pair.error)
    result: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for (potential, formula, quantity), errors in groups.items():
        measures = asdict(_summary(np.array(errors)))
        result.setdefault(potential, {}).setdefault(formula, {})[quantity] = measures
    return result


def shown(quantity: str) -> tuple[float, str]:
    """Return the factor and the unit in which errors of a quantity are shown."""
    return SHOWN_UNITS[QUANTITIES[quantity]]


def _summary(errors: np.ndarray) -> Summary:
    mean, square = float(np.abs(errors).mean()), float(np.sqrt((errors**2).mean()))
    return Summary(len(errors), mean, square, float(errors.mean()))
