"""The base class of every configuration and its way in from YAML and out again."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from unnp.errors import ConfigError, did_you_mean


class Config(BaseModel):
    """Base of all configurations: unknown keys are errors, values are fixed after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)


C = TypeVar("C", bound=BaseModel)


def load_yaml(path: str | Path, kind: type[C]) -> C:
    """Read a YAML file into a configuration; raise ConfigError that names file, key, allowed values and a near miss."""
    return from_dict(read_yaml(path), kind, where=str(path))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the ``key: value`` lines of a YAML file; raise ConfigError where it is missing or holds something else."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}.") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, found {type(content).__name__}.")
    return content


def from_dict(content: dict[str, Any], kind: type[C], where: str = "configuration") -> C:
    """Validate a dictionary into a configuration; raise ConfigError with one line per wrong key."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = [_explain(item, kind) for item in error.errors()]
        raise ConfigError(f"{where}:\n  " + "\n  ".join(lines)) from None


def dump_yaml(config: BaseModel) -> str:
    """Return the resolved configuration as YAML, in the order in which the fields are declared."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _explain(item: Any, kind: type[BaseModel]) -> str:
    location = [str(part) for part in item["loc"]]
    key = ".".join(location)
    if item["type"] != "extra_forbidden":
        if item["type"] == "union_tag_not_found":
            return f"{key}: give its `kind`, which says which settings it takes (got {item['input']!r})"
        # of a whole table the message says what is wrong
        known = item["type"] == "missing" or isinstance(item["input"], dict)
        given = "" if known else f" (got {item['input']!r})"
        return f"{key + ': ' if key else ''}{item['msg']}{given}"
    allowed = _fields_at(kind, item["loc"][:-1])
    listed = f" Allowed here: {', '.join(sorted(allowed))}." if allowed else ""
    return f"{key}: unknown key.{did_you_mean(location[-1], allowed)}{listed}"


def _fields_at(kind: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the (nested) configuration that a pydantic error location points to."""
    candidates: list[type[BaseModel]] = [kind]
    for part in location:
        inner = [m for c in candidates if part in c.model_fields for m in _models(c.model_fields[str(part)].annotation)]
        candidates = inner or candidates
    return [name for candidate in candidates for name in candidate.model_fields]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the configuration classes inside an annotation such as ``dict[str, A] | B | None``."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in typing.get_args(annotation) for model in _models(argument)]
