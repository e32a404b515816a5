"""Running checks one after another, whatever they raise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from unnp.errors import in_one_line
from unnp.testing import calculators, derivatives, dynamics, locality, portability, smoothness, symmetry, training
from unnp.testing.checking import Check, CheckFailed, CheckSkipped, Measurement
from unnp.testing.subject import Subject

ROOMS = (derivatives, symmetry, locality, smoothness, training, portability, dynamics, calculators)


@dataclass(frozen=True)
class Outcome:
    """What became of a check.

    Attributes:
        check: check that was run.
        verdict: how the check ended.
        measurement: measurement that failed, else the one that came closest to its bound; None where nothing was measured.
        reason: why it was skipped, or what was raised.
    """

    check: Check
    verdict: Literal["passed", "failed", "skipped"]
    measurement: Measurement | None = None
    reason: str = ""


def checks() -> list[Check]:
    """Return all checks that need nothing but Python."""
    return [found for room in ROOMS for found in vars(room).values() if isinstance(found, Check)]


def run_checks(subject: Subject, checks: Iterable[Check]) -> Iterator[Outcome]:
    """Yield the outcome of each check; one that raises anything has failed."""
    for check in checks:
        yield _run(subject, check)


def _run(subject: Subject, check: Check) -> Outcome:
    try:
        return Outcome(check, "passed", check(subject))
    except CheckSkipped as skipped:
        return Outcome(check, "skipped", reason=str(skipped))
    except CheckFailed as failed:
        return Outcome(check, "failed", failed.measurement)
    except Exception as error:  # of the architecture, which may be anybody's
        return Outcome(check, "failed", reason=f"{type(error).__name__}: {in_one_line(error, 400)}")
