"""Labels of the chosen structures: those they have, or computed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from unnp.atoms.structure import Structure
from unnp.data.labelling import Labelled, label_structures
from unnp.data.limits import FrameLimits, mislabelled
from unnp.errors import DataError
from unnp.executors.base import Executor, run_tasks


def labelled_structures(
    chosen: Sequence[Structure],
    label: str | Mapping[str, Any],
    limits: FrameLimits | None,
    *,
    base: Path,
    work: Path,
    executor: Executor,
    attempts: int,
) -> Labelled:
    """Return structures with labels.

    Args:
        chosen: with their labels, where these are only hidden.
        label: "reveal", or the settings of a calculator.
        limits: of energies and forces that are computed; None: none.
        base: where relative paths in the settings begin.
        work: keeps each label that is computed, so that none is computed twice.
        executor: computes them.
        attempts: how often each is tried.

    Raises:
        DataError: a structure has nothing to reveal, none could be labelled, or nothing is left of them.
    """
    if isinstance(label, str):
        return Labelled(_revealed(chosen), {})
    run = partial(run_tasks, executor, attempts=attempts)
    found = label_structures(chosen, label, folder=base, work=work, run=run, on_failure="skip")
    if limits is None:
        return found
    reasons = mislabelled(found.structures, limits)
    kept = [structure for k, structure in enumerate(found.structures) if k not in reasons]
    if not kept:
        counted = ", ".join(f"{n} with {reason}" for reason, n in Counter(reasons.values()).items())
        raise DataError(
            f"nothing is left of {len(chosen)} chosen structures: {counted}. Begin another loop (-o) with wider `limits`, or "
            "with proposals that are less extreme."
        )
    return Labelled(kept, found.failures, dict(Counter(reasons.values())), found.origin)


def _revealed(chosen: Sequence[Structure]) -> list[Structure]:
    for structure in chosen:
        if structure.energy is None or structure.forces is None:
            raise DataError(
                f"{structure.source} has no energy and forces to reveal; give `label` the settings of a calculator, or propose "
                "labelled structures only."
            )
    return list(chosen)
