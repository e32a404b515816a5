"""M3GNet (C. Chen and S. P. Ong, Nat. Comput. Sci. 2, 718 (2022)) and other potentials of matgl, from a folder of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PACKAGE = "matgl"
LICENCE = "BSD-3-Clause (package)"
CITATION = "C. Chen and S. P. Ong, Nat. Comput. Sci. 2, 718 (2022), doi:10.1038/s43588-022-00349-3"
WEIGHTS: dict[str, tuple[str, str]] = {}


def open_calculator(weights: str, head: str | None, device: str) -> Any:
    from ase.data import atomic_numbers
    from matgl import load_model
    from matgl.ext.ase import PESCalculator

    if head is not None:
        raise ValueError(f"head '{head}': a model of matgl has one level of theory")
    missing = [name for name in ("model.pt", "state.pt", "model.json") if not (Path(weights) / name).is_file()]
    if missing:  # it would look for a model of this name in the network
        raise ValueError(f"give the folder with model.pt, state.pt and model.json; {', '.join(missing)} is missing")
    potential = load_model(Path(weights)).to(device)
    calculator = PESCalculator(potential, stress_unit="eV/A3", use_voigt=True)
    calculator.known = sorted(atomic_numbers[symbol] for symbol in calculator.element_types)
    return calculator


def elements(calculator: Any) -> list[int]:
    return calculator.known
