"""Errors a user can act on: what was given, what is allowed, what to do."""

from __future__ import annotations

import difflib
import unicodedata
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
    given = in_one_line(given)
    return f"unknown {what} '{given}'; allowed: {', '.join(words)}.{did_you_mean(given, words)}"


def printable(text: str) -> str:
    """Return text that is safe on a terminal and in a log: what steers one (escapes, bells, ...) is spelt out.

    Line breaks and tabs stay; ``in_one_line`` spells those out too.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _STEERING else _spelt_out(c) for c in text)


def in_one_line(value: object, limit: int = 200) -> str:
    """Return a value that came from a file, as a message may quote it: printable, on one line, cut to ``limit``."""
    text = printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format (also right-to-left marks), lone surrogates, separators


def _spelt_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
