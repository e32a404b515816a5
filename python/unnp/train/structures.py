"""The structures of a training that is over: what it was trained on, and what it held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from unnp.atoms.structure import Structure
from unnp.config import load_yaml
from unnp.data.statistics import group_names
from unnp.errors import DataError
from unnp.train.config import TrainConfig
from unnp.train.datasets import Sources, Subset, open_sources
from unnp.train.heads import heads_of_groups


def is_run(path: Path) -> bool:
    """Return whether a path is the folder of a training or of a committee."""
    return (path / "config.yaml").is_file()


def sources_of_run(run: Path, head: int = 0) -> Sources:
    """Return the structures of a training, drawn as it has drawn them; of those held back the ones of one level of theory.

    Args:
        run: folder of a training or of a committee.
        head: position of the level of theory whose labels are asked for.

    Raises:
        ConfigError: no training is there, or its settings are damaged.
        DataError: its data have moved, or hold no structure of the level of theory.
    """
    config = load_yaml(run / "config.yaml", TrainConfig)
    sources = open_sources(config.data.located(run), config.seed)
    owner = heads_of_groups(config.heads, sources.groups)
    return replace(sources, validation=_of_head(sources.validation, owner, head))


def _of_head(structures: Sequence[Structure], owner: dict[str, int], head: int) -> Sequence[Structure]:
    own = [k for k, group in enumerate(group_names(structures)) if owner[group] == head]
    if not own:
        raise DataError("the training has held back no structure of this level of theory; give labelled structures.")
    return structures if len(own) == len(structures) else Subset(structures, own)
