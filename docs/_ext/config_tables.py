"""Pydantic configurations as Markdown tables: key, type, default, meaning."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from unnp.atoms.quantities import QUANTITIES
from unnp.config.resume import is_free
from unnp.models import architecture

HEADER = ["| key | type | default | meaning |", "|---|---|---|---|"]
PLAIN = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true, false",
    Path: "path",
    Any: "any",
    type(None): "null",
}
_GIVEN_BY = {"energy": "the energy", "derivative": "derivatives of the energy", "head": "an output head"}
BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def config_markdown(kind: type[BaseModel]) -> str:
    """Return one table for the settings of a configuration and one for each nested configuration."""
    return "\n".join(_tables(kind, "", None))


def presets_markdown(name: str) -> str:
    """Return a table of the presets of an architecture: settings down, presets across."""
    kind = architecture(name)
    defaults = {key: field.get_default(call_default_factory=True) for key, field in kind.Config.model_fields.items()}
    lines = [f"| setting | {' | '.join(kind.presets)} | default |", "|---" * (len(kind.presets) + 2) + "|"]
    for key, default in defaults.items():
        values = [_code(preset.get(key, default)) for preset in kind.presets.values()]
        lines.append(f"| `{key}` | {' | '.join(values)} | {_code(default)} |")
    return "\n".join(lines)


def quantities_markdown() -> str:
    """Return the table of quantities."""
    rows = [
        f"| `{q.name}` | {q.per} | {' x '.join(map(str, q.shape)) or 'number'} | {q.unit} | `{q.ase}` | {_GIVEN_BY[q.origin]} |"
        for q in QUANTITIES.values()
    ]
    return "\n".join(["| name | per | shape | unit | ASE | given by |", "|---|---|---|---|---|---|", *rows])


def _tables(kind: type[BaseModel], prefix: str, instance: BaseModel | None) -> Iterator[str]:
    nested: list[tuple[str, type[BaseModel], Any, str, str]] = []
    rows = []
    for name, field in kind.model_fields.items():
        default = getattr(instance, name) if instance is not None else _default(field)
        inner = _models(field.annotation)
        is_part = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        key = prefix + name + _suffix(field.annotation, inner)
        nested += [(key, model, default, _meaning(field, model, is_part), _resume(field)) for model in inner]
        if not is_part:
            shown = "required" if default is PydanticUndefined else _code(default)
            rows.append(f"| `{prefix}{name}` | {_type(field)} | {shown} | {_text(field.description)}{_resume(field)} |")
    yield from ["", *HEADER, *rows, ""] if rows else []
    for key, model, default, meaning, resume in nested:
        required = " (required)" if default is PydanticUndefined and not key.endswith(("]", "NAME")) else ""
        yield from ["", f"`{key}`{_kind_of(model)}{required}: {meaning}{resume}"]
        yield from _tables(model, key + ".", default if isinstance(default, model) else None)


def _meaning(field: FieldInfo, model: type[BaseModel], is_part: bool) -> str:
    """Return what a nested configuration is for: the text of its key, where it has one, or of its class."""
    first = (field.description or "").strip().split("\n\n")[0] if is_part else ""
    return _text(first or model.__doc__)


def _resume(field: FieldInfo) -> str:
    return " (↻)" if is_free(field) else ""


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the configurations inside of an annotation."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in typing.get_args(annotation) for model in _models(argument)]


def _suffix(annotation: Any, inner: list[type[BaseModel]]) -> str:
    """Return how the entries of a list or table of configurations are written behind its key."""
    origin = typing.get_origin(annotation)
    return {list: "[]", dict: ".NAME"}.get(origin, "") if inner else ""


def _kind_of(model: type[BaseModel]) -> str:
    """Return the words that tell the members of a union with a `kind` apart."""
    field = model.model_fields.get("kind")
    if field is None or not field.is_required():
        return ""
    return " with kind " + " or ".join(f"`{word}`" for word in typing.get_args(field.annotation))


def _type(field: FieldInfo) -> str:
    return _bounded(_type_of(field.annotation), field.metadata).replace("|", "\\|")


def _type_of(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _bounded(_type_of(arguments[0]), _constraints(arguments[1:]))
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type_of(argument) for argument in arguments))
    if origin is list:
        return f"list of {_type_of(arguments[0])}"
    if origin is tuple:
        listed = [f"{_type_of(arguments[0])} …"] if arguments[-1] is Ellipsis else [_type_of(a) for a in arguments]
        return f"[{', '.join(listed)}]"
    if origin is dict:
        return f"table of {_type_of(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "settings below"
    return PLAIN.get(annotation, "value")


def _bounded(text: str, metadata: Iterable[Any]) -> str:
    bounds = [f"{sign} {getattr(m, name)}" for m in metadata for name, sign in BOUNDS.items() if hasattr(m, name)]
    return f"{text} {' and '.join(bounds)}" if bounds else text


def _constraints(metadata: tuple[Any, ...]) -> Iterator[Any]:
    """Yield bounds, also those that pydantic.Field holds."""
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else [item]


def _code(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
        if not value:
            return "as below"
    text = (
        yaml.safe_dump(_plain(value), default_flow_style=True, sort_keys=False, width=1000)
        .removesuffix("...\n")
        .strip()
    )
    return f"`{text}`".replace("|", "\\|")


def _plain(value: Any) -> Any:
    """Return a default as YAML writes it: configurations as tables of what differs from their own defaults."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _text(description: str | None) -> str:
    """Return a description for one cell of a table."""
    return " ".join((description or "").split()).replace("|", "\\|")
