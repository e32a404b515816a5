"""What is finished of a benchmark: kept with what it was made with, and made again where that has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from unnp.data.store_checks import file_checksum
from unnp.files.writing import read_json, write_atomically
from unnp.kim.models import find_model
from unnp.kim.potential_files import find_files
from unnp.lammps.system_config import InteractionConfig

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


def identity(potential: InteractionConfig, base: Path) -> dict[str, Any]:
    """Return what tells a potential from others, as JSON: its settings, and the checksums of its files.

    Args:
        potential: model, pair style or potential of OpenKIM.
        base: where relative paths in it begin.

    Raises:
        DataError: a file is missing or cannot be read.
    """
    files = {path.name: file_checksum(path) for path in _files(potential, base)}
    return {"settings": potential.model_dump(mode="json", exclude_none=True), "files": files}


def _files(potential: InteractionConfig, base: Path) -> Iterator[Path]:
    if potential.model is not None:
        yield base / potential.model
    if potential.kim is not None:
        yield find_model(potential.kim).path
    for line in (potential.pair_style or "", *potential.pair_coeff):
        found = (Path(find_files(word, base).strip('"')) for word in line.split())
        yield from (path for path in found if path.is_absolute() and path.is_file())
