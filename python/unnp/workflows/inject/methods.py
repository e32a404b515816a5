"""Settings of the ways to train."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, PositiveFloat, field_validator, model_validator

from unnp.atoms.outputs import Name
from unnp.config import Config

CLASSIFIER = "classifier"
PRETRAINED = "pretrained-"
"""How the folders of pretrainings begin, beside those of methods."""
Confidence = Literal["low", "medium", "high"]
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


class AugmentConfig(Config):
    """Label augmentation: structures of the pool are learnt too, with labels of empirical potentials."""

    labels: Name = CLASSIFIER
    """Whose labels: those of the potential that the `classifier` chooses for each structure, or of the one that is named."""
    potentials: list[Name] | None = Field(default=None, min_length=1)
    """Potentials that the classifier chooses among, beside none; null: all."""
    confidence: list[Confidence] = Field(default=list(CONFIDENCES), min_length=1)
    """Structures by thirds of the probability that the classifier gives its choice."""
    per_epoch: PositiveFloat | None = None
    """Structures of the pool that each epoch draws for every labelled one; null: all of them are in each epoch, which leaves
    the labelled ones few epochs where the steps are given."""
    robust: bool = True
    """Whether their residuals count by Tukey's biweight; else by what `training.loss` says."""
    alpha: list[PositiveFloat] = Field(default=[0.01, 0.1, 1.0, 10.0], min_length=1)
    """Weight of all of them beside all labelled structures; of several the one with the smallest validation error is taken."""

    @field_validator("alpha")
    @classmethod
    def _differ(cls, given: list[float]) -> list[float]:
        if len(set(given)) < len(given):
            raise ValueError(f"the numbers must differ, got {given}")
        return given

    @model_validator(mode="after")
    def _potentials_are_chosen_among(self) -> AugmentConfig:
        if self.potentials is not None and self.labels != CLASSIFIER:
            raise ValueError(
                f"`potentials` are for the classifier, and `labels` names {self.labels}; leave one of them out"
            )
        return self


class PretrainConfig(Config):
    """Multi-task pretraining: a head for each potential, on the pool; the training begins with what they share."""

    potentials: list[Name] | None = Field(default=None, min_length=1)
    """Potentials that are learnt; null: all."""


class MethodConfig(Config):
    """A way to train; without both, from random weights on the labelled structures alone."""

    augment: AugmentConfig | None = None
    """Label augmentation; `{}` for the defaults; null: none."""
    pretrain: PretrainConfig | None = None
    """Multi-task pretraining; `{}` for the defaults; null: none."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Settings of its trainings on labelled structures that differ from those of the others, such as a lower rate behind a
    pretraining; tables are merged."""

    def named(self) -> Iterator[str]:
        """Yield the potentials that are named."""
        if self.augment is not None:
            yield from [] if self.augment.labels == CLASSIFIER else [self.augment.labels]
            yield from self.augment.potentials or []
        if self.pretrain is not None:
            yield from self.pretrain.potentials or []

    def without_alpha(self) -> MethodConfig:
        """Return the same with the default alphas."""
        if self.augment is None:
            return self
        default = AugmentConfig().alpha
        return self.model_copy(update={"augment": self.augment.model_copy(update={"alpha": default})})

    @property
    def needs_classifier(self) -> bool:
        """Whether a classifier chooses labels."""
        return self.augment is not None and self.augment.labels == CLASSIFIER
