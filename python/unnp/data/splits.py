"""Dividing structures into training, validation and test sets, the same way for the same seed."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.statistics import group_names
from unnp.data.store_writer import put_in_place
from unnp.data.writing import check_target, write_structures
from unnp.errors import ConfigError, unknown
from unnp.files.locks import hold_output
from unnp.files.writing import make_folder, temporary_beside, write_atomically, writing

Size = float | int | Literal["rest"]
KeepTogether = Literal["nothing", "group", "source"]
_RECORD = "split.json"
_NAME = re.compile(r"\w[\w.-]*")


def split(
    structures: Sequence[Structure],
    parts: Mapping[str, Size],
    *,
    seed: int,
    keep_together: KeepTogether = "nothing",
    stratify: bool = False,
) -> dict[str, list[int]]:
    """Divide structures into disjoint parts that together are all of them.

    Args:
        structures: what to divide.
        parts: name and size of each part: a fraction below 1, a number of structures, or "rest" (once).
        seed: the same seed gives the same parts.
        keep_together: structures that must not be torn apart: those of one group, or of one source (one file).
        stratify: give every part its share of every group.

    Returns:
        indices of each part, increasing. Sizes are exact where nothing is kept together, else as near as can be.

    Raises:
        ConfigError: the sizes do not fit the number of structures, or a part would be empty.
    """
    groups = group_names(structures)
    keys: Sequence[Hashable] = range(len(groups))
    if keep_together == "group":
        keys = groups
    elif keep_together == "source":
        keys = [source_file(s.source) for s in structures]
    return split_by_key(keys, parts, seed=seed, strata=groups if stratify else None)


def split_by_key(
    keys: Sequence[Hashable], parts: Mapping[str, Size], *, seed: int, strata: Sequence[str] | None = None
) -> dict[str, list[int]]:
    """Divide ``range(len(keys))`` into parts; equal keys stay together. See ``split``.

    Args:
        keys: one for each structure.
        parts: name and size of each part.
        seed: seed for the random order.
        strata: one word for each structure; every part gets its share of each.
    """
    wanted = _wanted(parts, len(keys))
    blocks: dict[Hashable, list[int]] = {}
    for k, key in enumerate(keys):
        blocks.setdefault(key, []).append(k)
    order = np.random.default_rng(seed).permutation(len(blocks))
    shuffled = [list(blocks.values())[k] for k in order]
    shuffled.sort(key=len, reverse=True)  # the large ones first: the small ones then even out the sizes
    result: dict[str, list[int]] = {name: [] for name in parts}
    seen = 0
    for members in _by_stratum(shuffled, strata):
        seen += sum(len(block) for block in members)
        for block in members:
            name = max(wanted, key=lambda part: wanted[part] * seen / len(keys) - len(result[part]))
            result[name].extend(block)
    empty = [name for name in parts if not result[name]]
    if empty:
        raise ConfigError(
            f"nothing is left for {', '.join(empty)}: {len(keys)} structures in {len(blocks)} pieces "
            f"that stay together cannot be divided into {dict(parts)}. Ask for larger parts, or keep less together."
        )
    return {name: sorted(indices) for name, indices in result.items()}


def source_file(source: str) -> str:
    """Return the file of a source such as "run1.extxyz frame 3", or "captured.0.extxyz step 200"."""
    return re.sub(r" (frame|step) \d+$", "", source)


def write_split(
    structures: Sequence[Structure],
    parts: Mapping[str, Size],
    folder: Path,
    *,
    seed: int,
    keep_together: str = "nothing",
    stratify: bool = False,
    suffix: str = "",
    origins: Sequence[Mapping[str, str]] = (),
    overwrite: bool = False,
) -> dict[str, list[int]]:
    """Divide structures and write each part into a folder, with split.json that says how and which went where.

    Either all parts are there at the end, or none that was not there before. Arguments and errors are those of ``split``
    and ``write_structures``; ``suffix`` is the ending of the parts.
    """
    if keep_together not in get_args(KeepTogether):
        raise ConfigError(unknown("keep-together", keep_together, get_args(KeepTogether)))
    names = {name: f"{name}{suffix}" for name in parts}
    for name in names.values():
        check_target(folder / name, overwrite)
    together = cast(KeepTogether, keep_together)
    indices = split(structures, parts, seed=seed, keep_together=together, stratify=stratify)
    choices = {"seed": seed, "parts": dict(parts), "keep_together": keep_together, "stratify": stratify}
    make_folder(folder)
    with hold_output(folder), writing(folder), temporary_beside(folder / "parts") as staging:
        for name in names.values():
            check_target(folder / name, overwrite)
        staging.mkdir()
        for part, name in names.items():
            write_structures((structures[k] for k in indices[part]), staging / name, origins=origins)
        write_atomically(staging / _RECORD, json.dumps({**choices, "indices": indices}))
        _move_all([*names.values(), _RECORD], staging, folder)
    return indices


def _move_all(names: Sequence[str], staging: Path, folder: Path) -> None:
    """Move finished parts into their folder; where one cannot be, take back those that were not there before."""
    new = [name for name in names if not (folder / name).exists()]
    moved: list[str] = []
    try:
        for name in names:
            put_in_place(staging / name, folder / name)
            moved.append(name)
    except OSError:
        for name in set(moved) & set(new):
            with contextlib.suppress(OSError):
                (folder / name).rename(staging / name)
        raise


def parse_parts(text: str) -> dict[str, Size]:
    """Return the parts of a text such as "train=0.8,valid=0.1,test=rest"; raise ConfigError for anything else."""
    parts: dict[str, Size] = {}
    for item in text.split(","):
        name, separator, size = (word.strip() for word in item.partition("="))
        if not separator or not _NAME.fullmatch(name):
            raise ConfigError(f"cannot read the part {item.strip()!r}; write name=size, as in train=0.8,valid=rest.")
        if name in parts:
            raise ConfigError(f"the part '{name}' is given twice.")
        try:
            parts[name] = "rest" if size == "rest" else int(size) if size.isdigit() else float(size)
        except ValueError:
            raise ConfigError(f"the size of '{name}' must be a fraction, a number or 'rest', got {size!r}.") from None
    return parts


def check_fractions(parts: Mapping[str, float | Literal["rest"]]) -> None:
    """Raise ConfigError where a part has no good name, or the fractions do not add up to all, whatever there is to divide."""
    for name in parts:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"the part {name!r} has no good name; take letters, digits, _, . and -.")
    total = sum(size for size in parts.values() if size != "rest")
    if total > 1 + 1e-9 or ("rest" not in parts.values() and total < 1 - 1e-6):
        raise ConfigError(f"the fractions add up to {total:g}; they must add up to 1. Give one of them as 'rest'.")
    _wanted(parts, 1_000_000)


def _wanted(parts: Mapping[str, Size], n: int) -> dict[str, int]:
    """Return the number of structures of each part; fractions are rounded so that they sum to what they should."""
    fixed = {name: size for name, size in parts.items() if size != "rest"}
    rest = [name for name in parts if name not in fixed]
    if not parts or len(rest) > 1:
        raise ConfigError("give at least one part, and 'rest' at most once.")
    for name, size in fixed.items():
        whole = isinstance(size, int) and not isinstance(size, bool)
        if not ((whole and size >= 1) or (isinstance(size, float) and 0 < size <= 1)):
            raise ConfigError(f"the size of '{name}' must be a fraction up to 1 or a number from 1, got {size}.")
    exact = {name: float(size) * (n if isinstance(size, float) else 1) for name, size in fixed.items()}
    total = sum(exact.values())
    if total > n * (1 + 1e-9) or (not rest and abs(total - n) > 1e-6 * n):
        raise ConfigError(
            f"the parts add up to {total:g} of {n} structures; they must add up to all. Give one of them as 'rest'."
        )
    # 0.29 of 100 structures are 28.999999999999996
    wanted = {name: int(np.floor(size + 1e-9)) for name, size in exact.items()}
    target = round(total) if not rest else sum(wanted.values())
    by_remainder = sorted(wanted, key=lambda name: wanted[name] - exact[name])
    for name in by_remainder[: target - sum(wanted.values())]:
        wanted[name] += 1
    if rest:
        wanted[rest[0]] = n - sum(wanted.values())
    return {name: wanted[name] for name in parts}


def _by_stratum(blocks: list[list[int]], strata: Sequence[str] | None) -> list[list[list[int]]]:
    """Return the blocks of each stratum, in the order of the strata's names; a block counts by all its members."""
    if strata is None:
        return [blocks]
    found: dict[tuple[str, ...], list[list[int]]] = {}
    for block in blocks:
        found.setdefault(tuple(sorted({strata[k] for k in block})), []).append(block)
    return [found[name] for name in sorted(found)]
