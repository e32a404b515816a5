"""Settings of a learning loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import (
    Field,
    JsonValue,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from unnp.atoms.outputs import Name
from unnp.config import Config, from_dict
from unnp.config.kinds import check_kind
from unnp.config.overrides import merged
from unnp.config.resume import FREE
from unnp.config.texts import Device
from unnp.data.labellers import check_settings
from unnp.data.limits import FrameLimits
from unnp.data.readers import ReadOptions
from unnp.errors import ConfigError, UnnpError
from unnp.executors.base import REGISTRY as EXECUTORS
from unnp.train.config import TrainConfig
from unnp.workflows.learn.judges.base import REGISTRY as JUDGES
from unnp.workflows.learn.judges.base import Judge
from unnp.workflows.learn.proposers.base import REGISTRY as PROPOSERS
from unnp.workflows.learn.proposers.base import Proposer
from unnp.workflows.learn.selectors.base import REGISTRY as SELECTORS
from unnp.workflows.learn.selectors.base import Selector

Settings = dict[str, JsonValue]
SET_BY_THE_LOOP = ("seed", "seeds", "start")


class StartConfig(Config):
    """What the first model is learnt from."""

    data: list[str] = Field(default_factory=list)
    """Files or stored data sets with labelled structures."""
    read: ReadOptions = ReadOptions()
    """Names and units of the labels in the files."""
    random: NonNegativeInt = 0
    """Structures drawn at random from what proposers give that need no model."""


class ErrorStop(Config):
    """An error that is small enough."""

    judge: Name
    """Judge, by its name in `judge`."""
    number: str = "energy_mae"
    """Which of its numbers."""
    below: PositiveFloat
    """The loop is over where the number is below this; in the unit of the error tables, meV/atom for energies."""


class StopRulesConfig(Config):
    """When the loop is over. It is over too where no structure is chosen."""

    rounds: NonNegativeInt = 10
    """Rounds after the first model."""
    frames: PositiveInt | None = None
    """Structures learnt; null: no bound."""
    error: ErrorStop | None = None
    """An error that is small enough; null: none is."""


class LearnConfig(Config):
    """A loop: propose structures, select some, label and learn them, judge the model, and again."""

    propose: dict[Name, Settings] = Field(min_length=1)
    """What structures are proposed, by names of your choice; `kind` says how."""
    start: StartConfig
    select: Settings = Field(json_schema_extra=FREE)
    """Which of those proposed are learnt; `kind` says how."""
    label: Literal["reveal"] | Settings = Field(default="reveal", json_schema_extra=FREE)
    """Where labels come from: `reveal` takes those that the chosen structures have, else the settings of a calculator as for
    `unnp data label`. It may be corrected until a chosen structure has its labels."""
    limits: FrameLimits | None = FrameLimits()
    """Structures that proposers compute, and computed labels, that are left out, counted by reason; null: none. What files hold
    is taken as it is."""
    train: dict[str, Any]
    """Settings of each training, as in the file of `unnp train`; of `data` only `validation` and what else does not name
    training data."""
    members: PositiveInt = 5
    """Members of the committee. Each draws its own validation structures."""
    warm: dict[str, Any] | None = None
    """Settings of the trainings that begin with the weights of the round before, as far as they differ from `train`; null: all
    trainings begin with random weights."""
    calibrate: bool = False
    """Whether deviations are made errors, as `unnp calibrate` does: the factors of a model are those that the model before it
    would have needed on the structures of the round, before they were learnt. Of the first model they stay raw. The last layer
    of one member is calibrated without it."""
    judge: dict[Name, Settings] = Field(default_factory=dict)
    """What the models are judged on, by names of your choice; `kind` says how."""
    stop: StopRulesConfig = Field(default=StopRulesConfig(), json_schema_extra=FREE)
    executor: Settings = Field(default={"kind": "processes"}, json_schema_extra=FREE)
    """Where labels, trainings, runs of proposers and evaluations of many structures are computed; `kind` says how."""
    attempts: PositiveInt = Field(default=3, json_schema_extra=FREE)
    """How often a task that fails, or whose process dies, is tried."""
    seed: NonNegativeInt = 0
    """Seed of everything that is random."""
    device: Device = Field(default="auto", json_schema_extra=FREE)
    """Where models run to select and to judge."""

    @cached_property
    def proposers(self) -> dict[str, tuple[type[Proposer], Any]]:
        """The class of each proposer and its settings, by the name of the proposer."""
        return {name: check_kind(PROPOSERS, own, f"propose.{name}") for name, own in self.propose.items()}

    @cached_property
    def judges(self) -> dict[str, tuple[type[Judge], Any]]:
        """The class of each judge and its settings, by the name of the judge."""
        return {name: check_kind(JUDGES, own, f"judge.{name}") for name, own in self.judge.items()}

    @cached_property
    def selector(self) -> tuple[type[Selector], Any]:
        """The class of the selector and its settings."""
        return check_kind(SELECTORS, self.select, "select")

    @field_validator("executor")
    @classmethod
    def _executor(cls, given: Settings) -> Settings:
        _checked(check_kind, EXECUTORS, given, "executor")
        return given

    @field_validator("label")
    @classmethod
    def _label(cls, given: Any) -> Any:
        if given != "reveal":
            _checked(check_settings, given)
        return given

    @model_validator(mode="after")
    def _consistent(self) -> LearnConfig:
        proposers, judges, (selector, _) = (
            _checked(getattr, self, name) for name in ("proposers", "judges", "selector")
        )
        if selector.compares_members and self.members < 2:
            raise ValueError(
                f"`select: {{kind: {selector.kind}}}` compares the members of a committee; give two `members` or more"
            )
        if self.calibrate and self.members < 2:
            raise ValueError(
                "`calibrate` is of the deviations of a committee; give two `members` or more, or leave it out: the last layer "
                "of one member is calibrated on what its training holds back"
            )
        computed = [name for name, (proposer, _) in proposers.items() if proposer.computes]
        if self.label == "reveal" and computed:
            raise ValueError(
                f"the structures of {', '.join(computed)} have no labels to reveal; give `label` a calculator"
            )
        if not self.start.data and not self.start.random:
            raise ValueError(
                "`start` is empty: name labelled structures in `data`, or say how many are drawn (`random`)"
            )
        error = self.stop.error
        if error is not None and error.judge not in self.judge:
            raise ValueError(
                f"stop.error.judge: there is no judge '{error.judge}'; give one of {', '.join(self.judge) or 'none'}"
            )
        if error is not None and error.number not in (said := judges[error.judge][0].numbers):
            raise ValueError(f"stop.error.number: {error.judge} says no '{error.number}'; it says {', '.join(said)}")
        for settings in (self.train, merged(self.train, self.warm or {})):
            _checked(training, settings, ["data"], 0)
        return self


def training(settings: Mapping[str, Any], data: list[str], seed: int, start: str | None = None) -> TrainConfig:
    """Return the configuration of one training.

    Args:
        settings: of `train`.
        data: labelled structures.
        seed: of the member.
        start: run whose weights it begins with.

    Raises:
        ConfigError: the settings are wrong, or name what the loop gives.
    """
    given = dict(settings)
    own = given.pop("data", {})
    taken = [name for name in SET_BY_THE_LOOP if name in given]
    taken += [f"data.{name}" for name in ("train", "test", "split_seed") if isinstance(own, dict) and name in own]
    if taken:
        raise ConfigError(f"train may not hold {', '.join(taken)}, which the loop sets itself.")
    data_settings = {**own, "train": data} if isinstance(own, dict) else own
    config = from_dict({**given, "data": data_settings, "seed": seed, "start": start}, TrainConfig, where="train")
    config.potential.summands()
    return config


def _checked(check: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a check returns; what it complains of, as pydantic wants it."""
    try:
        return check(*arguments)
    except UnnpError as error:
        raise ValueError(str(error)) from None
