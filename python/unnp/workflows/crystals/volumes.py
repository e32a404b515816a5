"""The volume that an element has in a potential: what structures of other elements are scaled to."""

from __future__ import annotations

from ase.calculators.calculator import Calculator
from ase.data import reference_states

from unnp.atoms.elements import atomic_number
from unnp.errors import ConfigError, ModelError
from unnp.workflows.crystals.prototypes import PROTOTYPES, parse_specs
from unnp.workflows.crystals.relaxation import Settings, relax_crystal


def relaxed_volume(calculator: Calculator, element: str, lattice: str | None = None) -> float:
    """Return the volume per atom [A^3] of a relaxed crystal.

    Args:
        calculator: with energies, forces and stress.
        element: chemical symbol.
        lattice: name of a prototype; None: that in which the element is found.

    Raises:
        ConfigError: an unknown prototype, or none is known for the element.
        ModelError: the crystal cannot be relaxed, or becomes another one.
    """
    (spec,) = parse_specs([f"{element}:{lattice or _own_lattice(element)}"], [])
    found = relax_crystal(spec, calculator, Settings(curves=False))
    if found.volume is None or found.problem:
        raise ModelError(f"{spec.name} has no volume to scale to: {found.problem}")
    return found.volume


def _own_lattice(element: str) -> str:
    lattice = (reference_states[atomic_number(element)] or {}).get("symmetry")
    if lattice not in PROTOTYPES:
        raise ConfigError(
            f"{element} is found as {lattice or 'nothing known'}, which is no prototype here; say which crystal is meant "
            f"(--lattices), one of {', '.join(PROTOTYPES)}."
        )
    return str(lattice)
