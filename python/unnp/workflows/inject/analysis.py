"""Numbers of an injection: gains of the methods, what the potentials are worth, what the classifiers chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unnp.workflows.inject.choice import Choice
from unnp.workflows.inject.classifiers import (
    Among,
    choice_for_pool,
    choice_for_test,
    chosen_among,
    right_classes,
    words_of,
)
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.judging import Outcome
from unnp.workflows.inject.methods import CONFIDENCES
from unnp.workflows.inject.nearest import classes
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


def gain(error: float, first: float) -> float:
    """Return ``1 - error / error of the first method``: the part of that error that a method saves."""
    return 1 - error / max(first, 1e-12)


@dataclass(frozen=True)
class Row:
    """A method with an architecture, over the seeds.

    Attributes:
        architecture, method: their names.
        test: mean absolute errors on the test structures, by quantity.
        gain: in each quantity, of the same seed; empty for the first method.
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
                gains = {} if method == config.baseline else _gains(own, base)
                test, pool = _over_seeds([o.test for o in own]), _over_seeds([o.pool for o in own])
                injected = float(np.mean([o.injected for o in own]))
                table.append(Row(architecture, method, test, gains, pool, [o.alpha for o in own], injected))
    return table


def _over_seeds(errors: Sequence[dict[str, float]]) -> dict[str, Spread]:
    return {name: Spread.of([own[name] for own in errors]) for name in errors[0]}


def _gains(own: Sequence[Outcome], base: dict[int, Outcome]) -> dict[str, Spread]:
    return {name: Spread.of([gain(o.test[name], base[o.seed].test[name]) for o in own]) for name in own[0].test}


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
    """Return what the classifiers chose, a row for each architecture, classifier, seed and part.

    Parts are test, pool and the confidence groups of the pool. ``among`` says which potentials a classifier chooses among,
    ``methods`` take its choice. Each row has the number of ``structures`` and how many got ``none``. Where there are labels to
    judge by, ``right`` is the share of right classes, ``none_right`` that of structures to which none of these potentials is
    near, ``energy_mae`` [meV/atom] the error of the labels that were chosen, ``outliers`` the share of these that are off by
    more than tau.
    """
    return [
        {**own, "part": part, **_judged(seed, among, choice, positions, rows_)}
        for seed in seeds
        for name in seed.config.architectures
        for among, methods in chosen_among(seed.config).items()
        for own in [_who(seed, name, among, methods)]
        for part, choice, positions, rows_ in _parts(seed, name, among)
    ]


def _who(seed: Seed, architecture: str, among: Among, methods: list[str]) -> dict[str, Any]:
    words = words_of(among, seed.potentials)
    return {"architecture": architecture, "seed": seed.seed, "among": words, "methods": methods}


def _parts(seed: Seed, architecture: str, among: Among) -> Iterator[tuple[str, Choice, Sequence[int], Sequence[int]]]:
    """Yield each part with its choice, the positions in the choice that belong to it, and those among all structures."""
    pool, test = seed.material.pool, seed.division.split.test
    yield "test", choice_for_test(seed, architecture, among), range(len(test)), test
    chosen = choice_for_pool(seed, architecture, among)
    yield "pool", chosen, range(len(pool)), pool
    for confidence in CONFIDENCES:
        positions = [k for k, name in enumerate(chosen.confidence) if name == confidence]
        yield confidence, chosen, positions, [pool[k] for k in positions]


def _judged(seed: Seed, among: Among, choice: Choice, positions: Sequence[int], rows_: Sequence[int]) -> dict[str, Any]:
    """Return numbers of the choice for the structures at positions, whose rows among all structures are given too."""
    n_potentials = len(seed.potentials)
    picked = choice.potential[list(positions)]
    counts = np.bincount(picked, minlength=n_potentials + 1)
    row: dict[str, Any] = {
        "structures": len(picked),
        "none": int(counts[-1]),
        "chosen": dict(zip(seed.potentials, counts.tolist(), strict=False)),
    }
    energies = seed.division.distances.at(rows_).energy
    judged = np.isfinite(energies).any(axis=1)
    if not judged.any():
        return row
    right = right_classes(seed, among)[list(rows_)]
    row["right"] = float(np.mean((right == picked)[judged]))
    row["none_right"] = float(np.mean((right == n_potentials)[judged]))
    own = picked < n_potentials
    errors = energies[own, picked[own]]
    errors = errors[np.isfinite(errors)]
    if len(errors):
        row["energy_mae"] = 1000 * float(errors.mean())
        row["outliers"] = float(np.mean(errors > seed.config.classifier.tau))
    return row
