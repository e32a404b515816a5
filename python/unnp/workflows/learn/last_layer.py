"""The last layer of the model of a round: what a single model says its deviations by."""

from __future__ import annotations

from pathlib import Path

from unnp.errors import DataError, ModelError
from unnp.evaluate.last_layer import LastLayer, load_last_layer, plain_last_layer, with_factors
from unnp.train.structures import sources_of_run
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.steps import RoundFolder

RAW = "Thresholds of its `capture` and `stop` are of sqrt(x^T C^-1 x), a number without unit, and not of an error in eV/A."


def last_layer_file(at: Situation) -> Path:
    """Return the file of the last layer of a round's model, ``model.safetensors`` beside it; fit it where there is none yet."""
    last_layer_at(at)
    return _file(at)


def last_layer_at(at: Situation) -> LastLayer:
    """Return the last layer of the model of a round; it is fitted once, and kept beside the model.

    Of one member C is a sum over what it was trained on, and the factors are found on what its training has held back. The
    members of a committee have held back different structures: there C is a sum over all that is learnt, and factors are 1.

    Raises:
        ModelError: the model has no features that say anything.
    """
    path = _file(at)
    try:
        found = load_last_layer(path)
        found.check(at.potential)
    except ModelError:  # there is none yet, or the model was trained anew
        found = _fitted(at)
        found.save(path)
    return found


def _file(at: Situation) -> Path:
    return at.potential.path.with_suffix(".safetensors")


def _fitted(at: Situation) -> LastLayer:
    if at.potential.manifest.n_members > 1:
        return plain_last_layer(at.potential, at.learnt)
    path = at.potential.path
    sources = sources_of_run(RoundFolder(path.parent).member(0), at.potential.head)
    plain = plain_last_layer(at.potential, sources.train)
    try:
        found = with_factors(plain, at.potential, sources.validation)
        if "forces" not in found.scales:
            raise DataError("its training has held back too few forces.")
    except (DataError, ModelError) as error:
        print(f"The last layer of {path} is not calibrated: {error} {RAW}", flush=True)
        return plain
    return found
