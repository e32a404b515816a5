"""A route to the melting point, what it finds, and where each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.config import MeltConfig

ROUTES = {
    "coexistence": "unnp.workflows.melt.coexistence.route:CoexistenceRoute",
    "pinning": "unnp.workflows.melt.pinning.route:PinningRoute",
    "momt": "unnp.workflows.melt.momt.route:MomtRoute",
}
"""Module and class of each route; a module is imported when its route is taken."""


@dataclass(frozen=True)
class RouteResult:
    """A melting point found on one route.

    Attributes:
        melting_point: [K].
        n_atoms: number of atoms in its cell.
        details: what goes into the report, JSON-able.
        warnings: what the reader must know.
        latent_heat: [eV/atom], where the route gives it.
        small_cell: whether the cell melts as a whole, so that its melting point is that of its size.
        smaller: what the route found in smaller cells.
    """

    melting_point: Estimate
    n_atoms: int
    details: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)
    latent_heat: Estimate | None = None
    small_cell: bool = False
    smaller: Sequence[RouteResult] = ()


class Route(Protocol):
    """One way to find the melting point, made from the configuration and the folder in which its relative paths
    begin."""

    @property
    def name(self) -> str:
        """As in ``routes`` of the configuration."""
        ...

    def has_begun(self, folder: Path) -> bool:
        """Tell whether the folder of a run holds finished work of this route."""
        ...

    def prepare(self, folder: Path) -> list[Path]:
        """Write the decks it begins with, where these are known, and return them.

        Args:
            folder: folder for the whole run.

        Raises:
            UnnpError: the configuration cannot be run on this route, said before anything long is begun.
        """
        ...

    def run(self, folder: Path, guess: float) -> RouteResult:
        """Return the melting point; keep everything in the folder, and do nothing twice that is finished there.

        Args:
            folder: folder for the whole run.
            guess: temperature to begin with [K].

        Raises:
            UnnpError: there is no result, and why.
        """
        ...


def make_route(name: str, config: MeltConfig, base: Path) -> Route:
    """Return the route of a name; relative paths in the configuration begin at ``base``."""
    module, _, kind = ROUTES[name].partition(":")
    make: Callable[[MeltConfig, Path], Route] = getattr(import_module(module), kind)
    return make(config, base)
