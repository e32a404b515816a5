"""What the log says of an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unnp.train.log import Record
from unnp.train.loss import TERMS
from unnp.train.state import Position
from unnp.train.validation import Validation


def epoch_record(
    position: Position,
    minutes: float,
    rate: float,
    averages: Sequence[float],
    weights: Mapping[str, float],
    validation: Validation | None,
) -> Record:
    """Return the record of an epoch.

    Args:
        position: counters at its end, the epoch itself not yet counted.
        minutes: training time so far.
        rate: learning rate of its last step.
        averages: of the loss and its terms over its steps.
        weights: of the terms at its last step.
        validation: at its end; None where there was none.
    """
    record: Record = {
        "epoch": position.epoch + 1,
        "step": position.step,
        "minutes": round(minutes, 4),
        "learning_rate": rate,
        **dict(zip(["loss", *(f"loss_{name}" for name in TERMS)], averages, strict=True)),
        **_shares(averages[1:], weights),
    }
    if validation is not None:
        record["validation_loss"] = validation.loss
        for quantity, errors in validation.metrics["overall"].items():
            record |= {f"{quantity}_{kind}": errors[kind] for kind in ("mae", "rmse")}
    return record


def _shares(terms: Sequence[float], weights: Mapping[str, float]) -> dict[str, float]:
    """Return what each term makes of the loss at its weight, 0..1."""
    parts = [weights.get(name, 0.0) * term for name, term in zip(TERMS, terms, strict=True)]
    total = max(sum(parts), 1e-300)  # a loss of exactly 0 has no parts
    return {f"share_{name}": part / total for name, part in zip(TERMS, parts, strict=True)}
