"""A route to the melting point, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class RouteResult:
    """A melting point found on one route.

    Attributes:
        temperature: melting point [K].
        error: standard error [K].
        details: what goes into the report, JSON-able.
        warnings: what the reader must know.
        latent_heat: [eV/atom], where the route gives it, and its standard error.
        n_atoms: in its cell; None where it is that of the two phases.
        smaller: what the route found in smaller cells.
    """

    temperature: float
    error: float
    details: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)
    latent_heat: tuple[float, float] | None = None
    n_atoms: int | None = None
    smaller: Sequence[RouteResult] = ()


class Route(Protocol):
    """Finds the melting point in one way; a file of its own."""

    @property
    def name(self) -> str:
        """As in ``routes`` of the configuration."""
        ...

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the melting point; keep everything in the folder, and do nothing twice that is finished there.

        Args:
            folder: of the whole run.
            guess: temperature to begin with [K].

        Raises:
            UnnpError: there is no result, and why.
        """
        ...
