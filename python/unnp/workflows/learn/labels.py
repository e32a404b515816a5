"""Labels of the chosen structures: those they have, or computed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.labelling import Labelled, label_structures, why_not_started
from unnp.data.limits import FrameLimits, mislabelled
from unnp.data.store import Store
from unnp.errors import ConfigError, DataError
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


def check_label(label: str | Mapping[str, Any], pool: Sequence[Structure], base: Path, executor: Executor) -> None:
    """Look early whether chosen structures can be labelled.

    Args:
        label: "reveal", or the settings of a calculator, which is started by the executor once.
        pool: structures whose labels would be revealed.
        base: where relative paths in the settings begin.
        executor: would compute the labels.

    Raises:
        ConfigError: the calculator cannot be started.
        DataError: structures of the pool have nothing to reveal.
    """
    if not isinstance(label, str):
        if reason := why_not_started(label, base, executor.run):
            raise ConfigError(f"label: {reason}")
        return
    lacking = [k for k in range(len(pool)) if not _has_labels(pool[k])]
    if lacking:
        raise DataError(
            f"{len(lacking)} of the {len(pool)} structures of the pool have no energy and forces to reveal; the first is "
            f"{pool[lacking[0]].source}. Leave them out of the files, or give `label` the settings of a calculator."
        )


def incomplete(stores: Sequence[Store]) -> dict[str, int]:
    """Return how many structures lack a label that others have, by its name."""
    total = sum(map(len, stores))
    lacking = {name: sum(store.statistics.missing.get(name, len(store)) for store in stores) for name in QUANTITIES}
    return {name: n for name, n in lacking.items() if 0 < n < total}


def _has_labels(structure: Structure) -> bool:
    return structure.energy is not None and structure.forces is not None


def _revealed(chosen: Sequence[Structure]) -> list[Structure]:
    for structure in chosen:
        if not _has_labels(structure):
            raise DataError(
                f"{structure.source} has no energy and forces to reveal; give `label` the settings of a calculator, or propose "
                "labelled structures only."
            )
    return list(chosen)
