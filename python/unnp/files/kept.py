"""Results that took long, kept in a file with what they were made with, and made again where that has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unnp.files.writing import read_json, write_atomically

Result = dict[str, Any]


def kept(path: Path, made_with: Mapping[str, Any], make: Callable[[], Result]) -> Result:
    """Return the result that a file holds, where it was made with the same; else make it, and write it with that.

    Args:
        path: the file; a damaged one is replaced.
        made_with: all that the result depends on, as JSON.
        make: returns the result, as JSON.
    """
    try:
        content = read_json(path)
        if content["made_with"] == made_with and isinstance(content["result"], dict):
            return dict(content["result"])
    except (OSError, ValueError, TypeError, KeyError):
        pass  # not there yet, or damaged
    result = make()
    write_atomically(path, json.dumps({"made_with": made_with, "result": result}, indent=1) + "\n")
    return result
