"""What the log says of an epoch."""

from __future__ import annotations

from collections.abc import Mapping

from unnp.train.log import Record
from unnp.train.state import Position
from unnp.train.validation import Validation


def epoch_record(
    position: Position,
    minutes: float,
    rate: float,
    averages: Mapping[str, float],
    weights: Mapping[str, float],
    validation: Validation | None,
) -> Record:
    """Return the record of an epoch.

    Args:
        position: counters at its end, the epoch itself not yet counted.
        minutes: training time so far.
        rate: learning rate of its last step.
        averages: means over the steps of the loss (``loss``) and of the terms that are shown, by name.
        weights: weights that the terms had at the last step.
        validation: at its end; None where there was none.
    """
    record: Record = {
        "epoch": position.epoch + 1,
        "step": position.step,
        "minutes": round(minutes, 4),
        "learning_rate": rate,
        "loss": averages["loss"],
        **{f"loss_{name}": average for name, average in averages.items() if name != "loss"},
        **_shares(averages, weights),
    }
    if validation is not None:
        record["validation_loss"] = validation.loss
        for quantity, errors in validation.metrics["overall"].items():
            record |= {f"{quantity}_{kind}": errors[kind] for kind in ("mae", "rmse")}
    return record


def _shares(averages: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Return what each term makes of the loss at its weight, 0..1."""
    parts = {name: weights.get(name, 0.0) * average for name, average in averages.items() if name != "loss"}
    total = max(sum(parts.values()), 1e-300)  # a loss of exactly 0 has no parts
    return {f"share_{name}": part / total for name, part in parts.items()}
