"""Which labels of the structures a loss can learn from, and what is said of those that do not count."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from unnp.atoms.quantities import FURTHER, QUANTITIES, Quantity
from unnp.atoms.structure import Structure
from unnp.data.statistics import group_names
from unnp.errors import ConfigError
from unnp.train.loss import LossTable

logger = logging.getLogger(__name__)
ENOUGH = 8
"""Labels of robust groups in a batch from which on the scale of Tukey's biweight leaves out less than 1 % of good ones."""


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


def few_robust_labels(
    loss: LossTable, train: Sequence[Structure], drawn: tuple[int, int], n_batches: int, batch_size: int
) -> list[str]:
    """Return what is to be said of each term of which a batch has too few labels of robust groups for their scale.

    Args:
        loss: the table.
        train: structures that are trained on.
        drawn: of how many structures at their end, and how many of these an epoch has.
        n_batches: of an epoch.
        batch_size: structures in a batch, at most.
    """
    always: Counter[str] = Counter()
    in_pool: Counter[str] = Counter()
    n_pool, n_drawn = drawn
    terms = [name for name in loss.used() if name in QUANTITIES]
    for k, group in enumerate(group_names(train) if loss.robust_groups else []):
        if group in loss.robust_groups:
            part, structure = (in_pool if k >= len(train) - n_pool else always), train[k]
            part.update({name: _n_labels(structure, QUANTITIES[name]) for name in terms})
    found = []
    for name in terms:
        mean = (always[name] + in_pool[name] * n_drawn / max(n_pool, 1)) / max(n_batches, 1)
        if 0 < mean < ENOUGH:
            found.append(
                f"loss.robust_groups: a batch has {mean:.1f} labels of {name} of these groups on average. The scale that tells "
                f"which are far off is found from them, and fewer than {ENOUGH} leave out good ones too, or tell nothing; give "
                f"a larger batch_size, about {math.ceil(batch_size * ENOUGH / mean)}, where max_cost and max_atoms allow it."
            )
    return found


def _n_labels(structure: Structure, quantity: Quantity) -> int:
    """Return how many numbers of a quantity count in a structure."""
    if structure.label(quantity.name) is None or (quantity.needs_volume and not np.all(structure.pbc)):
        return 0
    return math.prod(quantity.shape) * (int(structure.has_label(quantity).sum()) if quantity.per_atom else 1)


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
