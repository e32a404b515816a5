"""Which labels of the structures a loss can learn from, and what is said of those that do not count."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from unnp.atoms.quantities import FURTHER, QUANTITIES, Quantity
from unnp.atoms.structure import Structure
from unnp.errors import ConfigError
from unnp.train.loss import LossTable

logger = logging.getLogger(__name__)


@dataclass
class LabelCounts:
    """How many structures have a label and how many count, by quantity.

    Attributes:
        n_structures: all.
        present: structures that have the label.
        counting: those of them that count.
        without_volume: structures whose label does not count, as they are not periodic in all three directions.
        weightless: structures with the label that do not count because the weight of their group (or of all their atoms)
            is 0.
        partly: structures in which the labels of some atoms do not count.
        atoms_without: how many atoms these are.
    """

    n_structures: int = 0
    present: Counter[str] = field(default_factory=Counter)
    counting: Counter[str] = field(default_factory=Counter)
    weightless: Counter[str] = field(default_factory=Counter)
    without_volume: Counter[str] = field(default_factory=Counter)
    partly: Counter[str] = field(default_factory=Counter)
    atoms_without: Counter[str] = field(default_factory=Counter)

    def add(self, structure: Structure, group_weight: float) -> None:
        """Add a structure, whose group has a weight in the loss."""
        self.n_structures += 1
        for name, quantity in QUANTITIES.items():
            if structure.label(name) is not None:
                self._add(structure, group_weight, quantity)

    def _add(self, structure: Structure, group_weight: float, quantity: Quantity) -> None:
        name, n_atoms = quantity.name, len(structure)
        self.present[name] += 1
        n_counting = int(structure.has_label(quantity).sum()) if quantity.per_atom else n_atoms
        if quantity.needs_volume and not np.all(structure.pbc):
            self.without_volume[name] += 1
        elif group_weight == 0 or n_counting == 0:
            self.weightless[name] += 1
        else:
            self.counting[name] += 1
        if 0 < n_counting < n_atoms:
            self.partly[name] += 1
            self.atoms_without[name] += n_atoms - n_counting


def count_labels(structures: Iterable[Structure], loss: LossTable) -> LabelCounts:
    """Return how many of the labels count in a loss."""
    counts = LabelCounts()
    for structure in structures:
        counts.add(structure, loss.group_weights.get(structure.group, 1.0))
    return counts


def check_labels(loss: LossTable, train: Iterable[Structure], validation: Iterable[Structure]) -> None:
    """Compare the labels that are there with those that the loss counts; log how many do not count, and why.

    Raises:
        ConfigError: a term has a weight, but no training structure a label that counts; or the validation structures have
            none for any term.
    """
    if not loss.used():
        raise ConfigError(
            "no term of the loss has a weight, so nothing would be learnt; give one to loss.energy or others."
        )
    terms = [name for name in loss.used() if name in QUANTITIES]
    counts = count_labels(train, loss)
    for name in terms:
        if not counts.counting[name]:
            raise ConfigError(
                f"loss.{name} has a weight, but no training structure has {_why_none(name, counts)}. "
                f"Set loss.{name}.weight to 0, or give {_remedy(name, counts)}."
            )
        _say(name, counts, "")
    held_back = count_labels(validation, loss)
    if terms and not any(held_back.counting[name] for name in terms):
        raise ConfigError(
            f"no validation structure has a label that the loss counts ({', '.join(terms)}); give others under "
            "data.validation, or a larger fraction."
        )
    for name in terms:
        _say(name, held_back, "validation ")


def _say(name: str, counts: LabelCounts, part: str) -> None:
    """Log which structures of a part have no label of a term that counts."""
    n = counts.n_structures
    if counts.present[name] < n:
        missing = n - counts.present[name]
        logger.warning("%d of %d %sstructures have no %s and do not count there.", missing, n, part, name)
    if counts.without_volume[name]:
        logger.warning(
            "%d of %d %sstructures have a %s that does not count: they are not periodic in all three directions.",
            counts.without_volume[name],
            n,
            part,
            name,
        )
    if counts.weightless[name]:
        logger.warning(
            "%d of %d %sstructures have %s of weight 0, which do not count.", counts.weightless[name], n, part, name
        )
    if counts.partly[name]:
        logger.warning(
            "%d of %d %sstructures have %s on some atoms only: %d atoms have none and do not count there.",
            counts.partly[name],
            n,
            part,
            name,
            counts.atoms_without[name],
        )
    if not counts.counting[name]:
        logger.warning("No %sstructure has %s that counts: the loss of these says nothing about it.", part, name)


def _why_none(name: str, counts: LabelCounts) -> str:
    if counts.without_volume[name]:
        return (
            f"{name} that counts: {counts.without_volume[name]} of {counts.n_structures} have a {name}, but are not periodic "
            f"in all three directions, which a {name} needs"
        )
    return f"{name} that counts: the weights of groups or atoms are 0" if counts.present[name] else name


def _remedy(name: str, counts: LabelCounts) -> str:
    if counts.without_volume[name]:
        return "structures that are periodic in all directions"
    if counts.present[name]:
        return "other weights"
    return (
        f"its name in the files: data.read.labels: {{{name}: NAME}}"
        if name in FURTHER
        else "the label's key under data.read"
    )
