"""MatterSim (H. Yang et al., arXiv:2405.04967), from a file of weights. Such a file is a pickle: it can run code."""

from __future__ import annotations

from typing import Any

PACKAGE = "mattersim"
LICENCE = "MIT (package)"
CITATION = "H. Yang et al., arXiv:2405.04967"
WEIGHTS: dict[str, tuple[str, str]] = {}


def open_calculator(weights: str, head: str | None, device: str) -> Any:
    from mattersim.forcefield.potential import MatterSimCalculator, Potential

    if head is not None:
        raise ValueError(f"head '{head}': MatterSim has one level of theory in each file of weights")
    potential = Potential.from_checkpoint(weights, device=device, load_training_state=False)
    return MatterSimCalculator(potential=potential, device=device)


def elements(calculator: Any) -> list[int]:
    return list(range(1, 95))  # what its authors say; the network has an embedding for each
