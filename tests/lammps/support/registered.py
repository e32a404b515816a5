"""Which architectures the tests are run for."""

from __future__ import annotations

from importlib.metadata import entry_points

from unnp.models import architectures


def installed_architectures() -> list[str]:
    """Return the names of the architectures of this package and of installed ones, not those that other tests register."""
    outside = {entry.module for entry in entry_points(group="unnp.models")}
    known = architectures().items()
    return [name for name, kind in known if kind.__module__.startswith("unnp.") or kind.__module__ in outside]
