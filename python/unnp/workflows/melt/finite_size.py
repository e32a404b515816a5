"""Melting points of small periodic cells beside that of crystal and melt side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.plots import new_figure, save_figure
from unnp.sampling.estimate import Estimate
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.routes import RouteResult

SIGNIFICANT = 2.0
"""Standard errors by which a difference must stand out to be called one."""


@dataclass(frozen=True)
class SizePoint:
    """A melting point of a cell.

    Attributes:
        route: route that found the melting point.
        n_atoms: number of atoms in the cell.
        melting_point: [K].
        latent_heat: [eV/atom], where the route gives it.
        small: whether the cell melts as a whole.
    """

    route: str
    n_atoms: int
    melting_point: Estimate
    latent_heat: Estimate | None
    small: bool

    @property
    def entropy(self) -> Estimate | None:
        """Entropy of melting ``L / T_m`` [k/atom]; its error is that of the latent heat alone."""
        if self.latent_heat is None:
            return None
        return self.latent_heat.times(1 / (self.melting_point.value * BOLTZMANN_EV_PER_K))


def size_points(results: Mapping[str, RouteResult]) -> list[SizePoint]:
    """Return the melting points of all routes and cells."""
    return [
        SizePoint(name, each.n_atoms, each.melting_point, each.latent_heat, each.small_cell)
        for name, result in results.items()
        for each in (*result.smaller, result)
    ]


def finite_size(points: Sequence[SizePoint]) -> dict[str, Any] | None:
    """Return what cells that melt as a whole say of the size of a cell, JSON-able; None where there is nothing to compare.

    ``points``, and ``statements`` that hold within the errors only.
    """
    cells = sorted((p for p in points if p.small), key=lambda p: p.n_atoms)
    large = [p for p in points if not p.small]
    if len(cells) + len(large) < 2 or not cells:
        return None
    statements = [_against(cell, reference) for cell in cells for reference in large[:1]]
    if len(cells) > 1:
        statements += [_against(cells[0], cells[-1]), *_parts(cells[0], cells[-1])]
    if len(cells) > 1 and large:
        statements += _decay(cells[0], cells[-1], large[0])
    return {"points": [_description(p) for p in points], "statements": statements}


def _description(point: SizePoint) -> dict[str, Any]:
    entropy = point.entropy
    return {
        "route": point.route,
        "n_atoms": point.n_atoms,
        "small_cell": point.small,
        "melting_point_K": asdict(point.melting_point),
        "latent_heat_eV_per_atom": None if point.latent_heat is None else asdict(point.latent_heat),
        "entropy_of_melting_k": None if entropy is None else asdict(entropy),
    }


def _against(cell: SizePoint, reference: SizePoint) -> str:
    found = _difference(cell, reference)
    difference, error = found.value, found.error
    ends = f"{_named(reference)}: {difference:+.0f} +- {error:.0f} K."
    if abs(difference) < SIGNIFICANT * error:
        return f"{_named(cell).capitalize()} melts, within the errors, where it does in {ends}"
    return f"{_named(cell).capitalize()} melts {'above' if difference > 0 else 'below'} {ends}"


def _parts(small: SizePoint, large: SizePoint) -> list[str]:
    """Say which part of ``T_m = L / dS`` differs between two cells."""
    if small.latent_heat is None or large.latent_heat is None or small.entropy is None or large.entropy is None:
        return []
    said = []
    for name, a, b in (
        ("latent heat", small.latent_heat, large.latent_heat),
        ("entropy of melting", small.entropy, large.entropy),
    ):
        ratio = a.value / b.value
        error = ratio * float(np.hypot(a.error / a.value, b.error / b.value))
        verb = "differs" if abs(ratio - 1) > SIGNIFICANT * error else "does not differ within the errors"
        said.append(f"{name}, {ratio:.2f} +- {error:.2f} times as large in the smaller cell, {verb}")
    return [f"Of Tm = L / dS between {small.n_atoms} and {large.n_atoms} atoms: {'; '.join(said)}."]


def _decay(small: SizePoint, large: SizePoint, bulk: SizePoint) -> list[str]:
    """Say how the shift falls with the number of atoms, where it stands out."""
    first, last = (_difference(p, bulk) for p in (small, large))
    if any(shift.value < SIGNIFICANT * shift.error for shift in (first, last)):
        return []
    ratio = float(np.log(large.n_atoms / small.n_atoms))
    power = float(np.log(first.value / last.value)) / ratio
    error = float(np.hypot(first.error / first.value, last.error / last.value)) / ratio
    return [f"The shift falls as N^-({power:.1f} +- {error:.1f}); a surface of the cell would give 1/3, its volume 1."]


def _difference(point: SizePoint, reference: SizePoint) -> Estimate:
    one, other = point.melting_point, reference.melting_point
    return Estimate(one.value - other.value, float(np.hypot(one.error, other.error)))


def _named(point: SizePoint) -> str:
    return f"a cell of {point.n_atoms} atoms ({point.route})"


def size_figure(points: Sequence[SizePoint], path: Path) -> None:
    """Draw melting points over 1/N with their errors, by route; data beside."""
    figure, (ax,) = new_figure()
    for route in dict.fromkeys(p.route for p in points):
        own = sorted((p for p in points if p.route == route), key=lambda p: p.n_atoms)
        inverse, temperature, error = (
            np.array(x)
            for x in zip(*((1 / p.n_atoms, p.melting_point.value, p.melting_point.error) for p in own), strict=True)
        )
        line = "-" if len(own) > 1 else ""
        ax.errorbar(inverse, temperature, error, fmt=f"o{line}", ms=4, lw=0.7, capsize=3, label=route)
    for n in sorted({p.n_atoms for p in points}):
        top = max(p.melting_point.value + p.melting_point.error for p in points if p.n_atoms == n)
        ax.annotate(f"{n}", (1 / n, top), textcoords="offset points", xytext=(0, 6), ha="center", fontsize="small")
    ax.margins(y=0.15)
    ax.set(xlabel="1 / number of atoms", ylabel="melting point [K]")
    ax.legend(frameon=False)
    columns: dict[str, list[Any]] = {
        "route": [p.route for p in points],
        "n_atoms": [p.n_atoms for p in points],
        "melting_point_K": [p.melting_point.value for p in points],
        "error_K": [p.melting_point.error for p in points],
    }
    save_figure(figure, path, columns)
