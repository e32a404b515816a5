"""What every empirical potential says of all structures: computed once, kept, aligned with the labels, bounded."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.config.base import read_yaml
from unnp.data.fingerprint import fingerprint
from unnp.data.labellers import build_labeller, check_settings
from unnp.data.labelling import label_structures
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.data.zeros import composition, fitted_zeros
from unnp.errors import ConfigError, UnnpError
from unnp.executors.base import Executor, run_tasks
from unnp.files.kept import kept
from unnp.train.terms.robust import DEVIATIONS, TUKEY
from unnp.workflows.inject.config import Bounds

ITERATIONS = 30
"""Of the weights of a robust fit."""

Computed = list[Structure | None]
"""A potential's labels of structures, in their order; None where it failed."""


def calculator(given: str | Mapping[str, Any], base: Path) -> tuple[dict[str, Any], Path]:
    """Return the settings of a potential, and where relative names in them begin; raise ConfigError for wrong ones."""
    path = base / given if isinstance(given, str) else base
    settings = read_yaml(path) if isinstance(given, str) else dict(given)
    check_settings(settings)
    return settings, path.parent if isinstance(given, str) else base


def check_potential(name: str, given: str | Mapping[str, Any], base: Path, structure: Structure) -> None:
    """Label one structure; raise ConfigError, with the name of the potential, where that fails."""
    try:
        labeller = build_labeller(*calculator(given, base))
        try:
            labeller.label(structure)
        finally:
            labeller.close()
    except UnnpError as error:
        raise ConfigError(f"potentials.{name}: {error}") from None


def computed(
    structures: Sequence[Structure],
    given: str | Mapping[str, Any],
    base: Path,
    place: Path,
    executor: Executor,
    attempts: int,
) -> Computed:
    """Return a potential's labels of structures; those that are finished are read.

    Args:
        structures: whose labels are not looked at.
        given: calculator file, or settings.
        base: where relative paths begin.
        place: stored data set of the labels; beside it stands which structures they are of.
        executor: computes them.
        attempts: how often each is tried.

    Raises:
        ConfigError: wrong settings.
        DataError: no structure could be labelled.
    """
    settings, folder = calculator(given, base)
    note, work = place.with_name(f"{place.name}.json"), place.with_name(f"{place.name}.unfinished")
    if not is_store(place):
        note.unlink(missing_ok=True)

    def make() -> dict[str, Any]:
        run = partial(run_tasks, executor, attempts=attempts)
        found = label_structures(structures, settings, folder=folder, work=work, run=run, on_failure="skip")
        write_store(found.structures, place, origins=[found.origin] if found.origin else [], overwrite=True)
        return {"failures": {str(k): why for k, why in found.failures.items()}}

    failures = kept(note, {"structures": fingerprint(structures), "calculator": settings}, make)["failures"]
    shutil.rmtree(work, ignore_errors=True)  # the stored data set is safe
    finished = iter(Store(place))
    return [None if str(k) in failures else next(finished) for k in range(len(structures))]


@dataclass(frozen=True)
class Aligned:
    """A potential's labels on the scale of the labels of structures.

    Attributes:
        shift: [eV] by element, added to the energies: by least squares of the labelled structures it was fitted to.
        labels: in the order of the structures; None where the potential failed or its label is beyond the bounds.
        n_failed: where it failed.
        n_masked: whose labels were beyond the bounds.
    """

    shift: dict[str, float]
    labels: Computed
    n_failed: int
    n_masked: int


def align(
    labels: Computed,
    structures: Sequence[Structure],
    fitted: Sequence[int],
    elements: Elements,
    bounds: Bounds,
    *,
    robust: bool,
) -> Aligned:
    """Return labels whose energies count from the zeros of other labels.

    ``min_d sum_s w_s ((E_s - E'_s) / n_s - sum_e x_se d_e)^2`` over the structures s, with their atomic fractions ``x_se``.

    Args:
        labels: of a potential.
        structures: the same, with their own labels.
        fitted: positions of the labelled structures that the zeros are fitted to.
        elements: of all of them.
        bounds: of what is kept.
        robust: whether the weights are Tukey's, or else 1.
    """
    used = [k for k in fitted if labels[k] is not None and structures[k].energy is not None]
    counts = composition([structures[k] for k in used], elements)
    own = np.array([structures[k].energy for k in used])
    theirs = np.array([labels[k].energy for k in used])  # type: ignore[union-attr]
    shift = _fitted(counts, own - theirs, robust=robust)
    moved = [None if s is None else _moved(s, shift, elements) for s in labels]
    middle = float((own / counts.sum(1)).mean())
    within = [s if s is not None and _within(s, middle, bounds) else None for s in moved]
    n_failed = sum(s is None for s in labels)
    n_masked = sum(s is None for s in within) - n_failed
    return Aligned(dict(zip(elements.symbols, shift.tolist(), strict=True)), within, n_failed, n_masked)


def _fitted(counts: np.ndarray, differences: np.ndarray, *, robust: bool) -> np.ndarray:
    """Return ``fitted_zeros`` (n_elements,), if robust, iterated with Tukey's weights ``(1 - (r / c s)^2)^2``."""
    weights = np.ones(len(differences))
    found = np.zeros(counts.shape[1])
    for _ in range(ITERATIONS if robust else 1):
        found = fitted_zeros(counts, differences, weights)
        residual = (differences - counts @ found) / counts.sum(1)
        bound = TUKEY * DEVIATIONS * float(np.median(np.abs(residual)))  # from 0: a first fit may be off for nearly all
        if bound > 0:
            weights = np.clip(1 - (residual / bound) ** 2, 0, None) ** 2
    return found


def _moved(structure: Structure, shift: np.ndarray, elements: Elements) -> Structure:
    assert structure.energy is not None
    return replace(structure, energy=structure.energy + float(shift[elements.species(structure.numbers)].sum()))


def _within(structure: Structure, middle: float, bounds: Bounds) -> bool:
    assert structure.energy is not None
    if abs(structure.energy / len(structure) - middle) > bounds.energy:
        return False
    return bounds.force is None or structure.forces is None or float(np.abs(structure.forces).max()) <= bounds.force
