"""Crystals of a potential beside those that they should be: differences, order of stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ase.calculators.calculator import Calculator

from unnp.workflows.crystals.prototypes import CrystalSpec
from unnp.workflows.crystals.relaxation import Crystal, Settings, relax_crystals

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Crystals beside a reference.

    Attributes:
        crystals: those of the potential.
        reference: numbers of the reference by the names of the crystals, as ``Crystal.numbers`` has them.
        differences: what the potential has more than the reference, of each crystal that both have, in the units of
            ``QUANTITIES``; and ``above_lowest``, that of the energy above the most stable crystal that both have, of the
            same formula [eV/atom].
        orders: crystals that both have by increasing energy, for each formula; of the potential.
        reference_orders: the same, of the reference.
    """

    crystals: Sequence[Crystal]
    reference: Mapping[str, Numbers]
    differences: dict[str, dict[str, float]]
    orders: dict[str, list[str]]
    reference_orders: dict[str, list[str]]

    @property
    def problems(self) -> dict[str, str]:
        """What went wrong, by crystal."""
        return {crystal.name: crystal.problem for crystal in self.crystals if crystal.problem}

    @property
    def order_is_right(self) -> bool:
        """Whether the order of stability is that of the reference, and no crystal of the reference went wrong."""
        return self.orders == self.reference_orders and not self.problems.keys() & self.reference.keys()

    def largest(self, quantity: str) -> float:
        """Return the largest difference of a quantity, whatever its sign.

        It is infinite where a crystal of the reference went wrong, and NaN where there is nothing to compare.
        """
        if self.problems.keys() & self.reference.keys():
            return float("inf")
        found = [abs(entry[quantity]) for entry in self.differences.values() if quantity in entry]
        return max(found, default=float("nan"))


def judge(
    specs: Sequence[CrystalSpec],
    calculator: Calculator,
    reference: Mapping[str, Numbers],
    settings: Settings | None = None,
) -> Comparison:
    """Relax crystals and compare them with a reference.

    Args:
        specs: from ``parse_specs``, or made.
        calculator: with energies, forces and stress.
        reference: numbers by name of the crystal, from ``load_reference`` or ``numbers_of``.
        settings: how they are relaxed; None: the defaults, but without equations of state.

    Raises:
        ModelError: the potential can compute none of them.
    """
    return compare(relax_crystals(specs, calculator, settings or Settings(curves=False)), reference)


def compare(crystals: Sequence[Crystal], reference: Mapping[str, Numbers]) -> Comparison:
    """Return crystals beside a reference; one that went wrong has no differences and no place in the order."""
    common = [crystal for crystal in crystals if crystal.name in reference and not crystal.problem]
    own = numbers_of(common)
    theirs = {name: reference[name] for name in own}
    above, theirs_above = _above_lowest(common, own), _above_lowest(common, theirs)
    differences = {
        name: {key: value - theirs[name][key] for key, value in numbers.items() if key in theirs[name]}
        | ({"above_lowest": above[name] - theirs_above[name]} if name in theirs_above else {})
        for name, numbers in own.items()
    }
    return Comparison(crystals, reference, differences, stability(common, own), stability(common, theirs))


def numbers_of(crystals: Sequence[Crystal]) -> dict[str, dict[str, float]]:
    """Return the numbers of crystals that nothing went wrong with, by name."""
    return {crystal.name: crystal.numbers() for crystal in crystals if not crystal.problem}


def stability(crystals: Sequence[Crystal], numbers: Mapping[str, Numbers]) -> dict[str, list[str]]:
    """Return the names of crystals with an energy by increasing energy, for each formula."""
    orders: dict[str, list[str]] = {}
    for crystal in crystals:
        if "energy" in numbers.get(crystal.name, {}):
            orders.setdefault(crystal.spec.formula, []).append(crystal.name)
    return {formula: sorted(names, key=lambda name: numbers[name]["energy"]) for formula, names in orders.items()}


def _above_lowest(crystals: Sequence[Crystal], numbers: Mapping[str, Numbers]) -> dict[str, float]:
    return {
        name: numbers[name]["energy"] - numbers[names[0]]["energy"]
        for names in stability(crystals, numbers).values()
        for name in names
    }
