"""Melting points of small periodic cells beside that of crystal and melt side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.plots import new_figure, save_figure
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.routes import RouteResult

SIGNIFICANT = 2.0
"""Standard errors by which a difference must stand out to be called one."""


@dataclass(frozen=True)
class SizePoint:
    """A melting point of a cell.

    Attributes:
        route: that found it.
        n_atoms: in the cell.
        temperature, error: [K].
        latent_heat: [eV/atom] and its error, where the route gives it.
    """

    route: str
    n_atoms: int
    temperature: float
    error: float
    latent_heat: tuple[float, float] | None

    @property
    def entropy(self) -> tuple[float, float] | None:
        """Entropy of melting ``L / T_m`` [k/atom] and its error, that of the latent heat alone."""
        if self.latent_heat is None:
            return None
        heat, error = (x / self.temperature / BOLTZMANN_EV_PER_K for x in self.latent_heat)
        return heat, error


def size_points(results: Mapping[str, RouteResult], n_atoms: int) -> list[SizePoint]:
    """Return the melting points of all routes and cells.

    Args:
        results: by route.
        n_atoms: of the cell of two phases.
    """
    return [
        SizePoint(name, each.n_atoms or n_atoms, each.temperature, each.error, each.latent_heat)
        for name, result in results.items()
        for each in (*result.smaller, result)
    ]


def finite_size(points: Sequence[SizePoint]) -> dict[str, Any] | None:
    """Return what the cells of `momt` say of the size of a cell, JSON-able; None where there is nothing to compare.

    ``points``, and ``statements`` that hold within the errors only.
    """
    cells = sorted((p for p in points if p.route == "momt"), key=lambda p: p.n_atoms)
    large = [p for p in points if p.route != "momt"]
    if len(cells) + len(large) < 2 or not cells:
        return None
    statements = [_against(cell, reference) for cell in cells for reference in large[:1]]
    if len(cells) > 1:
        statements += [_against(cells[0], cells[-1]), *_parts(cells[0], cells[-1])]
    if len(cells) > 1 and large:
        statements += _decay(cells[0], cells[-1], large[0])
    return {"points": [{**asdict(p), "entropy_of_melting_k": p.entropy} for p in points], "statements": statements}


def _against(cell: SizePoint, reference: SizePoint) -> str:
    difference, error = cell.temperature - reference.temperature, float(np.hypot(cell.error, reference.error))
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
        ratio, error = a[0] / b[0], a[0] / b[0] * float(np.hypot(a[1] / a[0], b[1] / b[0]))
        verb = "differs" if abs(ratio - 1) > SIGNIFICANT * error else "does not differ within the errors"
        said.append(f"{name}, {ratio:.2f} +- {error:.2f} times as large in the smaller cell, {verb}")
    return [f"Of Tm = L / dS between {small.n_atoms} and {large.n_atoms} atoms: {'; '.join(said)}."]


def _decay(small: SizePoint, large: SizePoint, bulk: SizePoint) -> list[str]:
    """Say how the shift falls with the number of atoms, where it stands out."""
    shifts = [p.temperature - bulk.temperature for p in (small, large)]
    errors = [float(np.hypot(p.error, bulk.error)) for p in (small, large)]
    if any(shift < SIGNIFICANT * error for shift, error in zip(shifts, errors, strict=True)):
        return []
    ratio = float(np.log(large.n_atoms / small.n_atoms))
    power = float(np.log(shifts[0] / shifts[1])) / ratio
    error = float(np.hypot(errors[0] / shifts[0], errors[1] / shifts[1])) / ratio
    return [f"The shift falls as N^-({power:.1f} +- {error:.1f}); a surface of the cell would give 1/3, its volume 1."]


def _named(point: SizePoint) -> str:
    return f"a cell of {point.n_atoms} atoms ({point.route})"


def size_figure(points: Sequence[SizePoint], path: Path) -> None:
    """Draw melting points over 1/N with their errors, by route; data beside."""
    figure, (ax,) = new_figure()
    for route in dict.fromkeys(p.route for p in points):
        own = sorted((p for p in points if p.route == route), key=lambda p: p.n_atoms)
        inverse, temperature, error = (
            np.array(x) for x in zip(*((1 / p.n_atoms, p.temperature, p.error) for p in own), strict=True)
        )
        line = "-" if len(own) > 1 else ""
        ax.errorbar(inverse, temperature, error, fmt=f"o{line}", ms=4, lw=0.7, capsize=3, label=route)
    for n in sorted({p.n_atoms for p in points}):
        top = max(p.temperature + p.error for p in points if p.n_atoms == n)
        ax.annotate(f"{n}", (1 / n, top), textcoords="offset points", xytext=(0, 6), ha="center", fontsize="small")
    ax.margins(y=0.15)
    ax.set(xlabel="1 / number of atoms", ylabel="melting point [K]")
    ax.legend(frameon=False)
    columns = {
        name: [getattr(p, key) for p in points]
        for name, key in (
            ("route", "route"), ("n_atoms", "n_atoms"), ("melting_point_K", "temperature"), ("error_K", "error")
        )
    }  # fmt: skip
    save_figure(figure, path, columns)
