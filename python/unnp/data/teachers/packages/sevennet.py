"""SevenNet (Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024))."""

from __future__ import annotations

from typing import Any

PACKAGE = "sevenn"
LICENCE = "MIT (package and weights inside it)"
CITATION = "Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190"
_MPTRJ = "PBE and PBE+U mixed as in the Materials Project (MPtrj)"
_VASP = "total energies of VASP, without the corrections MP2020 of the Materials Project"
WEIGHTS: dict[str, tuple[str, str]] = {
    "7net-0": (_MPTRJ, _VASP),
    "7net-l3i5": (_MPTRJ, _VASP),
    "7net-mf-0": ("of the Materials Project, as `head` says: PBE and PBE+U mixed (PBE), or r2SCAN (R2SCAN)", _VASP),
}


def open_calculator(weights: str, head: str | None, device: str) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=weights, modal=head, device=device)


def elements(calculator: Any) -> list[int]:
    return sorted(int(z) for z in calculator.type_map)
