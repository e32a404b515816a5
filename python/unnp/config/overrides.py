"""Settings given on the command line, on top of a YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel

from unnp.config.base import from_dict, read_yaml
from unnp.errors import ConfigError

C = TypeVar("C", bound=BaseModel)


def load_with_overrides(path: str | Path, settings: Sequence[str], kind: type[C]) -> C:
    """Read a YAML file, replace the settings given as ``key.subkey=value`` (value in YAML), and validate the result.

    Raises:
        ConfigError: a setting without ``=``, a key below something that is no table, or what ``load_yaml`` raises.
    """
    content = apply_settings(read_yaml(path), settings)
    return from_dict(content, kind, where=f"{path} with --set" if settings else str(path))


def apply_settings(content: dict[str, Any], settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Return ``content`` with settings put in; ``option`` is what the messages call them."""
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} {setting}: give KEY=VALUE, without blanks around the equals sign.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(f"{option} {setting}: '{text}' is not a YAML value.") from None
        _put(content, key.split("."), value, f"{option} {setting}")
    return content


def _put(content: dict[str, Any], keys: list[str], value: Any, setting: str) -> None:
    for key in keys[:-1]:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            raise ConfigError(f"{setting}: '{key}' holds a value, not a table with further keys.")
    content[keys[-1]] = value
