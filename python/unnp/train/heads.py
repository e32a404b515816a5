"""Heads in a training: which groups of the data each learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unnp.errors import ConfigError, in_one_line, unknown
from unnp.train.config import HeadConfig, TrainConfig
from unnp.train.datasets import Sources


def head_positions(config: TrainConfig, sources: Sources) -> dict[str, int]:
    """Return the position of the head of each group, those of old structures among them; errors as ``heads_of_groups``."""
    names = list(config.heads)
    own = [group for group in sources.groups if group not in sources.old_heads]
    return heads_of_groups(config.heads, own) | {group: names.index(name) for group, name in sources.old_heads.items()}


def heads_of_groups(heads: Mapping[str, HeadConfig], groups: Sequence[str]) -> dict[str, int]:
    """Return the position of the head that each group belongs to.

    Args:
        heads: heads by name; at most one names no groups and takes all others.
        groups: names of all groups of the data.

    Raises:
        ConfigError: a group belongs to no head or to two, or there is no such group.
    """
    owner: dict[str, int] = {}
    for k, (name, head) in enumerate(heads.items()):
        for group in head.groups or []:
            if group not in groups:
                raise ConfigError(f"heads.{name}: {_no_group(group, groups)}")
            if group in owner:
                raise ConfigError(f"heads.{name}: the group '{group}' belongs to another head already.")
            owner[group] = k
    others = [k for k, head in enumerate(heads.values()) if head.groups is None]
    left = [group for group in groups if group not in owner]
    if len(others) > 1:
        raise ConfigError("heads: at most one may leave out `groups`, which then takes all groups no other names.")
    if left and not others:
        raise ConfigError(f"heads: the groups {', '.join(left)} belong to none; give them to one under `groups`.")
    return owner | dict.fromkeys(left, others[0] if others else 0)


def _no_group(given: str, groups: Sequence[str]) -> str:
    """Return the message for a group that no structure has."""
    named = [group for group in groups if group]
    if named:
        return unknown("group", given, [group or "'' (structures without a group)" for group in groups])
    return (
        f"unknown group '{in_one_line(given)}'; no structure has a group. Name groups in the files (`group=...` in extended "
        "XYZ; data.read.group_key is another name for it), leave `groups` out where one head learns from all, or give `['']`."
    )
