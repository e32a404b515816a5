"""What tells the potentials of a benchmark from others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unnp.data.store_checks import file_checksum
from unnp.kim.models import find_model
from unnp.kim.potential_files import find_files
from unnp.lammps.system_config import InteractionConfig


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
