"""When a run begins or is resumed, and which settings may change then: those whose fields are marked with ``FREE``."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from unnp.config.base import load_yaml, models_in
from unnp.errors import ConfigError

FREE: dict[str, Any] = {"resume": "free"}
"""The ``json_schema_extra`` of a setting that may change from one start of a run to the next."""
SAME_NUMBER = 1e-9
"""Numbers that are fitted are the same up to this share of them: the last digits differ from machine to machine."""


def check_resume(folder: Path, *, resume: bool, sign: str) -> None:
    """Raise ConfigError where a folder holds a run and none is to go on, or the other way round.

    Args:
        folder: of the run.
        resume: whether a run is to go on.
        sign: name of the file by which a run is known.
    """
    exists = (folder / sign).is_file()
    if exists and not resume:
        raise ConfigError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    if resume and not exists:
        raise ConfigError(f"{folder} holds no run that could be resumed (no {sign}); leave out --resume.")


def check_run(now: BaseModel, path: Path, *, resume: bool, fixed: Collection[str] = ()) -> None:
    """Raise ConfigError as ``check_resume``, and where a run is to go on with settings that may not have changed.

    Args:
        now: settings that are given.
        path: file in the folder of the run with those it has begun with.
        resume: whether it is to go on.
        fixed: settings that may not change any more although their fields are marked as free.
    """
    check_resume(path.parent, resume=resume, sign=path.name)
    if resume and (reason := refusal(now, load_yaml(path, type(now)), path.parent, fixed)):
        raise ConfigError(reason)


def is_free(field: FieldInfo) -> bool:
    """Tell whether a setting may change when a run is resumed."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("resume") == "free"


def changed_settings(now: BaseModel, before: BaseModel) -> list[str]:
    """Return the keys, such as ``stages.observe``, of the settings that differ and may not."""
    changed = []
    for name, field in type(now).model_fields.items():
        one, other = getattr(now, name), getattr(before, name)
        if is_free(field) or one == other:
            continue
        if isinstance(one, BaseModel) and type(one) is type(other) and any(free_settings(type(one))):
            changed += [f"{name}.{key}" for key in changed_settings(one, other)]
        else:
            changed.append(name)
    return changed


def refusal(now: BaseModel, before: BaseModel, folder: Path, fixed: Collection[str] = ()) -> str:
    """Return why the run in a folder cannot be resumed with these settings; empty where it can.

    Args:
        now, before: settings that are given, and those of the run.
        folder: the run's folder.
        fixed: settings that may not change here although their fields are marked as free.
    """
    changed = changed_settings(now, before)
    changed += [name for name in fixed if getattr(now, name) != getattr(before, name)]
    if not changed:
        return ""
    free = sorted(set(free_settings(type(now))) - set(fixed))
    return (
        f"{', '.join(changed)} changed since {folder} was made; a run is resumed with the same settings (only "
        f"{', '.join(free)} may change). Restore them, or name another folder with -o for a new run."
    )


def free_settings(kind: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of the settings of a configuration that may change."""
    for name, field in kind.model_fields.items():
        if is_free(field):
            yield name
        else:
            yield from (f"{name}.{key}" for inner in models_in(field.annotation) for key in free_settings(inner))


def alike(one: Any, other: Any) -> bool:
    """Tell whether two contents of JSON are the same but for the last digits of numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=SAME_NUMBER, abs_tol=SAME_NUMBER)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
