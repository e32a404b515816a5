"""From a configuration and its structures to a potential to train and its data sets."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.data.dataset import Dataset
from unnp.errors import ConfigError, DataError
from unnp.models import Potential, Representation, TrainingData, architecture, build_potential
from unnp.models.build import PotentialConfig
from unnp.models.checkpoint import number_type
from unnp.models.output_heads.base import REGISTRY as OUTPUT_HEADS
from unnp.models.still import check_still
from unnp.train.closest import distances_after
from unnp.train.config import TrainConfig
from unnp.train.datasets import Sources, make_datasets
from unnp.train.heads import head_positions
from unnp.train.levels import begin_with, fitted_head
from unnp.train.mixed import mixed_labels
from unnp.train.start import Start, read_start

logger = logging.getLogger(__name__)


def build(config: TrainConfig, sources: Sources) -> tuple[Potential, dict[str, Dataset]]:
    """Return the potential with the weights to begin with and the data sets ``train``, ``validation`` (and ``test``)."""
    check_trainable(config.potential)
    _check_names(config)
    start = read_start(config)
    elements = _elements(sources, start)
    cutoff = config.potential.cutoff()
    owner = head_positions(config, sources)
    for text in mixed_labels(list(config.heads), sources.train, owner):
        logger.warning("%s", text)
    datasets = make_datasets(config, sources, elements, cutoff, owner)
    neighbors = datasets["train"].average_neighbors
    if not neighbors:
        raise DataError(f"no two atoms of the training structures are within {cutoff} A; check cells and units.")
    with number_type(config.dtype):
        data = TrainingData(neighbors, Graphs(datasets["train"]))
        if start is not None:
            closest = distances_after(start, config, elements.symbols, data)
            potential = begin_with(start, config, sources, elements, owner, closest)
        else:
            heads = [fitted_head(config, sources, elements, owner, name) for name in config.heads]
            potential = build_potential(config.potential, elements.symbols, heads, data)
    _check_given(config, potential)
    check_still(potential)
    return potential, datasets


def check_trainable(config: PotentialConfig) -> None:
    """Raise ConfigError where a potential has wrong settings, or is a further term alone."""
    name = config.architecture
    if not issubclass(architecture(name), Representation):
        raise ConfigError(
            f"architecture '{name}' has nothing to train; add it to another one: `add: {{{name}: {{}}}}`."
        )
    config.summands()


def _trained_outputs(config: TrainConfig) -> set[str]:
    """Return the terms of the loss that need an output beside the energy."""
    return {name for name in config.loss.used() if name in QUANTITIES and QUANTITIES[name].origin == "head"}


def _check_names(config: TrainConfig) -> None:
    """Raise ConfigError where an output has no term in the loss."""
    for name in config.potential.outputs:
        OUTPUT_HEADS.get(name)
        if name not in _trained_outputs(config):
            raise ConfigError(f"potential.outputs names {name}, which nothing trains; give loss.{name}.weight.")


def _check_given(config: TrainConfig, potential: Potential) -> None:
    """Raise ConfigError where a term of the loss has no output."""
    given = {output.name for output in potential.declared()}
    for name in sorted(_trained_outputs(config) - given):
        how = f"add outputs: [{name}]" if name in OUTPUT_HEADS.names() else "an architecture that gives it is needed"
        raise ConfigError(f"loss.{name} has a weight, but the potential does not give it; {how}.")


class Graphs:
    """The graphs of a data set, one after the other, as often as they are asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __iter__(self) -> Iterator[Graph]:
        return (self._dataset[k].graph for k in range(len(self._dataset)))


def _elements(sources: Sources, start: Start | None) -> Elements:
    """Return the elements of the training structures; behind those of the start where there is one."""
    known = [] if start is None else start.potential.elements
    return Elements([*known, *(symbol for symbol in sources.statistics.elements if symbol not in known)])
