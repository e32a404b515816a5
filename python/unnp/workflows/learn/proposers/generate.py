"""What `unnp data generate` makes, moved by the model: melts of random mixes, hot, strained, defective and cut crystals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue, model_validator

from unnp.atoms.structure import Structure
from unnp.config import Config, from_dict
from unnp.data.generation.generate import generate_structures
from unnp.data.generation.mixture import Mixture
from unnp.data.generation.recipe import Base, Dynamics, Recipe
from unnp.data.labelling import available_cpus
from unnp.errors import UnnpError
from unnp.exported.archive import read_manifest
from unnp.files.writing import make_folder
from unnp.workflows.learn.proposers.base import Proposer, register, stored
from unnp.workflows.learn.situation import Situation


class GenerateConfig(Config):
    """Samples of a recipe of `unnp data generate`; where atoms have to be moved, the model of the round moves them."""

    bases: dict[str, Base] = Field(default_factory=dict)
    """Crystals by name, as in a recipe."""
    samples: list[dict[str, JsonValue]] = Field(min_length=1)
    """Samples, as in a recipe: solid, strained, rattled, vacancy, surface, dynamics, melt, mixture."""
    workers: int | None = Field(default=None, ge=1)
    """Processes for the dynamics; null: one per CPU."""

    @model_validator(mode="after")
    def _is_a_recipe(self) -> GenerateConfig:
        try:
            self.recipe({"kind": "lammps"}, 0, Path())
        except UnnpError as error:
            raise ValueError(str(error)) from None
        return self

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
        self.needs_model = self._has_dynamics  # type: ignore[misc]

    @cached_property
    def _has_dynamics(self) -> bool:
        samples = self.config.recipe({"kind": "lammps"}, 0, self.base).samples
        return any(isinstance(sample, Dynamics | Mixture) for sample in samples)

    def propose(self, at: Situation) -> Sequence[Structure]:
        return stored(self.folder(at) / "structures", partial(self._generated, at))

    def _generated(self, at: Situation) -> list[Structure]:
        calculator = _calculator(at.model) if at.model is not None and self._has_dynamics else None
        recipe = self.config.recipe(calculator, int(at.random(2).integers(2**31)), self.base)
        beside = self.base if at.model is None else at.model.parent
        make_folder(self.folder(at))
        workers = self.config.workers or available_cpus()
        return generate_structures(recipe, beside, workers, self.folder(at), on_failure="skip")


def _calculator(model: Path) -> dict[str, Any]:
    """Return the settings of a calculator that evaluates a model in LAMMPS, whose folder is where its files are."""
    elements = read_manifest(model).elements
    line = f"* * {model.name} {' '.join(elements)}"
    return {"kind": "lammps", "elements": elements, "pair_style": "unnp", "pair_coeff": [line]}
