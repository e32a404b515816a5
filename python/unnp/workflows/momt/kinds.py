"""Settings that come in several kinds: each kind is a class in a file of its own, found by being in a folder."""

from __future__ import annotations

import sys
import typing
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any, Literal, TypeVar, Union

from pydantic import BaseModel, Field

M = TypeVar("M", bound=BaseModel)


def kinds_of(package: str, base: type[M]) -> dict[str, type[M]]:
    """Return the kinds by name: all classes below a base in the files of a folder whose ``kind`` is one word.

    Args:
        package: name of the folder.
        base: what its classes have in common.
    """
    for module in iter_modules(sys.modules[package].__path__):
        import_module(f"{package}.{module.name}")
    return dict(sorted((word, cls) for cls in _below(base) if (word := _word(cls))))


def one_of(kinds: dict[str, type[M]]) -> Any:
    """Return the type of a field that takes any of the kinds; ``kind`` says which."""
    return Annotated[Union[tuple(kinds.values())], Field(discriminator="kind")]  # noqa: UP007


def _below(base: type[M]) -> list[type[M]]:
    return [cls for child in base.__subclasses__() for cls in (child, *_below(child))]


def _word(cls: type[BaseModel]) -> str:
    annotation = cls.model_fields["kind"].annotation
    return str(typing.get_args(annotation)[0]) if typing.get_origin(annotation) is Literal else ""
