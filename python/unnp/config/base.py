"""The base class of every configuration and its way in from YAML and out again."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from unnp.config.unions import told_once
from unnp.config.values import check_values
from unnp.config.yaml_text import MOST_CHARACTERS, YamlError, format_yaml, parse_yaml
from unnp.errors import ConfigError, did_you_mean, in_one_line, unknown

MOST_MISTAKES = 10
"""Number of mistakes that one message tells."""
LONGEST_MESSAGE = 600


class Config(BaseModel):
    """Base of all configurations: unknown keys are errors, numbers are finite, values are fixed after validation."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @model_validator(mode="wrap")
    @classmethod
    def _values_are_what_they_seem(cls, given: Any, handler: ModelWrapValidatorHandler[Config]) -> Config:
        config = handler(given)
        if isinstance(given, dict):
            for key in cls.model_fields.keys() & given.keys():
                check_values(key, given[key], getattr(config, key))
        return config


C = TypeVar("C", bound=BaseModel)


def load_yaml(path: str | Path, kind: type[C]) -> C:
    """Read a YAML file into a configuration; raise ConfigError that names file, key, allowed values and a near miss."""
    return from_dict(read_yaml(path), kind, where=str(path))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return the ``key: value`` lines of a YAML file; raise ConfigError where it is missing or holds something else."""
    path = Path(path)
    text = _read_text(path)
    try:
        content = parse_yaml(text)
    except YamlError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, found {type(content).__name__}.")
    return content


def from_dict(content: dict[str, Any], kind: type[C], where: str = "configuration") -> C:
    """Validate a dictionary into a configuration; raise ConfigError with one line per wrong key."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = [_explain(item, kind) for item in told_once(error.errors(include_url=False), content)]
        if len(lines) > MOST_MISTAKES:
            lines[MOST_MISTAKES:] = [f"... and {len(lines) - MOST_MISTAKES} more."]
        raise ConfigError(f"{where}:\n  " + "\n  ".join(lines)) from None


def dump_yaml(config: BaseModel, leave_out: Collection[str] = ()) -> str:
    """Return the resolved configuration as YAML, in the order in which the fields are declared, but for some of them."""
    return format_yaml(config.model_dump(mode="json", exclude=set(leave_out)))


def _read_text(path: Path) -> str:
    if path.exists() and not path.is_file():  # a named pipe would wait for somebody to write
        raise ConfigError(f"cannot read {path}: it is no file.")
    try:
        with path.open("rb") as file:
            return file.read(4 * MOST_CHARACTERS).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"cannot read {path}: it is not text in UTF-8 ({error.reason} at byte {error.start})."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None


def _explain(item: Any, kind: type[BaseModel]) -> str:
    location = [in_one_line(part) for part in item["loc"]]
    key = ".".join(location)
    if item["type"] != "extra_forbidden":
        if item["type"] == "union_tag_invalid":
            allowed = [word.strip("' ") for word in item["ctx"]["expected_tags"].split(",")]
            return f"{key}: {unknown('kind', str(item['ctx']['tag']), allowed)}"
        if item["type"] == "union_tag_not_found":
            return f"{key}: give its `kind`, which says which settings it takes (got {_shown(item['input'])})"
        # of a whole table the message says what is wrong
        known = item["type"] == "missing" or isinstance(item["input"], dict)
        given = "" if known else f" (got {_shown(item['input'])})"
        message = "Input should be a table" if item["type"] == "model_type" else _flat(item["msg"])
        return f"{key + ': ' if key else ''}{in_one_line(message, LONGEST_MESSAGE)}{given}"
    allowed = _fields_at(kind, item["loc"][:-1])
    listed = f" Allowed here: {', '.join(sorted(allowed))}." if allowed else ""
    return f"{key}: unknown key.{did_you_mean(location[-1], allowed)}{listed}"


def _flat(message: str) -> str:
    """Return a message of a validator, which may hold the lines of another `from_dict`, as one line."""
    return message.removeprefix("Value error, ").replace(":\n  ", ": ").replace("\n  ", "; ")


def _shown(value: Any) -> str:
    return in_one_line(repr(value))


def _fields_at(kind: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the (nested) configuration that a pydantic error location points to, each once."""
    candidates: list[type[BaseModel]] = [kind]
    for part in location:
        inner = [
            m for c in candidates if part in c.model_fields for m in models_in(c.model_fields[str(part)].annotation)
        ]
        of_kind = [c for c in candidates if part in _kinds(c)]  # a union is located by the kind of the member
        candidates = inner or of_kind or candidates
    return list(dict.fromkeys(name for candidate in candidates for name in candidate.model_fields))


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    """Return the words of ``kind`` by which a model is known among others."""
    field = model.model_fields.get("kind")
    return typing.get_args(field.annotation) if field is not None else ()


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the configuration classes inside an annotation such as ``dict[str, A] | B | None``."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in typing.get_args(annotation) for model in models_in(argument)]
