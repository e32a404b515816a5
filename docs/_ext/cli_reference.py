"""Verbs of the command line as Markdown, from the functions they are."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from typer.models import ArgumentInfo, OptionInfo

VALUES = {Path: "PATH", str: "TEXT", int: "N", float: "X"}


def cli_markdown(words: list[str]) -> str:
    """Return usage, help, arguments and options of a verb, ``["train"]``, or of a verb of a group, ``["data", "info"]``."""
    function = _function(words)
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    arguments = [p for p in parameters if isinstance(_info(p), ArgumentInfo)]
    options = [p for p in parameters if isinstance(_info(p), OptionInfo)]
    required = [f"{_names(p)[0]} {_value(p)}" for p in options if _is_required(p)]
    usage = " ".join(["unnp", *words, *(_placeholder(p) for p in arguments), *required, "[OPTIONS]"])
    help_text = inspect.cleandoc(function.__doc__ or "")
    lines = ["```console", f"$ {usage}", "```", "", help_text, "", "| | default | |", "|---|---|---|"]
    lines += [_row(_placeholder(p), p) for p in arguments]
    lines += [_row(f"{', '.join(_names(p))} {_value(p)}".strip(), p) for p in options]
    return "\n".join(lines)


def verbs(module: str) -> dict[str, Callable[..., Any]]:
    """Return the functions of a module of ``unnp.cli``: those of its group by name, or the only one under ''."""
    loaded = import_module(f"unnp.cli.{module.replace('-', '_')}")
    if not hasattr(loaded, "app"):
        return {"": loaded.command}
    commands = [c for c in loaded.app.registered_commands if c.callback is not None]
    return {c.name or c.callback.__name__.replace("_", "-"): c.callback for c in commands}


def _function(words: list[str]) -> Callable[..., Any]:
    return verbs(words[0])["" if len(words) == 1 else words[1]]


def _info(parameter: inspect.Parameter) -> Any:
    return next(iter(getattr(parameter.annotation, "__metadata__", ())), None)


def _kind(parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter, without None."""
    kind = typing.get_args(parameter.annotation)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    return kind


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is inspect.Parameter.empty


def _placeholder(parameter: inspect.Parameter) -> str:
    name = parameter.name.upper() + (" ..." if typing.get_origin(_kind(parameter)) is list else "")
    return name if _is_required(parameter) else f"[{name}]"


def _names(parameter: inspect.Parameter) -> list[str]:
    info = _info(parameter)
    first = (
        [info.default] if isinstance(info.default, str) else []
    )  # in Annotated, typer takes the first word for a name
    return [*first, *(info.param_decls or ())] or [f"--{parameter.name.replace('_', '-')}"]


def _value(parameter: inspect.Parameter) -> str:
    kind = _kind(parameter)
    if kind is bool:
        return ""
    if typing.get_origin(kind) is typing.Literal:
        return "|".join(typing.get_args(kind))
    return _info(parameter).metavar or VALUES.get(kind, "VALUE")


def _row(name: str, parameter: inspect.Parameter) -> str:
    default = parameter.default
    shown = (
        "required"
        if _is_required(parameter)
        else ""
        if default is None or default is False or default == ""
        else f"`{default}`"
    )
    meaning = " ".join((_info(parameter).help or "").split())
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", shown, meaning)) + " |"
