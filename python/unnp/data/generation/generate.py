"""From a recipe to structures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms

from unnp.atoms.structure import Structure
from unnp.data.generation.crystals import (
    crystal,
    make_random,
    make_solid,
    scaled,
    substituted,
    without,
)
from unnp.data.generation.dynamics import Run, settings_of, start_dynamics
from unnp.data.generation.recipe import Dynamics, Recipe, Sample, Solid
from unnp.data.progress import counting
from unnp.data.worker_pool import Failure, run_parallel
from unnp.errors import DataError

_LARGEST_SEED = 899_999_990  # LAMMPS allows seeds up to 9e8; a run uses three in a row


def generate_structures(recipe: Recipe, folder: Path, workers: int) -> list[Structure]:
    """Return the structures of a recipe, unlabelled, in the order of its samples.

    Args:
        recipe: what to make.
        folder: where relative file names in the recipe begin.
        workers: processes for the dynamics.

    Raises:
        ConfigError: a crystal or surface cannot be built.
        DataError: a base's file cannot be read, or a run of dynamics failed.
    """
    parts: list[list[Structure]] = []
    runs: list[tuple[int, Run]] = []
    for k, sample in enumerate(recipe.samples):
        rng = np.random.default_rng([recipe.seed, k])
        unit = crystal(recipe.base_of(sample), folder)
        decorate = partial(_decorate, recipe=recipe, sample=sample, rng=rng)
        if isinstance(sample, Dynamics):
            runs += [(k, run) for run in _runs(unit, sample, rng, decorate)]
            parts.append([])
        else:
            made = make_solid(unit, sample) if isinstance(sample, Solid) else make_random(unit, sample, rng)
            parts.append([_structure(decorate(atoms), k, i, sample) for i, atoms in enumerate(made)])
    for k, structures in _run_dynamics(recipe, folder, runs, workers):
        parts[k] += structures
    return [structure for part in parts for structure in part]


def _decorate(atoms: Atoms, *, recipe: Recipe, sample: Sample, rng: np.random.Generator) -> Atoms:
    proportions = recipe.base_of(sample).substitute
    return substituted(atoms, proportions, rng) if proportions else atoms


def _structure(atoms: Atoms, k: int, i: int, sample: Sample) -> Structure:
    structure = Structure.from_atoms(atoms)
    structure.group = sample.group or sample.kind
    structure.source = f"sample {k} ({sample.kind}) frame {i}"
    return structure


def _runs(unit: Atoms, sample: Dynamics, rng: np.random.Generator, decorate: Callable[[Atoms], Atoms]) -> Iterator[Run]:
    for temperature in sample.temperatures:
        for scale in sample.scales:
            start = without(scaled(unit * sample.repeat, scale), sample.vacancies, rng)
            yield Run(Structure.from_atoms(decorate(start)), temperature, sample, int(rng.integers(1, _LARGEST_SEED)))


def _run_dynamics(
    recipe: Recipe, folder: Path, runs: list[tuple[int, Run]], workers: int
) -> Iterator[tuple[int, list[Structure]]]:
    """Yield the snapshots of each run with the number of its sample, in the order of the runs."""
    if not runs or recipe.calculator is None:
        return
    start = partial(start_dynamics, settings_of(recipe.calculator), folder)
    snapshots: dict[int, list[np.ndarray]] = {}
    results = run_parallel(start, [(r, run) for r, (_, run) in enumerate(runs)], workers)
    with closing(results), counting("dynamics", len(runs)) as advance:
        for r, outcome in results:
            k, run = runs[r]
            if isinstance(outcome, Failure):
                raise DataError(f"sample {k} ({run.sample.kind} at {run.temperature:g} K) failed: {outcome.message}")
            snapshots[r] = outcome
            advance()
    for r, (k, run) in enumerate(runs):
        yield k, [_snapshot(run, k, r, i, positions) for i, positions in enumerate(snapshots[r])]


def _snapshot(run: Run, k: int, r: int, i: int, positions: np.ndarray) -> Structure:
    group = run.sample.group or run.sample.kind
    source = f"sample {k} ({run.sample.kind} at {run.temperature:g} K, run {r}) frame {i}"
    return replace(run.start, positions=positions, group=group, source=source)
