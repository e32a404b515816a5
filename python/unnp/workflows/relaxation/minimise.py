"""The steps of an optimiser, one by one, on whatever has positions and forces: atoms, a cell with them, a band."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ase.calculators.calculator import CalculatorError
from ase.optimize import BFGS, FIRE2, LBFGS

from unnp.errors import ModelError, UnnpError
from unnp.workflows.relaxation.config import SearchConfig

OPTIMISERS: dict[str, Any] = {"bfgs": BFGS, "lbfgs": LBFGS, "fire": FIRE2}
FAILURES = (UnnpError, CalculatorError, NotImplementedError)
"""What a calculator may raise for a structure; a search among others ends there, and says why."""


def minimise(target: Any, settings: SearchConfig, steps: int, seen: Callable[[float], bool | None]) -> bool:
    """Move a target towards zero force, and return whether no force is above the limit.

    Args:
        target: with positions and forces (n, 3), as ASE's optimisers take it.
        settings: optimiser and limit.
        steps: how many are taken at most.
        seen: called at the start and after each step with the largest force; True: stop here.

    Raises:
        ModelError: a force is not finite.
    """
    for at_rest in OPTIMISERS[settings.optimiser](target, logfile=None).irun(fmax=settings.max_force, steps=steps):
        force = largest(target.get_forces())
        if not np.isfinite(force):
            raise ModelError("forces are not finite; begin nearer to the minimum, or check the potential there.")
        if seen(force):
            return bool(at_rest)
        if at_rest:
            return True
    return False


def largest(forces: np.ndarray) -> float:
    """Return the length of the longest of some vectors (n, 3)."""
    return float(np.linalg.norm(np.reshape(forces, (-1, 3)), axis=1).max())


def reason(error: Exception) -> str:
    """Return in one line why a calculation failed."""
    return " ".join(str(error).split()) or type(error).__name__


def sentence(text: str) -> str:
    """Return a text with one full stop behind it: reasons of others have one or none."""
    return text.rstrip(".") + "."
