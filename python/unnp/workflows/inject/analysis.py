"""Numbers of an injection: gains of the methods, what the potentials are worth, what the classifiers chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unnp.workflows.inject.choice import Choice
from unnp.workflows.inject.classifiers import choice_for_pool, choice_for_test, chooses_among_all
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.judging import Outcome
from unnp.workflows.inject.methods import CONFIDENCES
from unnp.workflows.inject.nearest import Distances, classes
from unnp.workflows.inject.seeds import Seed


class Spread(NamedTuple):
    """Mean over the seeds, standard deviation, and standard error of the mean; the latter two None for one seed."""

    mean: float
    deviation: float | None
    error: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return those of values, which must be some."""
        if len(values) == 1:
            return cls(float(values[0]), None, None)
        deviation = float(np.std(values, ddof=1))
        return cls(float(np.mean(values)), deviation, deviation / len(values) ** 0.5)


@dataclass(frozen=True)
class Row:
    """A method with an architecture, over the seeds.

    Attributes:
        architecture, method: their names.
        test: mean absolute errors on the test structures, by quantity.
        gain: by quantity, ``1 - error / error of the first method`` of the same seed; empty for that method.
        pool: mean absolute errors on the pool; empty without hidden labels.
        alphas: that were chosen, by seed.
        injected: structures with labels of potentials, mean over the seeds.
    """

    architecture: str
    method: str
    test: dict[str, Spread]
    gain: dict[str, Spread]
    pool: dict[str, Spread]
    alphas: list[float]
    injected: float


def rows(config: InjectConfig, found: Sequence[Outcome]) -> list[Row]:
    """Return a row for each architecture and method that is finished."""
    table = []
    for architecture in config.architectures:
        base = {o.seed: o for o in found if (o.architecture, o.method) == (architecture, config.baseline)}
        for method in config.ways:
            own = [o for o in found if (o.architecture, o.method) == (architecture, method)]
            if own:
                gain = {} if method == config.baseline else _gains(own, base)
                test, pool = _over_seeds([o.test for o in own]), _over_seeds([o.pool for o in own])
                injected = float(np.mean([o.injected for o in own]))
                table.append(Row(architecture, method, test, gain, pool, [o.alpha for o in own], injected))
    return table


def _over_seeds(errors: Sequence[dict[str, float]]) -> dict[str, Spread]:
    return {name: Spread.of([own[name] for own in errors]) for name in errors[0]}


def _gains(own: Sequence[Outcome], base: dict[int, Outcome]) -> dict[str, Spread]:
    return {
        name: Spread.of([1 - o.test[name] / max(base[o.seed].test[name], 1e-12) for o in own]) for name in own[0].test
    }


def potentials(seeds: Sequence[Seed]) -> dict[str, dict[str, Any]]:
    """Return what each potential is worth: means over the seeds of its errors, and how often it is the nearest.

    ``labelled`` are errors on the labelled structures, on whose training part it was aligned, ``pool`` those on hidden labels;
    ``energy`` [meV/atom], ``forces`` [eV/A] and ``stress`` [GPa]. ``nearest`` is its share of the labelled structures; ``none``
    has the rest.
    """
    table: dict[str, dict[str, Any]] = {}
    config = seeds[0].config
    for p, name in enumerate(seeds[0].potentials):
        aligned = [seed.division.aligned[name] for seed in seeds]
        table[name] = {
            "shift": {e: float(np.mean([each.shift[e] for each in aligned])) for e in aligned[0].shift},
            "labelled": _errors(seeds, p, pool=False),
            "pool": _errors(seeds, p, pool=True),
            "nearest": float(np.mean([np.mean(_classes_of_labelled(seed, config) == p) for seed in seeds])),
            "masked": float(np.mean([each.n_masked for each in aligned])),
            "failed": aligned[0].n_failed,
        }
    n = len(table)
    table["none"] = {"nearest": float(np.mean([np.mean(_classes_of_labelled(seed, config) == n) for seed in seeds]))}
    return table


def _classes_of_labelled(seed: Seed, config: InjectConfig) -> np.ndarray:
    return classes(seed.division.distances, config.classifier)[: seed.material.n_labelled]


def _errors(seeds: Sequence[Seed], p: int, *, pool: bool) -> dict[str, float]:
    found = {}
    for name, factor in (("energy", 1000.0), ("forces", 1.0), ("stress", 1.0)):
        values = []
        for seed in seeds:
            rows_ = seed.material.pool if pool else range(seed.material.n_labelled)
            errors = getattr(seed.division.distances.at(rows_), name)[:, p]
            values.append(errors[np.isfinite(errors)])
        every = np.concatenate(values)
        if len(every):
            found[name] = factor * float(every.mean())
            found[f"{name}_median"] = factor * float(np.median(every))
    return found


def choices(seeds: Sequence[Seed]) -> list[dict[str, Any]]:
    """Return what the classifiers chose, a row for each architecture, seed and part: test, pool and its confidence groups.

    Each has the number of ``structures`` and how many got ``none``. Where there are labels to judge by, ``right`` is the share
    of right classes, ``none_right`` that of structures to which none is near, ``energy_mae`` [meV/atom] the error of the labels
    that were chosen, ``outliers`` the share of these that are off by more than tau.
    """
    return [
        row
        for seed in seeds
        for name in seed.config.architectures
        if chooses_among_all(seed)
        for row in _choices(seed, name)
    ]


def _choices(seed: Seed, architecture: str) -> Iterator[dict[str, Any]]:
    every, pool = seed.division.distances, seed.material.pool
    own = {"architecture": architecture, "seed": seed.seed}
    test, chosen = choice_for_test(seed, architecture), choice_for_pool(seed, architecture)
    yield {**own, "part": "test", **_judged(seed, test, every.at(seed.division.split.test), range(len(test.potential)))}
    yield {**own, "part": "pool", **_judged(seed, chosen, every.at(pool), range(len(pool)))}
    for confidence in CONFIDENCES:
        positions = [k for k, name in enumerate(chosen.confidence) if name == confidence]
        yield {**own, "part": confidence, **_judged(seed, chosen, every.at(pool), positions)}


def _judged(seed: Seed, choice: Choice, found: Distances, positions: Sequence[int]) -> dict[str, Any]:
    """Return numbers of the choice for the structures at positions."""
    n_potentials, settings = len(seed.potentials), seed.config.classifier
    picked = choice.potential[list(positions)]
    counts = np.bincount(picked, minlength=n_potentials + 1)
    row: dict[str, Any] = {
        "structures": len(picked),
        "none": int(counts[-1]),
        "chosen": dict(zip(seed.potentials, counts.tolist(), strict=False)),
    }
    judged = np.isfinite(found.energy[list(positions)]).any(axis=1)
    if not judged.any():
        return row
    right = classes(found, settings)[list(positions)]
    row["right"] = float(np.mean((right == picked)[judged]))
    row["none_right"] = float(np.mean((right == n_potentials)[judged]))
    own = picked < n_potentials
    errors = found.energy[list(positions)][own, picked[own]]
    errors = errors[np.isfinite(errors)]
    if len(errors):
        row["energy_mae"], row["outliers"] = 1000 * float(errors.mean()), float(np.mean(errors > settings.tau))
    return row
