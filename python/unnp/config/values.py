"""What pydantic lets pass and a configuration does not: truth values as numbers, numbers and texts nothing can use."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

LARGEST = 2**63 - 1
LONGEST_NAME = 255
"""Length that names of files may have [bytes]."""


def check_values(key: str, given: Any, made: Any) -> None:
    """Raise ValueError where a value was made of something else than it seems.

    Args:
        key: name of the setting, for the message.
        given: what the file says.
        made: what validation has made of it; tables with settings of their own have been checked already.
    """
    if isinstance(made, BaseModel):
        return
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        for name in given.keys() & made.keys():
            check_values(f"{key}.{name}", given[name], made[name])
    elif isinstance(given, list | tuple) and isinstance(made, list | tuple) and len(given) == len(made):
        for one, other in zip(given, made, strict=True):
            check_values(key, one, other)
    else:
        _check_value(key, given, made)


def _check_value(key: str, given: Any, made: Any) -> None:
    if isinstance(given, bool) and isinstance(made, int | float) and not isinstance(made, bool):
        raise ValueError(f"`{key}` must be a number, not {str(given).lower()}")
    if isinstance(made, int) and abs(made) > LARGEST:
        raise ValueError(f"`{key}` is a larger number than can be counted to")
    if isinstance(given, str) and any(c == "\0" or unicodedata.category(c) == "Cs" for c in given):
        raise ValueError(f"`{key}` holds characters that no text has")
    if isinstance(made, Path) and any(len(part.encode()) > LONGEST_NAME for part in made.parts):
        raise ValueError(f"`{key}` holds a name of more than {LONGEST_NAME} characters")
