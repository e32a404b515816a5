"""CHGNet (B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023)): energies, forces, stress and magnetic moments."""

from __future__ import annotations

from typing import Any

PACKAGE = "chgnet"
LICENCE = "modified BSD (package and weights inside it)"
CITATION = "B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3"
_MPTRJ = "PBE and PBE+U mixed as in the Materials Project (MPtrj)"
_MP2020 = "total energies of VASP with the corrections MP2020 of the Materials Project"
WEIGHTS: dict[str, tuple[str, str]] = {
    "0.3.0": (_MPTRJ, _MP2020),
    "r2scan": ("r2SCAN as in the Materials Project", "total energies of VASP"),
}
# Po, At, Rn, Fr, Ra: in no structure that it was fitted to, although the network has an embedding for them.
_WITHOUT_DATA = range(84, 89)


def open_calculator(weights: str, head: str | None, device: str) -> Any:
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

    if head is not None:
        raise ValueError(f"head '{head}': CHGNet has one level of theory in each file of weights")
    if weights in WEIGHTS:
        model = CHGNet.load(model_name=weights, use_device=device, verbose=False)
    else:
        model = CHGNet.from_file(weights)
    # of an atom without neighbours it would return a number that means nothing
    return CHGNetCalculator(model=model, use_device=device, on_isolated_atoms="error")


def elements(calculator: Any) -> list[int]:
    n = calculator.model.composition_model.fc.weight.numel()
    return [z for z in range(1, n + 1) if z not in _WITHOUT_DATA]
