"""The old data of a training that begins with the weights of another one: what is replayed, and what its errors are on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from unnp.atoms.lazy import LazyStructures
from unnp.atoms.structure import Structure
from unnp.config import load_yaml
from unnp.data.opening import Concatenated, origins_of, sources_of
from unnp.data.statistics import atom_counts, group_names, statistics
from unnp.errors import ConfigError, DataError, UnnpError
from unnp.train.config import ReplayConfig, TrainConfig
from unnp.train.datasets import Sources, Structures, Subset, number_drawn, open_sources
from unnp.train.start import Start, read_start

logger = logging.getLogger(__name__)

OLD = "old"
"""Group of the old structures, of those with a group `old/<group>`."""


def open_all(config: TrainConfig) -> Sources:
    """Return all structures of a training: its own and, where it begins with another one, the old ones.

    Args:
        config: with absolute paths.

    Raises:
        DataError: a file is wrong or a part is empty.
        ConfigError: nothing would be replayed or drawn, or `replay` and `data.thinned` are both there.
    """
    if config.replay is not None and config.data.thinned is not None:
        raise ConfigError("replay and data.thinned both say what an epoch draws; give one of them.")
    sources = open_sources(config.data, config.seed)
    start = read_start(config)
    if start is None:
        return sources
    if config.replay is not None:
        return _with_old(sources, _open_old(config, config.replay), config, start)
    try:
        run = _run_of(config)
        old = None if run is None else open_sources(run.data, run.seed)
    except UnnpError as error:
        logger.warning("The errors on the data of %s are left out: %s", config.start, error)
        return sources
    return sources if old is None else _with_old(sources, old, config, start)


def _open_old(config: TrainConfig, replay: ReplayConfig) -> Sources:
    if replay.data is not None:
        return open_sources(replay.data, config.seed)
    run = _run_of(config)
    if run is None:
        raise ConfigError(
            f"replay: {config.start} is in no run folder, so its data are not known; give them under replay.data."
        )
    return open_all(run) if run.replay is not None else open_sources(run.data, run.seed)


def _run_of(config: TrainConfig) -> TrainConfig | None:
    """Return the settings, with absolute paths, of the run that the start is or lies in; None where it does not."""
    path = Path(config.start or "")
    for folder in (path, path.parent.parent):
        if (folder / "config.yaml").is_file() and (folder / "checkpoints").is_dir():
            return load_yaml(folder / "config.yaml", TrainConfig).located(folder)
    return None


def _with_old(sources: Sources, old: Sources, config: TrainConfig, start: Start) -> Sources:
    """Return the sources with the old structures of the heads that stay, and of these the share that is replayed."""
    only = start.heads[0] if len(start.heads) == 1 else None
    of_groups = {_renamed(group): start.head_of_group(group) or only for group in old.groups}
    stay = {group: head for group, head in of_groups.items() if head in config.heads}
    if both := sorted(set(stay) & set(sources.groups)):
        raise DataError(f"the group '{both[0]}' of the new data has the name of old data; give it another one.")
    held_back = Concatenated([old.validation, old.old]) if len(old.old) else old.validation
    sources = replace(sources, old=_Renamed(held_back).of_groups(stay), old_heads=stay)
    if config.replay is None:
        return sources
    pool = _Renamed(old.train).of_groups(stay)
    n_drawn = _drawn(config.replay, len(pool), start, config)
    train = Concatenated([sources.train, pool])
    return replace(sources, train=train, statistics=statistics(train), pool=len(pool), drawn=n_drawn)


def _drawn(replay: ReplayConfig, n_pool: int, start: Start, config: TrainConfig) -> int:
    """Return how many old structures an epoch draws; raise ConfigError where these are none, or more than there are."""
    if not n_pool:
        raise ConfigError(
            f"replay: no old structure belongs to a head that stays, nothing would be replayed. {config.start} has the heads "
            f"{', '.join(start.heads)}, the settings {', '.join(config.heads)}; add the old one under `heads`, `groups: []`."
        )
    return number_drawn(replay, n_pool, "replay")


def doubt_of_old(config: TrainConfig) -> str:
    """Return what to say of errors on old structures which the start may have been trained on; else nothing."""
    old = None if config.replay is None else config.replay.data
    if old is None or isinstance(old.validation, list) or old.split_seed is not None:
        return ""
    return (
        "These structures were drawn anew from replay.data for this training, which does not learn from them. The start may "
        "have: then its errors before this training are those of structures that it was trained on, and less than its errors "
        "on unseen ones. Files in replay.data.validation that it has not seen, or its own replay.data.split_seed, "
        "make them comparable."
    )


def _renamed(group: str) -> str:
    return f"{OLD}/{group}" if group else OLD


class _Renamed(LazyStructures):
    """Structures whose groups have the names of old ones, read when asked for."""

    def __init__(self, structures: Structures) -> None:
        self._structures = structures
        self.n_atoms = atom_counts(structures)
        self.group_names = [_renamed(name) for name in group_names(structures)]
        self.origins = origins_of(structures)
        self.sources = [replace(s, groups=frozenset(map(_renamed, s.groups))) for s in sources_of(structures)]

    def __len__(self) -> int:
        return len(self._structures)

    def at(self, k: int) -> Structure:
        structure = self._structures[k]
        return replace(structure, group=_renamed(structure.group))

    def of_groups(self, groups: Mapping[str, str]) -> Subset:
        """Return those of some groups."""
        return Subset(self, [k for k, name in enumerate(self.group_names) if name in groups])
