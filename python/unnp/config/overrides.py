"""Settings given on the command line, on top of a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from unnp.config.base import from_dict, read_yaml
from unnp.config.yaml_text import YamlError, parse_yaml
from unnp.errors import ConfigError, in_one_line

C = TypeVar("C", bound=BaseModel)


def load_with_overrides(path: str | Path, settings: Sequence[str], kind: type[C]) -> C:
    """Read a YAML file, replace the settings given as ``key.subkey=value`` (value in YAML), and validate the result.

    Raises:
        ConfigError: a setting without ``=``, a key below something that is no table, or what ``load_yaml`` raises.
    """
    content = apply_settings(read_yaml(path), settings)
    return from_dict(content, kind, where=f"{path} with --set" if settings else str(path))


def apply_settings(content: dict[str, Any], settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Return ``content`` with settings put in; ``option`` is what the messages call them.

    Raises:
        ConfigError: a setting without ``=``, with a value that is no YAML, below something that is no table, or twice.
    """
    seen: set[str] = set()
    for setting in settings:
        said = f"{option} {in_one_line(setting)}"
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"{said}: give KEY=VALUE, without blanks around the equals sign.")
        if key in seen:
            raise ConfigError(f"{said}: '{in_one_line(key)}' is given twice.")
        seen.add(key)
        try:
            value = parse_yaml(text)
        except YamlError as error:
            raise ConfigError(f"{said}: '{in_one_line(text)}' is not a YAML value ({error}).") from None
        _put(content, key.split("."), value, said)
    return content


def merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of ``own`` in the place of those of ``common``; tables are merged key by key."""
    result = dict(common)
    for key, value in own.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def _put(content: dict[str, Any], keys: list[str], value: Any, setting: str) -> None:
    for key in keys[:-1]:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            raise ConfigError(f"{setting}: '{in_one_line(key)}' holds a value, not a table with further keys.")
    content[keys[-1]] = value
