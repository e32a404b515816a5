"""What became of the starts: are the molecule and the slab whole, and is the state the same from everywhere?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import find_mic

from unnp.workflows.adsorption.structures import MOLECULE

BOND = 1.3
"""Two atoms of the molecule are bonded up to this multiple of the sum of their covalent radii."""
WHOLE = 1.0
"""A slab is broken where an atom of it is farther [A] from its place in the bare slab at rest."""
SAME_ENERGY = 0.05
"""Two ends are the same state where their energies differ by less [eV], and molecule and slab are whole or broken in both."""

Bonds = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class End:
    """Where a start has led.

    Attributes:
        start: its name.
        energy: [eV]; None: it could not be computed.
        above: [eV] above the end of the adsorbed start.
        bonded: whether the molecule has the bonds that it was given.
        slab_moved: the farthest that an atom of the slab is from its place in the bare slab at rest [A].
        moved: the farthest that an atom of the molecule is from its place in the end of the adsorbed start [A].
        site: above what the first atom of the molecule is: top, bridge, hollow; of a hexagonal layer hcp or fcc hollow.
        problem: why it is not at rest; empty: it is.
    """

    start: str
    energy: float | None = None
    above: float | None = None
    bonded: bool = False
    slab_moved: float = 0.0
    moved: float = 0.0
    site: str = ""
    problem: str = ""

    @property
    def slab_broken(self) -> bool:
        """Whether the slab is no slab any more."""
        return self.slab_moved > WHOLE

    @property
    def broken(self) -> bool:
        """Whether the molecule has lost or gained bonds, or the slab is no slab any more."""
        return not self.bonded or self.slab_broken

    @property
    def lower(self) -> bool:
        """Whether it lies below the end of the adsorbed start."""
        return self.above is not None and self.above < -SAME_ENERGY


@dataclass(frozen=True)
class Verdict:
    """What the starts say of a potential.

    Attributes:
        same: the molecule put on the slab at rest ends in the state of the adsorbed start; None: one is not at rest.
        whole: that state has the bonds of the molecule, on a whole slab.
        broken_lower: starts that end broken, and below it.
    """

    same: bool | None
    whole: bool
    broken_lower: list[str]

    @property
    def passed(self) -> bool:
        """Whether the potential has passed."""
        return bool(self.same) and self.whole and not self.broken_lower


def bonds_of(atoms: Atoms) -> Bonds:
    """Return pairs of atoms of the molecule that are bonded, counted within it."""
    own = np.flatnonzero(atoms.get_tags() == MOLECULE)
    radii = covalent_radii[atoms.numbers[own]]
    between = atoms.positions[own][None, :] - atoms.positions[own][:, None]
    lengths = find_mic(between.reshape(-1, 3), atoms.cell, atoms.pbc)[1].reshape(len(own), len(own))
    near = lengths < BOND * (radii[:, None] + radii[None, :])
    return frozenset((i, j) for i in range(len(own)) for j in range(i + 1, len(own)) if near[i, j])


def farthest(atoms: Atoms, other: Atoms, which: np.ndarray) -> float:
    """Return how far apart the same atoms of two structures are at most [A], across periodic boundaries."""
    moves = atoms.positions[which] - other.positions[which]
    return float(find_mic(moves, atoms.cell, atoms.pbc)[1].max())


def end_of(name: str, atoms: Atoms, energy: float, bare: Atoms, adsorbed: Atoms, given: Bonds, problem: str) -> End:
    """Return what became of a start, without ``above``.

    Args:
        name: of the start.
        atoms: where it stands.
        energy: [eV].
        bare: the bare slab at rest.
        adsorbed: the end of the adsorbed start.
        given: bonds of the molecule as it was placed.
        problem: why it is not at rest.
    """
    slab, molecule = np.arange(len(bare)), np.arange(len(bare), len(atoms))
    return End(
        name,
        energy,
        bonded=bonds_of(atoms) == given,
        slab_moved=farthest(atoms, bare, slab),
        moved=farthest(atoms, adsorbed, molecule),
        problem=problem,
    )


def judge(ends: Sequence[End], on_the_way: Sequence[End] = ()) -> Verdict:
    """Return the verdict on the ends of all starts.

    Args:
        ends: of the adsorbed start, of the molecule put on the slab at rest, and of further ones.
        on_the_way: of minima on the path to the dissociated state, where the molecule may have other bonds already.
    """
    adsorbed, placed, *_ = ends
    same: bool | None = None
    if not adsorbed.problem and not placed.problem:
        assert placed.above is not None
        alike = placed.bonded == adsorbed.bonded and placed.slab_broken == adsorbed.slab_broken
        same = abs(placed.above) < SAME_ENERGY and alike
    lower = [end.start for end in ends[1:] if end.broken and end.lower]
    lower += [end.start for end in on_the_way if end.slab_broken and end.lower]
    return Verdict(same, not adsorbed.broken, lower)
