"""Where the logs and settings of a run of `unnp sample momt` lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unnp.config.base import read_yaml
from unnp.errors import ConfigError, DataError


def find_logs(inputs: Sequence[Path]) -> list[Path]:
    """Return log files in the order of their walkers: those given, and of a folder ``production/momt.*.log``.

    Raises:
        DataError: a path that does not exist, or a folder without logs.
    """
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            logs = sorted((path / "production").glob("momt.*.log"), key=_by_number)
            if not logs:
                raise DataError(
                    f"{path} has no production/momt.*.log: it is no run folder of `unnp sample momt`, or its production "
                    "has not begun. Log files can also be given directly."
                )
            found += logs
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"there is no file or folder {path}.")
    if len(set(map(Path.resolve, found))) < len(found):
        raise DataError("a log is given twice; its samples would count twice.")
    return found


def analysis_settings(inputs: Sequence[Path]) -> dict[str, Any]:
    """Return the key ``analysis`` of a run folder's momt.yaml, empty where there is none; raise ConfigError for no table."""
    if len(inputs) != 1 or not (inputs[0] / "momt.yaml").is_file():
        return {}
    path = inputs[0] / "momt.yaml"
    content = read_yaml(path).get("analysis") or {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: `analysis` must hold `key: value` lines.")
    return content


def _by_number(path: Path) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
