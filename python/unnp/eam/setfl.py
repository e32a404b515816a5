"""Tables of EAM potentials in DYNAMO's format setfl, which LAMMPS reads as ``pair_style eam/alloy``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unnp.eam.parameters import METALS
from unnp.eam.zhou import ZhouMetal, mixed_pair
from unnp.errors import ConfigError, unknown
from unnp.files.writing import write_atomically

POINTS_R, POINTS_RHO = 2000, 5000
# A; at shorter distances density and r phi(r) stay what they are there, as in the tables of the authors
_SHORTEST = 0.5
_REACH = 5.0**0.5  # cutoff / r_e, as in the tables of the authors
_DENSEST = 8.0  # end of the table / rho_e; LAMMPS goes on linearly
_PER_LINE = 5


def setfl_text(elements: Sequence[str]) -> str:
    """Return the setfl table of some of the 16 metals of Zhou, Johnson and Wadley.

    Args:
        elements: symbols, in the order of the table.

    Raises:
        ConfigError: an element is none of the 16, or stands twice, or there are none.
    """
    metals = _metals(elements)
    cutoff = _REACH * max(metal.r_e for metal in metals)
    r = np.linspace(0.0, cutoff, POINTS_R)
    rho = np.linspace(0.0, _DENSEST * max(metal.rho_e for metal in metals), POINTS_RHO)
    lines = [
        "UNITS: metal CITATION: X. W. Zhou, R. A. Johnson, H. N. G. Wadley, Phys. Rev. B 69, 144113 (2004)",
        "EAM potentials of metals from the parameters of that paper; alloys by the mixing rule of R. A. Johnson,",
        "Phys. Rev. B 39, 12554 (1989). Written by unnp.",
        f"{len(metals)} {' '.join(elements)}",
        f"{POINTS_RHO} {rho[1]:.16e} {POINTS_R} {r[1]:.16e} {cutoff:.16e}",
    ]
    r = np.maximum(r, _SHORTEST)
    for metal in metals:
        lines.append(f"{metal.number} {metal.mass} {metal.lattice_constant:.6f} {metal.lattice}")
        lines += [*_rows(metal.embedding(rho)), *_rows(metal.density(r))]
    for k, a in enumerate(metals):
        for b in metals[: k + 1]:
            lines += _rows(r * mixed_pair(a, b, r))
    return "\n".join(lines) + "\n"


def write_setfl(elements: Sequence[str], path: str | Path) -> None:
    """Write the table of ``setfl_text`` to a file; raise ConfigError as there, UnnpError where it cannot be written."""
    write_atomically(path, setfl_text(elements))


def _metals(elements: Sequence[str]) -> list[ZhouMetal]:
    if not elements:
        raise ConfigError(f"give at least one element of {', '.join(METALS)}.")
    for k, symbol in enumerate(elements):
        if symbol not in METALS:
            raise ConfigError(unknown("metal of this potential", symbol, METALS))
        if symbol in elements[:k]:
            raise ConfigError(f"the element {symbol} is given twice.")
    return [METALS[symbol] for symbol in elements]


def _rows(values: np.ndarray) -> list[str]:
    return [" ".join(f"{x:.16e}" for x in values[k : k + _PER_LINE]) for k in range(0, len(values), _PER_LINE)]
