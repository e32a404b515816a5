"""Everything that can be set about a training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from unnp.atoms.outputs import Name
from unnp.config import Config
from unnp.config.resume import FREE
from unnp.config.seeds import Seeds
from unnp.config.texts import Device
from unnp.data.readers import ReadOptions
from unnp.models.build import PotentialConfig
from unnp.models.heads import DEFAULT_HEAD
from unnp.train.loss import LossConfig

Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[int, Field(gt=0, strict=True)] | Annotated[float, Field(gt=0, le=1)]
"""A number of structures, or, with a decimal point, a fraction of all."""
Decay = Annotated[float, Field(ge=0, lt=1)]


MACHINE = ("device", "threads", "checkpoint_minutes")
"""Settings of a training that say how it is run, not what is learnt."""


class ThinnedConfig(Config):
    """Groups of training structures that not every epoch sees as a whole."""

    groups: list[str] = Field(min_length=1)
    """Their names; structures without a group have the name ''."""
    per_epoch: Share
    """What each epoch draws of these structures anew: their number, or a fraction of all; 1 is one structure, 1.0 all."""


class DataConfig(Config):
    """Which structures are trained on, and which are held back; paths are relative to the file they stand in."""

    train: list[str] = Field(min_length=1)
    """Files or stores with the training structures."""
    validation: list[str] | Fraction = 0.1
    """Files or stores, or the fraction of each group of the training structures that is held back."""
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Fraction of each group of the training structures that is learnt from, for curves over the number of structures; those
    held back stay the same."""
    split_seed: NonNegativeInt | None = None
    """Seed that draws both fractions; null: that of the training, of a committee 0, so that all members hold back the same."""
    thinned: ThinnedConfig | None = None
    """Groups of which each epoch draws some structures anew, where they are many and matter less; null: none."""
    test: list[str] = Field(default_factory=list)
    """Files or stores that are looked at once, at the end, for the card and the parity plots."""
    read: ReadOptions = ReadOptions()
    """Names and units of the labels in the files."""
    cache_gib: PositiveFloat = 4.0
    """Memory for graphs that are kept [GiB]; graphs beyond that are built again in each epoch."""

    def located(self, base: str | Path, relative_to: str | Path | None = None) -> DataConfig:
        """Return the same with paths that are relative to ``base`` made absolute, or relative to another folder."""

        def move(paths: list[str]) -> list[str]:
            absolute = [os.path.abspath(os.path.join(base, path)) for path in paths]
            return absolute if relative_to is None else [os.path.relpath(path, relative_to) for path in absolute]

        validation = move(self.validation) if isinstance(self.validation, list) else self.validation
        return self.model_copy(update={"train": move(self.train), "validation": validation, "test": move(self.test)})


class PartRates(Config):
    """Factors on the learning rate of the parts of a potential; 0 freezes a part."""

    elements: NonNegativeFloat = 1.0
    """Weights of the representation that belong to elements: their embedding, and what else has a row for each."""
    representation: NonNegativeFloat = 1.0
    """All other weights of the representation, and those of further terms."""
    energy_heads: NonNegativeFloat = 1.0
    """Last layers of the levels of theory."""
    output_heads: NonNegativeFloat = 1.0
    """Last layers of trained outputs beside the energy."""


class OptimizerConfig(Config):
    """The optimizer, its learning rate over the training, clipping and averaging."""

    kind: Literal["soap", "adamw"] = "soap"
    """`soap`, Adam in the eigenbasis of each weight matrix' gradients, or `adamw`."""
    learning_rate: PositiveFloat = Field(default=5e-3, json_schema_extra=FREE)
    """Highest learning rate."""
    rates: PartRates = PartRates()
    """Factors on it by part of the potential."""
    final_learning_rate: NonNegativeFloat = Field(default=1e-5, json_schema_extra=FREE)
    """Learning rate at the end of the half cosine."""
    warmup_steps: NonNegativeInt = Field(default=100, json_schema_extra=FREE)
    """Steps of the linear rise to the highest rate."""
    weight_decay: NonNegativeFloat = Field(default=1e-5, json_schema_extra=FREE)
    """Decoupled decay of weight matrices; biases do not decay."""
    betas: tuple[Decay, Decay] = Field(default=(0.95, 0.95), json_schema_extra=FREE)
    """Decay of the moments."""
    epsilon: PositiveFloat = Field(default=1e-8, json_schema_extra=FREE)
    """Added to the root of the second moment."""
    clip: PositiveFloat | None = Field(default=1.0, json_schema_extra=FREE)
    """Largest norm of the gradient of all weights together; null: no clipping."""
    average_decay: Decay = Field(default=0.998, json_schema_extra=FREE)
    """Decay of the running average of the weights, which is what is validated and exported."""


class HeadConfig(Config):
    """A level of theory."""

    groups: list[str] | None = None
    """Groups in the data that the head learns from; null: all that no other head names; `[]`, with `start`: old data alone."""
    copy_of: Name | None = None
    """Head of `start` whose weights, scale and reference energies this one begins with; null: that of the same name where there
    is one, else random weights."""
    reference_energies: Literal["zero", "least-squares", "shift"] | dict[str, float] | None = None
    """Energies of the elements [eV] from which the head's energies are counted; null: as for the training, or those of the head
    it begins with. Of these, a table replaces some, and `shift` moves them by least squares to the labels."""
    rate: NonNegativeFloat = 1.0
    """Factor on the learning rate of its last layers, beside that of all `energy_heads`; 0 freezes them."""


class ReplayConfig(Config):
    """Old structures that are trained on beside the new ones, through the heads that have learned from them."""

    per_epoch: Share = 0.1
    """Old structures that each epoch draws anew: their number, or a fraction of all; 1 is one structure, 1.0 all."""
    data: DataConfig | None = None
    """The old data; null: those of the run that `start` names, with the structures that it held back. Of what is given here,
    `validation` as files, or the `split_seed` of that run, holds back what the start has not seen; else it is drawn anew."""


class TrainConfig(Config):
    """A training. With `max_minutes` the learning rate follows epochs or time, whichever is further."""

    data: DataConfig
    potential: PotentialConfig = PotentialConfig()
    start: str | None = None
    """Run folder, checkpoint or exported model with whose weights, scales and reference energies the training begins; null:
    random weights."""
    replay: ReplayConfig | None = None
    """Old data of `start` that are trained on too; null: none."""
    reference_energies: Literal["zero", "least-squares"] | dict[str, float] = "least-squares"
    """Energies of the elements [eV] that the network's energies are counted from."""
    heads: dict[Name, HeadConfig] = Field(default={DEFAULT_HEAD: HeadConfig()}, min_length=1)
    """Levels of theory by name, which share all but the last layers; the first is the default of the exported model."""
    loss: LossConfig = Field(default=LossConfig(), json_schema_extra=FREE)
    optimizer: OptimizerConfig = OptimizerConfig()
    seed: NonNegativeInt = 0
    """Seed for the first weights, the split and the order of the batches."""
    seeds: Seeds | None = Field(default=None, json_schema_extra=FREE)
    """Seeds of the members of a committee, in the place of `seed`; more may be added when the training is resumed."""
    dtype: Literal["float32", "float64"] = "float32"
    device: Device = Field(default="auto", json_schema_extra=FREE)
    """auto (a GPU where there is one), cpu, cuda or cuda:N."""
    threads: PositiveInt | None = Field(default=None, json_schema_extra=FREE)
    """CPU threads of torch; null: all."""
    batch_size: PositiveInt = 4
    """Structures per batch (and process) at most."""
    max_atoms: PositiveInt | None = None
    """Atoms per batch (and process) at most; null: no bound."""
    max_cost: PositiveInt | None = None
    """Bonds per batch (and process) at most, each once, or triplets where the architecture makes any; null: no bound."""
    epochs: PositiveInt = Field(default=100, json_schema_extra=FREE)
    max_minutes: PositiveFloat | None = Field(default=None, json_schema_extra=FREE)
    """Training time at most, over all restarts; null: no limit."""
    tied_epochs: NonNegativeInt = 0
    """Epochs at the start in which the layers share their weights."""
    validation_interval: PositiveInt = Field(default=1, json_schema_extra=FREE)
    """Epochs from one validation to the next."""
    patience: PositiveInt | None = Field(default=None, json_schema_extra=FREE)
    """Stop after this many validations without a better loss; null: never."""
    keep: Literal["last", "best"] | None = None
    """Weights that are exported: of the last validation or of that with the smallest loss; null: best with `patience`."""
    checkpoint_minutes: PositiveFloat = Field(default=5.0, json_schema_extra=FREE)
    """Time between checkpoints inside an epoch; each end of an epoch writes one too."""

    def located(self, base: str | Path, relative_to: str | Path | None = None) -> TrainConfig:
        """Return the same with paths that are relative to ``base`` made absolute, or relative to another folder."""
        start = None if self.start is None else os.path.abspath(os.path.join(base, self.start))
        if start is not None and relative_to is not None:
            start = os.path.relpath(start, relative_to)
        moved: dict[str, object] = {"data": self.data.located(base, relative_to), "start": start}
        if self.replay is not None and self.replay.data is not None:
            old = self.replay.data.located(base, relative_to)
            moved["replay"] = self.replay.model_copy(update={"data": old})
        return self.model_copy(update=moved)

    @model_validator(mode="after")
    def _weights_are_free_to_begin_with(self) -> TrainConfig:
        if self.start is not None and self.tied_epochs:
            raise ValueError("`tied_epochs` makes weights of layers one at the start; leave it out with `start`")
        return self

    @model_validator(mode="after")
    def _old_heads_are_of_a_start(self) -> TrainConfig:
        if self.start is not None:
            return self
        if self.replay is not None:
            raise ValueError("`replay` is of the old data of `start`; name a run or a model under `start`")
        for name, head in self.heads.items():
            for key, given in (
                ("copy_of", head.copy_of),
                ("reference_energies: shift", head.reference_energies == "shift"),
            ):
                if given:
                    raise ValueError(
                        f"heads.{name}: `{key}` is of a head of `start`; name a run or a model under `start`"
                    )
            if head.groups == []:
                raise ValueError(f"heads.{name}: a head without groups learns nothing; give it groups, or leave it out")
        return self

    @model_validator(mode="after")
    def _seeds_are_those_of_members(self) -> TrainConfig:
        if self.seeds is None:
            return self
        if "seed" in self.model_fields_set:
            raise ValueError("`seed` is for one training, `seeds` for a committee; give one of them")
        return self

    @property
    def keeps(self) -> Literal["last", "best"]:
        """Which weights are exported: the rate falls to nearly zero by the end, unless ``patience`` ends a training before."""
        return self.keep or ("best" if self.patience else "last")

    def member(self, seed: int) -> TrainConfig:
        """Return the settings of the member of a committee with a seed."""
        return self.model_copy(update={"seed": seed, "seeds": None})
