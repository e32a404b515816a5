"""Generating and labelling a set so that a killed run goes on where it was."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

from unnp.atoms.structure import Structure
from unnp.data.generation.generate import DYNAMICS_FILE, RECIPE_FILE, generate_structures, recipe_text
from unnp.data.generation.recipe import Recipe
from unnp.data.journal import count_finished, read_finished
from unnp.data.labelling import JOURNAL_FILE, Labelled, available_cpus, label_structures
from unnp.data.limits import mislabelled, unphysical
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.data.worker_pool import run_parallel
from unnp.errors import DataError
from unnp.files.locks import Lock, hold_folder
from unnp.files.writing import write_atomically, writing

STRUCTURES_FOLDER = "structures"
STOPPED = "runs of dynamics that ended early, whose last frames are missing"


def generate(
    recipe: Recipe,
    *,
    folder: Path,
    work: Path,
    workers: int | None = None,
    on_failure: Literal["error", "skip"] = "error",
) -> Labelled:
    """Make the structures of a recipe and label them where it has a calculator.

    The structures are kept in ``work`` before they are labelled, and each label as soon as it is there; called again
    with the same recipe, only the rest is done. The caller deletes ``work`` when the result is safe.

    Args:
        recipe: what to make.
        folder: where relative file names in the recipe begin.
        work: folder for unfinished work.
        workers: number of processes; None: one per CPU.
        on_failure: stop at the first structure that cannot be labelled, or leave such structures out.

    Raises:
        ConfigError: a crystal, a surface or the calculator of the recipe is wrong.
        DataError: ``work`` belongs to another recipe, a run or a structure failed.
        UnnpError: ``work`` cannot be written, or another process works in it.
    """
    workers = workers or available_cpus()
    with hold_folder(work) as lock, _removed_where_empty(work, lock):
        _check_same_recipe(recipe, work)
        structures = _structures(recipe, folder, work, workers, on_failure)
        stopped = stopped_runs(work)
        left_out = Counter({STOPPED: len(stopped)})
        said = {STOPPED: stopped[0]} if stopped else {}
        if recipe.limits is not None:
            structures = _without(structures, unphysical(structures, recipe.limits), left_out)
        if recipe.calculator is None:
            return Labelled(structures, {}, dict(+left_out), said=said)
        result = label_structures(
            structures, recipe.calculator, folder=folder, work=work, workers=workers, on_failure=on_failure
        )
        kept = result.structures
        if recipe.limits is not None:
            kept = _without(kept, mislabelled(kept, recipe.limits), left_out)
        return Labelled(kept, result.failures, dict(+left_out), result.origin, said)


def stopped_runs(work: Path) -> list[str]:
    """Return why runs of dynamics have ended early, for each that has, in the order in which they were finished."""
    return [str(run["stopped"]) for run in read_finished(work / DYNAMICS_FILE) if run.get("stopped")]


def _without(structures: list[Structure], reasons: dict[int, str], left_out: Counter[str]) -> list[Structure]:
    """Return the structures that there is no reason to leave out, and count the others."""
    left_out.update(reasons.values())
    kept = [structure for k, structure in enumerate(structures) if k not in reasons]
    if structures and not kept:
        counted = ", ".join(f"{reason}: {n}" for reason, n in (+left_out).items())
        raise DataError(f"nothing is left of {len(structures)} structures ({counted}); see limits in the recipe.")
    return kept


@contextmanager
def _removed_where_empty(work: Path, lock: Lock) -> Iterator[None]:
    """Remove the work folder after an error, where nothing is finished in it."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if not count_finished(work / DYNAMICS_FILE) and not (work / STRUCTURES_FOLDER).exists():
                for file in (DYNAMICS_FILE, RECIPE_FILE):
                    (work / file).unlink(missing_ok=True)
            if all(path == lock.path for path in work.iterdir()):
                lock.path.unlink()
                work.rmdir()
        raise


def _structures(
    recipe: Recipe, folder: Path, work: Path, workers: int, on_failure: Literal["error", "skip"]
) -> list[Structure]:
    """Return the structures of a recipe, those that are kept in ``work`` or new ones, which are kept there."""
    stored = work / STRUCTURES_FOLDER
    if not is_store(stored):
        structures = generate_structures(recipe, folder, partial(run_parallel, n_workers=workers), work, on_failure)
        write_atomically(work / RECIPE_FILE, recipe_text(recipe))
        write_store(structures, stored)
    return list(Store(stored, verify=True))


def _check_same_recipe(recipe: Recipe, work: Path) -> None:
    """Raise DataError where the work of another recipe would be lost; delete what it has left where nothing long is in it."""
    path = work / RECIPE_FILE
    if not path.exists() or path.read_text(encoding="utf-8") == recipe_text(recipe):
        return
    if count_finished(work / JOURNAL_FILE) or count_finished(work / DYNAMICS_FILE):
        raise DataError(
            f"{work} holds unfinished work of another recipe (its {RECIPE_FILE} says which). Restore that recipe, "
            "choose another output, or delete that folder."
        )
    for left in (work / STRUCTURES_FOLDER, work / JOURNAL_FILE, work / DYNAMICS_FILE, path):
        _remove(left)


def _remove(path: Path) -> None:
    with writing(path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
