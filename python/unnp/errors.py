"""Errors a user can act on: what was given, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UnnpError(Exception):
    """Base of all errors that are the input's fault, not the program's. The CLI prints the message alone."""


class ConfigError(UnnpError):
    """A configuration file or option is wrong."""


class DataError(UnnpError):
    """A structure or label file is missing, corrupt or inconsistent."""


class ModelError(UnnpError):
    """A model or checkpoint file is missing, corrupt, or does not fit the structures it is applied to."""


class TrainingError(UnnpError):
    """Training cannot go on (for instance: a loss that is not finite)."""


class SamplingError(UnnpError):
    """Samples do not support what is asked of them."""


class LammpsError(UnnpError):
    """LAMMPS, its plugin or mpirun is missing, or the run failed."""


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the allowed word nearest to ``given``, or an empty string."""
    words = {word.lower(): word for word in allowed}
    nearest = difflib.get_close_matches(given.lower(), list(words), n=1, cutoff=0.6)
    return f" Did you mean '{words[nearest[0]]}'?" if nearest else ""


def unknown(what: str, given: str, allowed: Iterable[str]) -> str:
    """Return the message for a word that is not one of those allowed.

    >>> unknown("architecture", "teanett", ["teanet"])
    "unknown architecture 'teanett'; allowed: teanet. Did you mean 'teanet'?"
    """
    words = sorted(allowed)
    return f"unknown {what} '{given}'; allowed: {', '.join(words)}.{did_you_mean(given, words)}"
