"""Heads in a training: which groups of the data each learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unnp.errors import ConfigError, unknown
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
                raise ConfigError(f"heads.{name}: " + unknown("group", group, groups))
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
