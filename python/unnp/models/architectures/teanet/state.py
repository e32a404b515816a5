"""What atoms and bonds carry through the layers."""

from typing import NamedTuple

from torch import Tensor


class Atoms(NamedTuple):
    """What atoms carry.

    Attributes:
        s: (n, scalars).
        v: (n, 3, vectors).
        t: (n, 6, tensors), symmetric: xx, yy, zz, yz, xz, xy.
    """

    s: Tensor
    v: Tensor
    t: Tensor


class Bonds(NamedTuple):
    """Where bonds are, and what they carry; each is listed once.

    Attributes:
        pairs: (2, n) int64, atoms i and j.
        distance: (n,) [A].
        unit: (n, 3), from i to j.
        s: (n, bond_scalars).
        a: (n, projections), amplitudes of vectors along ``unit``.
    """

    pairs: Tensor
    distance: Tensor
    unit: Tensor
    s: Tensor
    a: Tensor


class Messages(NamedTuple):
    """Sums of what the neighbours of an atom send; no channels of what a layer does not send.

    Attributes:
        s: (n, scalars).
        v: (n, 3, vectors).
        t: (n, 6, tensors).
        multipoles: (n, n_multipole_scalars), the scalars made of multipoles beyond degree 2.
    """

    s: Tensor
    v: Tensor
    t: Tensor
    multipoles: Tensor


def of_first(atoms: Atoms, n: int) -> Atoms:
    """Return what the first ``n`` atoms carry."""
    return Atoms(atoms.s[:n], atoms.v[:n], atoms.t[:n])


def of_rows(bonds: Bonds, rows: Tensor) -> Bonds:
    """Return some of the bonds."""
    return Bonds(
        bonds.pairs.index_select(1, rows),
        bonds.distance.index_select(0, rows),
        bonds.unit.index_select(0, rows),
        bonds.s.index_select(0, rows),
        bonds.a.index_select(0, rows),
    )
