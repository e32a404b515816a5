"""Crystals that are asked for by name: prototypes built by symmetry, and the words that choose them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations

from ase import Atoms
from ase.formula import Formula
from ase.spacegroup import crystal

from unnp.atoms.elements import atomic_number
from unnp.errors import ConfigError, in_one_line, unknown
from unnp.workflows.crystals.bonds import expected_bond, first_shell

Site = tuple[float, float, float]


@dataclass(frozen=True)
class Prototype:
    """A kind of crystal without free coordinates.

    Attributes:
        space_group: number in the International Tables.
        sites: one of the equivalent positions of each site, in fractions of the lattice vectors.
        c_over_a: ratio to begin with, which may relax; None: cubic.
        n_elements: 1: all sites hold the same element; 2: each holds its own.
    """

    space_group: int
    sites: tuple[Site, ...]
    c_over_a: float | None = None
    n_elements: int = 1


_ORIGIN, _CENTRE = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)
_IDEAL = (8 / 3) ** 0.5

PROTOTYPES = {
    "fcc": Prototype(225, (_ORIGIN,)),
    "bcc": Prototype(229, (_ORIGIN,)),
    "hcp": Prototype(194, ((1 / 3, 2 / 3, 0.25),), _IDEAL),
    "dhcp": Prototype(194, (_ORIGIN, (1 / 3, 2 / 3, 0.25)), 2 * _IDEAL),
    "sc": Prototype(221, (_ORIGIN,)),
    "diamond": Prototype(227, (_ORIGIN,)),
    "beta-tin": Prototype(141, (_ORIGIN,), 0.55),
    "A15": Prototype(223, (_ORIGIN, (0.25, 0.0, 0.5))),
    "omega": Prototype(191, (_ORIGIN, (1 / 3, 2 / 3, 0.5)), (3 / 8) ** 0.5),
    "B1": Prototype(225, (_ORIGIN, _CENTRE), None, 2),
    "B2": Prototype(221, (_ORIGIN, _CENTRE), None, 2),
    "B3": Prototype(216, (_ORIGIN, (0.25, 0.25, 0.25)), None, 2),
    "L1_0": Prototype(123, (_ORIGIN, _CENTRE), 2**0.5, 2),
    "L1_2": Prototype(221, (_ORIGIN, (0.0, 0.5, 0.5)), None, 2),
}
"""Names as in common use: those of metals, else the Strukturbericht."""

HELD = r"sqrt\((?P<p>\d+(?:\.\d*)?)(?:/(?P<q>\d+(?:\.\d*)?))?\)|(?P<number>\d+(?:\.\d*)?)"
_WORDS = re.compile(rf"(?:(?P<formula>[^:@]+):)?(?P<kind>[^:@]+)(?:@(?P<held>{HELD}))?")
_HEXAGONAL = range(168, 195)


@dataclass(frozen=True)
class CrystalSpec:
    """A crystal that is asked for.

    Attributes:
        formula: of what, Al or Ni3Al.
        kind: name of a prototype, or of a given crystal.
        held: c/a at which it is held; None: all of the cell relaxes.
        given: a crystal to begin with, in the place of a prototype.
    """

    formula: str
    kind: str
    held: float | None = None
    given: Atoms | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """``FORMULA:KIND``, with ``@C/A`` where that is held."""
        return f"{self.formula}:{_with_held(self.kind, self.held)}"

    @property
    def prototype(self) -> Prototype | None:
        """What it is built as; None where it was given."""
        return PROTOTYPES[self.kind] if self.given is None else None

    @property
    def symbols(self) -> list[str]:
        """The elements in it."""
        return list(Formula(self.formula).count())


def parse_specs(texts: Sequence[str], elements: Sequence[str]) -> list[CrystalSpec]:
    """Return the crystals that words ask for, each once, in their order.

    Args:
        texts: ``[FORMULA:]PROTOTYPE[@C/A]``, as ``fcc``, ``hcp@sqrt(8/3)``, ``Ni3Al:L1_2``.
        elements: the elements of those that say no formula.

    Raises:
        ConfigError: an unknown word, element or prototype, a formula that does not fit, a ratio where there is none.
    """
    found: list[CrystalSpec] = []
    for text in texts:
        formula, kind, held = parse_words(text)
        if not formula and PROTOTYPES[kind].n_elements > 1:
            raise ConfigError(f"crystal '{text}' has two kinds of sites: say which elements, for instance NiAl:{kind}.")
        if not formula and not elements:
            raise ConfigError(f"crystal '{text}': the potential does not say its elements; give them (--element Al).")
        found += [CrystalSpec(each, kind, held) for each in ([formula] if formula else elements)]
    for spec in found:
        _site_symbols(spec)
    return list({spec.name: spec for spec in found}.values())


def parse_words(text: str) -> tuple[str, str, float | None]:
    """Return formula (empty where none is said), prototype and held c/a of ``[FORMULA:]PROTOTYPE[@C/A]``."""
    words = _WORDS.fullmatch(text.strip())
    if words is None:
        raise ConfigError(
            f"crystal '{in_one_line(text)}' is not understood; write [FORMULA:]PROTOTYPE[@C/A], for instance fcc, "
            "hcp@1.633, hcp@sqrt(8/3) or NiAl:B2."
        )
    if words["kind"] not in PROTOTYPES:
        raise ConfigError(unknown("prototype", words["kind"], PROTOTYPES))
    held = _ratio(words)
    if held is not None and PROTOTYPES[words["kind"]].c_over_a is None:
        raise ConfigError(f"crystal '{text}': {words['kind']} is cubic and has no c/a to hold.")
    if held is not None and not 0.1 <= held <= 10:
        raise ConfigError(f"crystal '{text}': c/a must be between 0.1 and 10.")
    return words["formula"] or "", words["kind"], held


def canonical(text: str) -> str:
    """Return ``[FORMULA:]PROTOTYPE[@C/A]`` with the ratio as ``CrystalSpec.name`` has it."""
    formula, kind, held = parse_words(text)
    return f"{formula}:{_with_held(kind, held)}".removeprefix(":")


def build(spec: CrystalSpec, close_packed: float | None = None) -> Atoms:
    """Return a crystal with bonds as they are expected, ``expected_bond``; a given one as it is.

    Args:
        spec: what is built.
        close_packed: bond of a close packing [A] from which the others follow; None: from what is known of the elements.
    """
    if spec.given is not None:
        return spec.given.copy()
    atoms = _unit_crystal(spec)
    shell = first_shell(atoms)
    bond = expected_bond(spec.symbols, shell.neighbours, close_packed)
    atoms.set_cell(atoms.cell * (bond / shell.shortest), scale_atoms=True)
    return atoms


def _unit_crystal(spec: CrystalSpec) -> Atoms:
    prototype = PROTOTYPES[spec.kind]
    c = spec.held or prototype.c_over_a or 1.0
    gamma = 120 if prototype.space_group in _HEXAGONAL else 90
    made = crystal(
        _site_symbols(spec), prototype.sites, spacegroup=prototype.space_group, cellpar=[1, 1, c, 90, 90, gamma]
    )
    return Atoms(made.numbers, made.positions, cell=made.cell, pbc=True)


def _site_symbols(spec: CrystalSpec) -> list[str]:
    """Return the element of each site; raise ConfigError where the formula does not fit the prototype."""
    prototype = PROTOTYPES[spec.kind]
    count = _count(spec.formula)
    if len(count) == prototype.n_elements == 1:
        return list(count) * len(prototype.sites)
    multiplicities = [
        len(crystal(["X"], [site], spacegroup=prototype.space_group, cellpar=[1] * 3 + [90] * 3))
        for site in prototype.sites
    ]
    if len(count) == prototype.n_elements:
        for symbols in permutations(count):
            shares = {count[symbol] / n for symbol, n in zip(symbols, multiplicities, strict=True)}
            if len(shares) == 1:
                return list(symbols)
    proportions = "one element" if prototype.n_elements == 1 else " : ".join(map(str, multiplicities))
    raise ConfigError(f"'{spec.formula}' does not fit {spec.kind}, which takes {proportions}.")


def _count(formula: str) -> dict[str, int]:
    try:
        count = Formula(formula).count()
    except ValueError:
        count = {}
    if not count or 0 in count.values():
        raise ConfigError(f"'{in_one_line(formula)}' is no chemical formula; write for instance Al or Ni3Al.")
    for symbol in count:
        atomic_number(symbol)
    return count


def _ratio(words: re.Match[str]) -> float | None:
    if words["held"] is None:
        return None
    if words["number"]:
        return float(words["number"])
    below = float(words["q"] or 1)
    return (float(words["p"]) / below) ** 0.5 if below else 0.0


def _with_held(kind: str, held: float | None) -> str:
    return kind if held is None else f"{kind}@{held:.3f}"
