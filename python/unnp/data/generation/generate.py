"""From a recipe to structures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms

from unnp.atoms.structure import Structure
from unnp.config import dump_yaml
from unnp.data.generation.close import make_dimers, make_pushed
from unnp.data.generation.crystals import (
    crystal,
    make_disturbed,
    make_random,
    make_solid,
    scaled,
    substituted,
    without,
)
from unnp.data.generation.dynamics import Run, start_dynamics
from unnp.data.generation.mixture import Mixture
from unnp.data.generation.random_cells import random_cell
from unnp.data.generation.recipe import Baseless, Crystalline, Disturbed, Dynamics, Pushed, Recipe, Sample, Solid
from unnp.data.journal import Journal
from unnp.data.progress import counting
from unnp.data.worker_pool import Failure, RunTasks
from unnp.errors import DataError
from unnp.files.writing import write_atomically

RECIPE_FILE = "recipe.yaml"
DYNAMICS_FILE = "dynamics.jsonl"
_LARGEST_SEED = 899_000_000  # LAMMPS allows seeds up to 9e8; a run uses some in a row


def generate_structures(
    recipe: Recipe,
    folder: Path,
    run_tasks: RunTasks,
    work: Path | None = None,
    on_failure: Literal["error", "skip"] = "error",
) -> list[Structure]:
    """Return the structures of a recipe, unlabelled, in the order of its samples.

    Args:
        recipe: what to make.
        folder: where relative file names in the recipe begin.
        run_tasks: what runs the dynamics, processes or an executor.
        work: existing folder for the record of finished runs of dynamics, from which a later call goes on; None: no record.
        on_failure: stop at the first run of dynamics that cannot begin, or leave such runs out.

    Raises:
        ConfigError: a crystal or surface cannot be built.
        DataError: a file cannot be read, no atom of a structure can be pushed onto another, a run of dynamics failed, or
            ``work`` belongs to another recipe.
    """
    parts: list[list[Structure]] = []
    runs: list[tuple[int, Run]] = []
    for k, sample in enumerate(recipe.samples):
        rng = np.random.default_rng([recipe.seed, k])
        if isinstance(sample, Mixture):
            runs += [(k, _mixture_run(sample, [recipe.seed, k, cell])) for cell in range(sample.count)]
            parts.append([])
            continue
        if isinstance(sample, Baseless):
            baseless = _without_base(sample, folder, rng)
            parts.append([_structure(atoms, k, i, sample) for i, atoms in enumerate(baseless)])
            continue
        unit = crystal(recipe.base_of(sample), folder)
        decorate = partial(_decorate, recipe=recipe, sample=sample, rng=rng)
        if isinstance(sample, Dynamics):
            runs += [(k, run) for run in _runs(unit, sample, rng, decorate)]
            parts.append([])
        else:
            made = make_solid(unit, sample) if isinstance(sample, Solid) else make_random(unit, sample, rng)
            parts.append([_structure(decorate(atoms), k, i, sample) for i, atoms in enumerate(made)])
    snapshots = _run_dynamics(recipe, folder, runs, run_tasks, work, on_failure) if runs else {}
    for r, positions in sorted(snapshots.items()):
        k, run = runs[r]
        parts[k] += [_snapshot(run, k, r, i, np.array(x)) for i, x in enumerate(positions)]
    return [structure for part in parts for structure in part]


def _without_base(sample: Baseless, folder: Path, rng: np.random.Generator) -> list[Atoms]:
    if isinstance(sample, Disturbed):
        return make_disturbed(sample, folder, rng)
    return make_pushed(sample, folder, rng) if isinstance(sample, Pushed) else make_dimers(sample, rng)


def _decorate(atoms: Atoms, *, recipe: Recipe, sample: Crystalline, rng: np.random.Generator) -> Atoms:
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


def _mixture_run(sample: Mixture, seeds: list[int]) -> Run:
    rng = np.random.default_rng(seeds)
    start = random_cell(sample, rng)
    if isinstance(sample.temperatures, list):
        temperature = float(rng.choice(sample.temperatures))
    else:
        temperature = float(np.exp(rng.uniform(*np.log([sample.temperatures.lowest, sample.temperatures.highest]))))
    return Run(start, temperature, sample, int(rng.integers(1, _LARGEST_SEED)))


def _run_dynamics(
    recipe: Recipe,
    folder: Path,
    runs: list[tuple[int, Run]],
    run_tasks: RunTasks,
    work: Path | None,
    on_failure: Literal["error", "skip"],
) -> dict[int, Any]:
    """Return the positions of the snapshots of each run by its index."""
    finished: dict[int, Any] = {}
    with ExitStack() as stack:
        journal = stack.enter_context(_open_journal(recipe, work)) if work is not None else None
        if journal is not None:
            finished = {r: entry for r, entry in journal.finished.items() if _fits(r, entry, runs)}
        todo = [(r, run) for r, (_, run) in enumerate(runs) if r not in finished]
        results = run_tasks(partial(start_dynamics, recipe.calculator or {}, folder), todo)
        stack.enter_context(closing(results))
        advance = stack.enter_context(counting("dynamics", len(runs), len(finished)))
        for r, outcome in results:
            k, run = runs[r]
            may_stop = isinstance(run.sample, Mixture) and not isinstance(outcome, Failure)  # hot ones go astray
            if isinstance(outcome, Failure):
                outcome = {"positions": [], "stopped": outcome.message}
            if outcome["stopped"] and on_failure == "error" and not may_stop:
                raise DataError(f"{_name(run, k, r)} failed: {outcome['stopped']}")
            finished[r] = outcome
            if journal is not None:
                journal.add(r, outcome)
            advance()
    return {r: entry["positions"] for r, entry in finished.items()}


def recipe_text(recipe: Recipe) -> str:
    """Return all that decides what a recipe makes, as YAML: how the result is divided may change until the end."""
    return dump_yaml(recipe.model_copy(update={"parts": None}))


def _open_journal(recipe: Recipe, work: Path) -> Journal:
    text = recipe_text(recipe)
    write_atomically(work / RECIPE_FILE, text)
    return Journal(work / DYNAMICS_FILE, hashlib.sha256(text.encode()).hexdigest())


def _fits(r: int, entry: dict[str, Any], runs: list[tuple[int, Run]]) -> bool:
    """Tell whether a recorded result can be that of its run."""
    if not (0 <= r < len(runs) and isinstance(entry.get("stopped"), str) and isinstance(entry.get("positions"), list)):
        return False
    shape = (len(runs[r][1].start), 3)
    try:
        return all(np.array(x, dtype=np.float64).shape == shape for x in entry["positions"])
    except (TypeError, ValueError):
        return False


def _name(run: Run, k: int, r: int) -> str:
    return f"sample {k} ({run.sample.kind} at {run.temperature:g} K, run {r})"


def _snapshot(run: Run, k: int, r: int, i: int, positions: np.ndarray) -> Structure:
    sample = run.sample
    if isinstance(sample, Mixture):
        group = sample.group_of(run.temperature, cooled=i >= sample.snapshots)
    else:
        group = sample.group or sample.kind
    return replace(run.start, positions=positions, group=group, source=f"{_name(run, k, r)} frame {i}")
