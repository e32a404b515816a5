"""What `unnp data generate` makes, moved by the model: melts of random mixes, hot, strained, defective and cut crystals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

from ase.data import atomic_numbers
from ase.formula import Formula
from pydantic import Field, JsonValue, model_validator

from unnp.atoms.structure import Structure
from unnp.config import Config, from_dict
from unnp.data.generation.generate import DYNAMICS_FILE, generate_structures
from unnp.data.generation.mixture import Mixture
from unnp.data.generation.recipe import Base, Dynamics, Recipe
from unnp.data.generation.resumable import stopped_runs
from unnp.data.labellers import check_settings
from unnp.errors import UnnpError
from unnp.executors.base import run_tasks
from unnp.exported.archive import read_manifest
from unnp.files.writing import make_folder
from unnp.workflows.learn.proposers.base import Proposer, none_left, register, stored
from unnp.workflows.learn.situation import Situation

ZBL_CUTOFFS = "3.0 4.0"
"""Distances [A] between which the repulsion goes to zero, where it alone moves atoms: it keeps those of metals apart."""


class GenerateConfig(Config):
    """Samples of a recipe of `unnp data generate`; where atoms have to be moved, the model of the round moves them."""

    bases: dict[str, Base] = Field(default_factory=dict)
    """Crystals by name, as in a recipe."""
    samples: list[dict[str, JsonValue]] = Field(min_length=1)
    """Samples, as in a recipe: solid, strained, rattled, vacancy, surface, dynamics, melt, mixture."""
    first: Literal["zbl"] | dict[str, JsonValue] | None = None
    """What moves the atoms of `dynamics`, `melt` and `mixture` before there is a model: `zbl`, the repulsion of the nuclei
    alone, or the settings of a calculator as for `unnp data label`. Null: a recipe with such samples waits for a model."""

    @model_validator(mode="after")
    def _is_a_recipe(self) -> GenerateConfig:
        try:
            _ = self.parsed
            if isinstance(self.first, dict):
                check_settings(self.first)
                self.recipe(self.first, 0, Path())
        except UnnpError as error:
            raise ValueError(str(error)) from None
        if self.first == "zbl" and not self.elements:
            raise ValueError(
                "`first: zbl` needs to know the elements; give crystals by prototype, or the settings of a calculator"
            )
        return self

    @cached_property
    def parsed(self) -> Recipe:
        """The recipe as far as it is the same in all rounds; what moves atoms is LAMMPS in each of them."""
        return self.recipe({"kind": "lammps"}, 0, Path())

    @property
    def moves_atoms(self) -> bool:
        """Whether a sample needs something that moves its atoms."""
        return any(isinstance(sample, Dynamics | Mixture) for sample in self.parsed.samples)

    @property
    def elements(self) -> list[str]:
        """Elements that the moved atoms can have; none where a file says them."""
        return _elements_of(self.parsed)

    def recipe(self, calculator: dict[str, Any] | None, seed: int, folder: Path) -> Recipe:
        """Return the recipe of a round, with files of crystals looked for in a folder.

        Raises:
            ConfigError: a sample is wrong.
        """
        bases = {name: base.model_dump(mode="json") for name, base in self.bases.items()}
        for base in bases.values():
            base["file"] = None if base["file"] is None else str(folder / base["file"])
        content = {"bases": bases, "samples": self.samples, "seed": seed, "calculator": calculator, "limits": {}}
        return from_dict(content, Recipe, where="recipe")


@register("generate")
class Generate(Proposer):
    """New structures of the same recipe in each round; runs that go astray end early."""

    Config = GenerateConfig

    def __init__(self, config: GenerateConfig, base: Path, name: str) -> None:
        super().__init__(config, base, name)
        self.needs_model = config.moves_atoms and config.first is None

    def propose(self, at: Situation) -> Sequence[Structure]:
        return stored(self.folder(at) / "structures", partial(self._generated, at))

    def _generated(self, at: Situation) -> list[Structure]:
        recipe = self.config.recipe(self._calculator(at.model), int(at.random(self.name).integers(2**31)), self.base)
        beside = self.base if at.model is None else at.model.parent
        make_folder(self.folder(at))
        run = partial(run_tasks, at.executor, attempts=at.attempts)
        made = generate_structures(recipe, beside, run, self.folder(at), on_failure="skip")
        ended = stopped_runs(self.folder(at))
        if ended and not made:
            (self.folder(at) / DYNAMICS_FILE).unlink()  # or it would be said again, whatever has been repaired
            raise none_left(self.name, ended)
        self.leave_out(at, {}, ended)
        return made

    def _calculator(self, model: Path | None) -> dict[str, Any] | None:
        """Return the settings of what moves atoms; None where nothing has to."""
        if not self.config.moves_atoms:
            return None
        if model is not None:
            return _model_in_lammps(model)
        if self.config.first == "zbl":
            return _zbl(self.config.elements)
        return self.config.first


def _model_in_lammps(model: Path) -> dict[str, Any]:
    """Return the settings of a calculator that evaluates a model in LAMMPS, whose folder is where its files are."""
    elements = read_manifest(model).elements
    line = f"* * {model.name} {' '.join(elements)}"
    return {"kind": "lammps", "elements": elements, "pair_style": "unnp", "pair_coeff": [line]}


def _zbl(elements: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a calculator with the universal repulsion of Ziegler, Biersack and Littmark in LAMMPS."""
    lines = [
        f"{i} {j} {atomic_numbers[a]} {atomic_numbers[b]}"
        for i, a in enumerate(elements, 1)
        for j, b in enumerate(elements, 1)
        if i <= j
    ]
    return {"kind": "lammps", "elements": list(elements), "pair_style": f"zbl {ZBL_CUTOFFS}", "pair_coeff": lines}


def _elements_of(recipe: Recipe) -> list[str]:
    """Return the elements that the moved atoms of a recipe can have; none where a file says them."""
    found: dict[str, None] = {}
    for sample in recipe.samples:
        if isinstance(sample, Mixture):
            found |= dict.fromkeys(sample.elements)
        elif isinstance(sample, Dynamics):
            base = recipe.base_of(sample)
            if base.file is not None and not base.substitute:
                return []
            found |= dict.fromkeys(base.substitute or Formula(str(base.symbols)).count())
    return list(found)
