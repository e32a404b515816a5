"""What became of the starts: are the molecule and the slab whole, and is the state the same from everywhere?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import find_mic
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from unnp.workflows.adsorption.structures import MOLECULE, Sites
from unnp.workflows.neb.band import Band
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.structures import NAME

BOND = 1.3
"""Two atoms are bonded up to this multiple of the sum of their covalent radii, in the molecule and between it and the slab."""
WHOLE = 1.0
"""A slab is broken where an atom of it is farther [A] from its place in the bare slab at rest, but for a slide of its layer."""
LAYER = 0.5
"""Atoms of the slab whose heights differ by less [A] from one to the next are a layer."""
SLID = 0.5
"""A layer that has moved along the surface as a whole by more [A] is remarkable: the slab may have another stacking."""
SAME_ENERGY = 0.05
"""The ends of two starts are the same state only where their energies differ by less [eV]."""
SAME_PLACE = 0.5
"""They are the same state only where no atom of the molecule is farther [A] from its place, or from one that is like it by the
symmetry of the slab: a hollow of another kind and another orientation are other states, the next hollow of a kind is not."""
DISSOCIATED = "dissociated"
OFF = "off the slab"
State = Literal["whole", "desorbed", "other bonds", "broken"]
Bonds = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class End:
    """Where a start has led.

    Attributes:
        start: its name.
        energy: [eV]; None: it could not be computed.
        above: [eV] above the end of the adsorbed start.
        bonded: whether the molecule has the bonds that it was given.
        on_slab: whether the molecule, or each piece of it, has a bond to the slab.
        slab_moved: the farthest that an atom of the slab is from its place in the bare slab at rest, beside what its layer has
            slid [A].
        slid: the farthest that a layer has slid along the surface [A].
        moved: the farthest that an atom of the molecule is from its place in the end of the adsorbed start [A].
        from_alike: the same, from the nearest place that is like that one by the symmetry of the unrelaxed slab [A].
        site: above what the first atom of the molecule is: top, bridge, hollow (of a hexagonal layer hcp, fcc), between; or
            off the slab.
        problem: why it is not at rest; empty: it is.
    """

    start: str
    energy: float | None = None
    above: float | None = None
    bonded: bool = False
    on_slab: bool = False
    slab_moved: float = 0.0
    slid: float = 0.0
    moved: float = 0.0
    from_alike: float = 0.0
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
    def adsorbed(self) -> bool:
        """Whether a whole molecule is bonded to a whole slab."""
        return self.on_slab and not self.broken

    @property
    def lower(self) -> bool:
        """Whether it lies below the end of the adsorbed start."""
        return self.above is not None and self.above < -SAME_ENERGY

    @property
    def elsewhere(self) -> bool:
        """Whether the molecule is at another place than in the end of the adsorbed start, and at none that is like it."""
        return self.from_alike > SAME_PLACE

    def what(self) -> str:
        """Return in words what has become of molecule and slab."""
        words = ["the slab is broken"] if self.slab_broken else []
        words += [] if self.bonded else ["the molecule has other bonds"]
        words += [] if self.on_slab else [OFF]
        return ", ".join(words)


@dataclass(frozen=True)
class Verdict:
    """What the starts say of a potential.

    Attributes:
        same: the molecule put on the slab at rest ends in the state of the adsorbed start; None: one is not at rest.
        whole: the end of the adsorbed start has the bonds of the molecule, on a whole slab, and bonded to it.
        broken_lower: starts that end broken or desorbed, and below it.
        not_at_rest: starts that failed, or are not at rest.
        reasons: why the potential has not passed; empty: it has.
    """

    same: bool | None
    whole: bool
    broken_lower: list[str]
    not_at_rest: list[str]
    reasons: list[str]

    @property
    def passed(self) -> bool:
        """Whether the potential has passed."""
        return not self.reasons


@dataclass
class Tested:
    """What a potential has done.

    Attributes:
        ends: of the adsorbed start, of the molecule put on the slab at rest, of the shaken ones, of the dissociated state.
        on_the_way: ends of the minima on the path to the latter.
        verdict: None: the test did not come so far.
        band: path to the dissociated state; None: there is none.
        placed: the site above which the molecule was put.
        problem: why there is no verdict, or no path; empty: there is.
    """

    ends: list[End] = field(default_factory=list)
    on_the_way: list[End] = field(default_factory=list)
    verdict: Verdict | None = None
    band: Band | None = None
    placed: str = ""
    problem: str = ""

    @property
    def all_ends(self) -> list[End]:
        """The ends of all starts, those on the path last."""
        return [*self.ends, *self.on_the_way]

    def state_of(self, end: End) -> State:
        """Return what has become of molecule and slab; the way to the dissociated state is meant to have other bonds."""
        if not end.broken:
            return "whole" if end.on_slab else "desorbed"
        meant = end.start == DISSOCIATED or end in self.on_the_way
        return "other bonds" if meant and not end.slab_broken else "broken"


@dataclass(frozen=True)
class Known:
    """What the ends of starts are compared with.

    Attributes:
        adsorbed: the adsorbed start at rest.
        bare: the bare slab at rest.
        bonds: of the molecule as it was placed.
        sites: of the slab.
    """

    adsorbed: Relaxation
    bare: Relaxation
    bonds: Bonds
    sites: Sites

    def end(self, relaxation: Relaxation) -> End:
        """Return what became of a start."""
        name = str(relaxation.start.info[NAME])
        if not relaxation.energies:
            return End(name, problem=relaxation.note())
        atoms, energy, on_slab = relaxation.atoms, relaxation.energies[-1], is_on_slab(relaxation.atoms)
        molecule = np.flatnonzero(atoms.get_tags() == MOLECULE)
        slab_moved, slid = slab_motion(atoms, self.bare.atoms)
        return End(
            name,
            energy,
            energy - self.adsorbed.energies[-1],
            bonds_of(atoms) == self.bonds,
            on_slab,
            slab_moved,
            slid,
            farthest(atoms, self.adsorbed.atoms, molecule),
            from_alike(atoms, self.adsorbed.atoms, self.sites),
            self.sites.name(atoms) if on_slab else OFF,
            relaxation.note(),
        )


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


def slab_motion(atoms: Atoms, bare: Atoms) -> tuple[float, float]:
    """Return how far an atom of the slab is from its place at most, beside what its layer has slid, and that slide [A].

    A layer that slides from one stacking to another, fcc to hcp, breaks nothing: its atoms move together. A layer of one atom
    does not slide, as nobody could tell.

    Args:
        atoms: slab and molecule.
        bare: the slab alone, the same atoms first.
    """
    moves = find_mic(atoms.positions[: len(bare)] - bare.positions, atoms.cell, atoms.pbc)[0]
    order = np.argsort(bare.positions[:, 2])
    ends = np.flatnonzero(np.diff(bare.positions[order, 2]) > LAYER) + 1
    farthest_of, slides = [], []
    for layer in np.split(order, ends):
        others = find_mic(moves[layer] - moves[layer[0]], atoms.cell, atoms.pbc)[0]
        slide = (moves[layer[0]] + others.mean(axis=0)) * (1, 1, 0) if len(layer) > 1 else np.zeros(3)
        own = find_mic(moves[layer] - slide, atoms.cell, atoms.pbc)[1]
        farthest_of.append(float(own.max()))
        slides.append(float(find_mic(slide, atoms.cell, atoms.pbc)[1]))
    return max(farthest_of), max(slides)


def is_on_slab(atoms: Atoms) -> bool:
    """Tell whether the molecule, or each piece of it, has a bond to the slab; that across the vacuum does not count."""
    own, slab = (np.flatnonzero((atoms.get_tags() == MOLECULE) == is_own) for is_own in (True, False))
    between = atoms.positions[slab][None, :] - atoms.positions[own][:, None]
    lengths = find_mic(between.reshape(-1, 3), atoms.cell, (True, True, False))[1].reshape(len(own), len(slab))
    radii = covalent_radii[atoms.numbers]
    bound = (lengths < BOND * (radii[own][:, None] + radii[slab][None, :])).any(axis=1)
    joined = np.zeros((len(own), len(own)))
    for i, j in bonds_of(atoms):
        joined[i, j] = 1
    n_pieces, piece = connected_components(joined, directed=False)
    return all(bound[piece == k].any() for k in range(n_pieces))


def from_alike(atoms: Atoms, other: Atoms, sites: Sites) -> float:
    """Return how far the molecule is from its place in another structure, or from one like that by symmetry.

    Args:
        atoms: the structure.
        other: of the same atoms in the same cell; like atoms of the molecule may have changed places.
        sites: with the symmetries.

    Returns:
        The distance of the atom that is farthest [A], the least over all symmetries.
    """
    own = np.flatnonzero(atoms.get_tags() == MOLECULE)
    scaled, unlike = (
        other.positions @ np.linalg.inv(other.cell.array),
        atoms.numbers[own][:, None] != atoms.numbers[own],
    )
    found = []
    for matrix, shift in sites.symmetries:
        turned = np.column_stack([scaled[own, :2] @ matrix + shift, scaled[own, 2]]) @ atoms.cell.array
        ways = atoms.positions[own][:, None] - turned
        lengths = find_mic(ways.reshape(-1, 3), atoms.cell, atoms.pbc)[1].reshape(len(own), len(own))
        rows, columns = linear_sum_assignment(np.where(unlike, 1e6, lengths**2))
        found.append(float(lengths[rows, columns].max()))
    return min(found)


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
        alike = abs(placed.above) < SAME_ENERGY and not placed.elsewhere
        same = alike and adsorbed.adsorbed and placed.adsorbed
    lower = [end.start for end in ends[1:] if not end.adsorbed and end.lower]
    lower += [end.start for end in on_the_way if end.slab_broken and end.lower]
    unfinished = [end for end in (*ends, *on_the_way) if end.problem]
    reasons = [f"{end.start}: {end.problem.rstrip('.')}" for end in unfinished]
    if not adsorbed.adsorbed:
        reasons.append(f"{adsorbed.start}: {adsorbed.what()}")
    elif same is False:
        reasons.append(f"{placed.start}: {_difference(placed)}")
    reasons += [f"{name}: broken or desorbed, and below the adsorbed start" for name in lower]
    return Verdict(same, adsorbed.adsorbed, lower, [end.start for end in unfinished], reasons)


def _difference(end: End) -> str:
    """Return in words by what an end is another state than that of the adsorbed start."""
    words = [] if end.adsorbed else [end.what()]
    words += [f"{end.above:+.2f} eV"] if end.above is not None and abs(end.above) >= SAME_ENERGY else []
    words += [f"at another place ({end.site}, {end.from_alike:.1f} A away)"] if end.adsorbed and end.elsewhere else []
    return ", ".join(words)
