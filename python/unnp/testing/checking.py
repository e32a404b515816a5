"""What a check is: a function that measures something about an architecture, and knows how much is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unnp.testing.subject import Subject


class CheckFailed(AssertionError):  # noqa: N818 - a finding, as pytest's own
    """A measurement is not within what is allowed."""

    def __init__(self, check: str, measurement: Measurement) -> None:
        super().__init__(f"{check}: {measurement}")
        self.measurement = measurement


class CheckSkipped(Exception):  # noqa: N818
    """A check that does not apply, or cannot be made here; the message says why."""


@dataclass(frozen=True)
class Measurement:
    """A number and its bound.

    Attributes:
        what: was measured, for people.
        value: measured.
        allowed: the largest value that is right, or the smallest where ``least``.
        least: whether the bound is a lower one.
    """

    what: str
    value: float
    allowed: float
    least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound; NaN is not."""
        return self.value >= self.allowed if self.least else self.value <= self.allowed

    @property
    def used(self) -> float:
        """How much of the bound is used up: 0 nothing, 1 all of it, more: too much."""
        value, bound = (self.allowed, self.value) if self.least else (self.value, self.allowed)
        if not self.holds:
            return math.inf
        return value / bound if bound else 0.0

    @property
    def bound(self) -> str:
        """The bound, for people."""
        return f"{'>=' if self.least else '<='} {self.allowed:.3g}"

    def __str__(self) -> str:
        return f"{self.what} is {self.value:.3g}, allowed is {self.bound}"


@dataclass(frozen=True)
class Check:
    """A check with its name; call it with a subject.

    Attributes:
        name: name that is shown.
        text: one sentence on what has to hold.
        measure: yields the measurements.
    """

    name: str
    text: str
    measure: Callable[[Subject], Iterable[Measurement]]

    def __call__(self, subject: Subject) -> Measurement:
        """Return the measurement that came closest to its bound, of upper bounds where there are any.

        Raises:
            CheckFailed: at the first that is beyond it.
            CheckSkipped: the check does not apply to this subject.
        """
        made = []
        for measurement in self.measure(subject):
            if not measurement.holds:
                raise CheckFailed(self.name, measurement)
            made.append(measurement)
        if not made:
            raise CheckSkipped("there was nothing to measure.")
        return max(made, key=lambda m: (not m.least, m.used))


def check(measure: Callable[[Subject], Iterable[Measurement]]) -> Check:
    """Make a check of a generator of measurements ``check_this_and_that``, with a docstring that says what has to hold."""
    name = measure.__name__.removeprefix("check_").replace("_", " ")
    return Check(name, (measure.__doc__ or "").splitlines()[0], measure)


def at_most(what: str, value: Any, allowed: float) -> Measurement:
    """Return the measurement of a number that may not be larger."""
    return Measurement(what, float(value), allowed)


def at_least(what: str, value: Any, allowed: float) -> Measurement:
    """Return the measurement of a number that may not be smaller."""
    return Measurement(what, float(value), allowed, least=True)


def close(what: str, found: Any, expected: Any, allowed: float) -> Measurement:
    """Return the measurement of the largest difference of two arrays; NaN agrees with NaN, other shapes with nothing."""
    a, b = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if a.shape != b.shape:
        return Measurement(f"error of {what}: shape {a.shape} for {b.shape}", math.inf, allowed)
    difference = np.where(np.isnan(a) & np.isnan(b), 0.0, np.abs(a - b))
    return Measurement(f"error of {what}", float(difference.max(initial=0.0)), allowed)


def is_true(what: str, holds: Any) -> Measurement:
    """Return the measurement of something that is so or not."""
    return Measurement(f"violations of: {what}", 0.0 if bool(holds) else 1.0, 0.0)
