"""Deviations of a committee as errors, learnt from where the committee before it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from unnp.atoms.structure import Structure
from unnp.errors import DataError, ModelError
from unnp.evaluate.calibration import committee_scales, estimates, residuals_of
from unnp.exported.amend import write_amended
from unnp.exported.deviation import committee_deviation
from unnp.exported.loader import LoadedPotential
from unnp.workflows.learn.evaluation import unknown_elements


def calibrate(model: Path, before: LoadedPotential, new: Sequence[Structure]) -> dict[str, float]:
    """Write factors on its deviations into a model, and return them; none where there are too few labels to find them.

    There are no structures that no member of the model has seen. Those of its round are such for the model before it, which
    differs by what they taught alone; as they were chosen because it was wrong there, the factors are rather too large.

    Args:
        model: committee of the round.
        before: the committee before it.
        new: labelled structures of the round.
    """
    known = [structure for structure in new if not unknown_elements(before, structure)]
    try:
        results = estimates(before, known, partial(committee_deviation, before, calibrated=False))
        scales = committee_scales(residuals_of(results), before.manifest.n_members)
    except (DataError, ModelError) as error:
        print(f"{model} is not calibrated: {error}", flush=True)
        return {}
    write_amended(model, model, deviation_scales=scales)
    return scales
