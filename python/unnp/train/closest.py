"""The distances below which a potential that begins with another one sees two atoms no closer."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from unnp.models import TrainingData
from unnp.models.build import closest_distances
from unnp.nn.closest import joined_distances
from unnp.train.config import TrainConfig
from unnp.train.start import Start

logger = logging.getLogger(__name__)


def distances_after(
    start: Start, config: TrainConfig, elements: Sequence[str], data: TrainingData
) -> list[list[float]]:
    """Return the distances [A] of the potential that ``start`` becomes, (n_elements, n_elements); empty: none.

    Distances given as a number hold for all pairs. Those of data become smaller where the new data are closer, for the weights
    learn what is there. Where elements and representation are frozen they stay, as all that such a potential says of an atom.

    Args:
        start: what the training begins with.
        config: of the training.
        elements: those of the start, then new ones.
        data: training structures, with those that are replayed.
    """
    found = closest_distances(config.potential, len(elements), data)
    if config.potential.closest != "data":
        return found
    rates, potential = config.optimizer.rates, start.potential
    frozen = not (rates.elements or rates.representation)
    joined = joined_distances(potential.closest.table(), len(potential.elements), found, lower=not frozen)
    if frozen and (text := _too_close(elements, found, joined)):
        logger.warning("%s", text)
    return joined


def _too_close(elements: Sequence[str], found: list[list[float]], kept: list[list[float]]) -> str:
    """Return what to say where the new data have shorter distances than a frozen representation sees; else nothing."""
    pairs = [
        f"{one}-{other} {found[i][j]:.2f} A, not below {kept[i][j]:.2f} A"
        for i, one in enumerate(elements)
        for j, other in enumerate(elements[: i + 1])
        if kept and 0 < found[i][j] < kept[i][j]
    ]
    if not pairs:
        return ""
    return (
        f"atoms of the new data are closer than those of the start ({'; '.join(pairs)}): representation and elements are "
        "frozen and see them no closer. Let one of them learn (optimizer.rates), or give potential.closest as a number."
    )
