"""Settings of a benchmark: data, contestants, budget."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, FiniteFloat, PositiveFloat, PositiveInt, model_validator

from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.seeds import Seeds
from unnp.lammps.launch import Launch
from unnp.lammps.system_config import InteractionConfig
from unnp.models.build import PotentialConfig
from unnp.train.config import DataConfig
from unnp.workflows.benchmark.columns import COLUMNS
from unnp.workflows.benchmark.fitpod import FitpodConfig


class ModelConfig(Config):
    """A contestant: an architecture that is trained, a POD potential that is fitted, or a potential that is there."""

    potential: PotentialConfig | None = None
    """Architecture and its settings, to be trained."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Settings of its training that differ from the common ones; tables are merged."""
    seeds: Seeds | None = None
    """Its seeds; null: the common ones."""
    peer: InteractionConfig | None = None
    """Instead: an exported model, a pair style of LAMMPS or a potential of OpenKIM, which is only evaluated."""
    fitpod: FitpodConfig | None = None
    """Instead: a POD potential, which LAMMPS fits to the structures of `data.train`; `{}` for the settings below."""
    published: dict[str, FiniteFloat] = Field(default_factory=dict)
    """Published errors to be shown beside, by column: `energy`, `forces`, `force_norms`, `stress`, or another label."""

    @model_validator(mode="after")
    def _one_kind(self) -> ModelConfig:
        if sum(kind is not None for kind in (self.potential, self.peer, self.fitpod)) != 1:
            raise ValueError(
                "give one of `potential`, which is trained, `fitpod`, which is fitted, and `peer`, which is there"
            )
        if self.potential is None and (self.training or self.seeds):
            raise ValueError("`training` and `seeds` belong to a `potential`; nothing else is trained")
        for name in self.published:
            if name not in COLUMNS:
                raise ValueError(f"`published` has no column '{name}'; it has {', '.join(COLUMNS)}")
        return self


class CostConfig(Config):
    """How the cost in LAMMPS is measured: a few steps of dynamics of a structure of the test data, repeated."""

    atoms: PositiveInt = 500
    """Atoms at least"""
    steps: PositiveInt = 10
    """Steps that are timed"""
    temperature: PositiveFloat = 300.0
    """Temperature at the start [K]"""


class BenchmarkConfig(Launch):
    """A benchmark: every contestant is trained with every seed under the same budget, and judged on the test structures."""

    data: DataConfig
    """Structures for training, validation and test; `test` has to name some."""
    models: dict[Name, ModelConfig] = Field(min_length=1)
    """Contestants by name."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Settings of all trainings, as in the file of `unnp train`, but for `data`, `potential`, `seed` and `heads`."""
    seeds: Seeds = Field(default=[0])
    """A training for each, for error bars."""
    fractions: list[Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=list)
    """Fractions of the training structures, for curves of the error over their number: a further training with each, in as many
    steps."""
    cost: CostConfig | None = CostConfig()
    """How the cost in LAMMPS is measured; null: it is not."""

    def seeds_of(self, name: str) -> list[int]:
        """Return the seeds of a contestant."""
        return self.models[name].seeds or self.seeds

    @model_validator(mode="after")
    def _consistent(self) -> BenchmarkConfig:
        if not self.data.test:
            raise ValueError("`data.test` is empty, and there is nothing to be judged on; name files or stores there")
        for settings in (self.training, *(model.training for model in self.models.values())):
            for key in ("data", "potential", "seed", "seeds"):
                if key in settings:
                    raise ValueError(f"`training` may not hold `{key}`, which the benchmark sets itself")
            if "heads" in settings:
                raise ValueError(
                    "`training` may not hold `heads`: all are judged at one level of theory; give `data` of that one"
                )
        return self
