"""What happens on a bond: projections of the atoms' tensors, the nonlinearity, and sums on the atoms.

Each operation has a plain form in PyTorch (``*_plain``), which is the oracle and runs on any device, and a fused, twice
differentiable one for the CPU (``cpp/src/ops``), which needs the compiled part of unnp. Layouts as in ``unnp.nn.tensors``; a
bond is listed once, from i to j.
"""

import torch
from torch import Tensor
from torch.nn.functional import silu

from unnp.nn.fused import is_fused


def project(v: Tensor, t: Tensor, amplitude: Tensor, f: Tensor, unit: Tensor, bond_index: Tensor) -> Tensor:
    """Return the scalars that two atoms' vectors and tensors make with the bond between them.

    With ``w_i = v_i + T_i u``, ``w_j = v_j - T_j u``, ``p_i = w_i . u``, ``p_j = -w_j . u``, ``q = w_i . w_j`` and a bond's
    vectors ``v_ij = a u``: ``[f (p_i + p_j), a f (p_i + p_j), f q, f (p_i - p_j), a f (p_i - p_j)]``. The first three blocks
    are even under exchange of the atoms, the last two odd.

    Args:
        v: (n_atoms, 3, channels).
        t: (n_atoms, 6, channels).
        amplitude: (n_bonds, channels), a.
        f: (n_bonds, 1), cutoff function.
        unit: (n_bonds, 3), u, from i to j.
        bond_index: (2, n_bonds).

    Returns:
        (n_bonds, 5 * channels).
    """
    if is_fused(v):
        return torch.ops.unnp.project(v, t, amplitude, f, unit, bond_index)
    return project_plain(v, t, amplitude, f, unit, bond_index)


def combine(atom: Tensor, z: Tensor, d: Tensor, f: Tensor, bond_index: Tensor) -> Tensor:
    """Return the state of a bond, even under exchange of its atoms, times the cutoff function.

    ``f [silu(f (even_i + even_j) + z) + e tanh(e / 2)]``, ``e = f (odd_i - odd_j) + d``

    Args:
        atom: (n_atoms, 2 * hidden), even and odd part.
        z: (n_bonds, hidden), even.
        d: (n_bonds, hidden), odd; or without rows for none.
        f: (n_bonds, 1), cutoff function.
        bond_index: (2, n_bonds).

    Returns:
        (n_bonds, hidden).
    """
    if is_fused(atom):
        return torch.ops.unnp.combine(atom, z, d, f, bond_index)
    return combine_plain(atom, z, d, f, bond_index)


def aggregate(messages: Tensor, unit: Tensor, bond_index: Tensor, n_all: int, vectors: int, tensors: int) -> Tensor:
    """Return the sums ``[sum m_s, sum m_v u, sum m_t u (x) u]`` over the bonds of each atom, u pointing away from it.

    Args:
        messages: (n_bonds, scalars + vectors + tensors).
        unit: (n_bonds, 3), from i to j.
        bond_index: (2, n_bonds).
        n_all: number of atoms.
        vectors: channels of vector messages.
        tensors: channels of rank-2 messages.

    Returns:
        (n_all, scalars + 3 * vectors + 6 * tensors).
    """
    if is_fused(messages):
        return torch.ops.unnp.aggregate(messages, unit, bond_index, n_all, vectors, tensors)
    return aggregate_plain(messages, unit, bond_index, n_all, vectors, tensors)


def multipoles(weights: Tensor, harmonics: Tensor, bond_index: Tensor, n_all: int, first: int) -> Tensor:
    """Return the sums ``sum w_c Y_lm(u)`` over the bonds of each atom, u pointing away from it.

    Args:
        weights: (n_bonds, channels).
        harmonics: (n_bonds, components), of the direction from i to j, of all degrees l from ``first`` on; those of the
            direction from j to i are ``(-1)^l`` times them.
        bond_index: (2, n_bonds).
        n_all: number of atoms.
        first: lowest l.

    Returns:
        (n_all, channels * components).
    """
    if is_fused(weights):
        return torch.ops.unnp.multipoles(weights, harmonics, bond_index, n_all, first)
    return multipoles_plain(weights, harmonics, bond_index, n_all, first)


def project_plain(v: Tensor, t: Tensor, amplitude: Tensor, f: Tensor, unit: Tensor, bond_index: Tensor) -> Tensor:
    """Oracle of :func:`project`."""
    w_i, w_j = contract(v, t, bond_index[0], unit), contract(v, t, bond_index[1], -unit)
    u = unit.unsqueeze(2)
    p_i, p_j = (w_i * u).sum(1), -(w_j * u).sum(1)
    even, odd = f * (p_i + p_j), f * (p_i - p_j)
    return torch.cat([even, amplitude * even, f * (w_i * w_j).sum(1), odd, amplitude * odd], dim=1)


def contract(v: Tensor, t: Tensor, index: Tensor, unit: Tensor) -> Tensor:
    """Return ``w = v + T u`` (n_bonds, 3, channels) of the atoms ``index`` (n_bonds,) for unit vectors (n_bonds, 3)."""
    whole = torch.stack([t[:, 0], t[:, 5], t[:, 4], t[:, 5], t[:, 1], t[:, 3], t[:, 4], t[:, 3], t[:, 2]], dim=1)
    rows = whole.index_select(0, index).unflatten(1, (3, 3))
    return v.index_select(0, index) + (rows * unit.unsqueeze(1).unsqueeze(3)).sum(2)


def combine_plain(atom: Tensor, z: Tensor, d: Tensor, f: Tensor, bond_index: Tensor) -> Tensor:
    """Oracle of :func:`combine`."""
    even_i, odd_i = atom.index_select(0, bond_index[0]).chunk(2, dim=1)
    even_j, odd_j = atom.index_select(0, bond_index[1]).chunk(2, dim=1)
    odd = f * (odd_i - odd_j)
    if d.shape[0] == z.shape[0]:
        odd = odd + d
    return f * (silu(f * (even_i + even_j) + z) + odd * torch.tanh(0.5 * odd))


def aggregate_plain(
    messages: Tensor, unit: Tensor, bond_index: Tensor, n_all: int, vectors: int, tensors: int
) -> Tensor:
    """Oracle of :func:`aggregate`."""
    i, j = bond_index[0], bond_index[1]
    scalars = messages.shape[1] - vectors - tensors
    m_s, m_v, m_t = torch.split(messages, [scalars, vectors, tensors], dim=1)
    v = (m_v.unsqueeze(1) * unit.unsqueeze(2)).flatten(1)
    t = (m_t.unsqueeze(1) * dyad(unit).unsqueeze(2)).flatten(1)
    total = messages.new_zeros([n_all, scalars + 3 * vectors + 6 * tensors])
    return total.index_add(0, i, torch.cat([m_s, v, t], dim=1)).index_add(0, j, torch.cat([m_s, -v, t], dim=1))


def multipoles_plain(weights: Tensor, harmonics: Tensor, bond_index: Tensor, n_all: int, first: int) -> Tensor:
    """Oracle of :func:`multipoles`."""
    position = torch.arange(first * first, first * first + harmonics.shape[1], device=weights.device)
    degree = position.to(weights.dtype).sqrt().floor()  # made where it is needed: a list would wait for the GPU
    sign = 1.0 - 2.0 * torch.remainder(degree, 2.0)
    to_i = (weights.unsqueeze(2) * harmonics.unsqueeze(1)).flatten(1)
    to_j = (weights.unsqueeze(2) * (sign * harmonics).unsqueeze(1)).flatten(1)
    total = weights.new_zeros([n_all, to_i.shape[1]])
    return total.index_add(0, bond_index[0], to_i).index_add(0, bond_index[1], to_j)


def dyad(unit: Tensor) -> Tensor:
    """Return ``u (x) u`` (n_bonds, 6) in the order of symmetric tensors."""
    x, y, z = unit[:, 0], unit[:, 1], unit[:, 2]
    return torch.stack([x * x, y * y, z * z, y * z, x * z, x * y], dim=1)
