"""Generating and labelling a set so that a killed run goes on where it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from unnp.config import dump_yaml
from unnp.data.generation.generate import generate_structures
from unnp.data.generation.recipe import Recipe
from unnp.data.journal import count_finished
from unnp.data.labelling import JOURNAL_FILE, Labelled, available_cpus, label_structures
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.errors import DataError
from unnp.files import write_atomically

RECIPE_FILE = "recipe.yaml"
STRUCTURES_FOLDER = "structures"


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
    """
    workers = workers or available_cpus()
    _check_same_recipe(recipe, work)
    stored = work / STRUCTURES_FOLDER
    if not is_store(stored):
        structures = generate_structures(recipe, folder, workers)
        work.mkdir(parents=True, exist_ok=True)
        write_atomically(work / RECIPE_FILE, dump_yaml(recipe))
        write_store(structures, stored)
    structures = list(Store(stored))
    if recipe.calculator is None:
        return Labelled(structures, {})
    return label_structures(
        structures, recipe.calculator, folder=folder, work=work, workers=workers, on_failure=on_failure
    )


def _check_same_recipe(recipe: Recipe, work: Path) -> None:
    """Raise DataError where the work of another recipe would be lost; delete what it has left where no label is in it."""
    path = work / RECIPE_FILE
    if not path.exists() or path.read_text(encoding="utf-8") == dump_yaml(recipe):
        return
    if count_finished(work / JOURNAL_FILE):
        raise DataError(
            f"{work} holds unfinished work of another recipe (its {RECIPE_FILE} says which). Restore that recipe, "
            "choose another output, or delete that folder."
        )
    shutil.rmtree(work)
