"""MACE (I. Batatia et al., arXiv:2401.00096), from a file of weights. Such a file is a pickle: it can run code."""

from __future__ import annotations

from typing import Any

PACKAGE = "mace-torch"
LICENCE = "MIT (package)"
CITATION = "I. Batatia et al., NeurIPS 35, 11423 (2022), arXiv:2206.07697, and the publication of the weights"
WEIGHTS: dict[str, tuple[str, str]] = {}


def open_calculator(weights: str, head: str | None, device: str) -> Any:
    from mace.calculators import MACECalculator

    chosen = {} if head is None else {"head": head}
    calculator = MACECalculator(model_paths=[weights], device=device, default_dtype="float64", **chosen)
    if head is not None and head not in calculator.available_heads:  # it would take another one
        raise ValueError(f"head '{head}': these weights have {', '.join(calculator.available_heads)}")
    return calculator


def elements(calculator: Any) -> list[int]:
    return sorted(int(z) for z in calculator.z_table.zs)
