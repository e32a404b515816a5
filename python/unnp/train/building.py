"""From a configuration and its structures to a potential to train and its data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.data.dataset import Dataset
from unnp.data.opening import Concatenated
from unnp.data.reference_energies import is_isolated, reference_energies
from unnp.data.statistics import group_names, statistics
from unnp.errors import ConfigError, DataError
from unnp.models import Head, Potential, Representation, TrainingData, architecture, build_potential
from unnp.models.checkpoint import number_type
from unnp.models.output_heads.base import REGISTRY as OUTPUT_HEADS
from unnp.models.still import check_still
from unnp.train.config import TrainConfig
from unnp.train.datasets import Sources, Structures, Subset, make_datasets
from unnp.train.heads import heads_of_groups
from unnp.train.start import started_potential


def build(config: TrainConfig, sources: Sources) -> tuple[Potential, dict[str, Dataset]]:
    """Return the potential with the weights to begin with and the data sets ``train``, ``validation`` (and ``test``)."""
    name = config.potential.architecture
    if not issubclass(architecture(name), Representation):
        raise ConfigError(
            f"architecture '{name}' has nothing to train; add it to another one: `add: {{{name}: {{}}}}`."
        )
    _check_names(config)
    begun = None if config.start is None else started_potential(config, sources.statistics.elements)
    elements = Elements(list(sources.statistics.elements) if begun is None else begun.elements)
    cutoff = config.potential.cutoff()
    owner = heads_of_groups(config.heads, sources.groups)
    datasets = make_datasets(config, sources, elements, cutoff, owner)
    neighbors = datasets["train"].average_neighbors
    if not neighbors:
        raise DataError(f"no two atoms of the training structures are within {cutoff} A; check cells and units.")
    potential = begun
    if potential is None:
        heads = _fit_heads(config, sources, elements, owner)
        data = TrainingData(neighbors, Graphs(datasets["train"]))
        with number_type(config.dtype):
            potential = build_potential(config.potential, elements.symbols, heads, data)
    _check_given(config, potential)
    check_still(potential)
    return potential, datasets


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


def _fit_heads(config: TrainConfig, sources: Sources, elements: Elements, owner: Mapping[str, int]) -> list[Head]:
    """Return the heads with the scale and the reference energies of their own training structures."""
    heads, names, cutoff = [], group_names(sources.train), config.potential.cutoff()
    isolated = [s for s in sources.validation if s.energy is not None and is_isolated(s, cutoff)]
    for k, (name, head) in enumerate(config.heads.items()):
        alone = len(config.heads) == 1
        own: Structures = sources.train
        if not alone:
            own = Subset(sources.train, [i for i, group in enumerate(names) if owner[group] == k])
        if not len(own):
            raise ConfigError(f"heads.{name} has no training structures; give it groups that have, or leave it out.")
        scale = (sources.statistics if alone else statistics(own)).rms.get("forces") or 1.0
        held_back = [s for s in isolated if owner[s.group] == k]  # a single atom may have been held back
        kind = head.reference_energies or config.reference_energies
        energies = reference_energies(Concatenated([own, held_back]), elements, kind, cutoff)
        groups = tuple(sorted({group for group in names if group and owner[group] == k}))
        heads.append(Head(scale, energies, name, groups))
    return heads
