"""Cartesian tensor algebra between atoms and bonds: projections on bonds, and sums of bond dyads on atoms.

Vectors are stored as (n, 3, channels), symmetric rank-2 tensors as (n, 6, channels) in the order xx, yy, zz, yz, xz, xy.
Each function has a plain form in PyTorch, which is the oracle, and takes a fused one (``cpp/src/ops``) on the CPU.
"""

import torch
from torch import Tensor


def smooth_norm(squared: Tensor, epsilon: float = 0.1) -> Tensor:
    """Return ``sqrt(x^2 + eps^2) - eps``: a norm without the cusp at zero."""
    return torch.sqrt(squared + epsilon * epsilon) - epsilon


def vector_norm(vectors: Tensor) -> Tensor:
    """Return the smooth norms (n, channels) of vectors (n, 3, channels)."""
    return smooth_norm(vectors.square().sum(1))


def tensor_norm(tensors: Tensor) -> Tensor:
    """Return the smooth Frobenius norms (n, channels) of symmetric tensors (n, 6, channels)."""
    squared = tensors.square()
    return smooth_norm(squared.sum(1) + squared[:, 3:].sum(1))


def contract(vectors: Tensor, tensors: Tensor, index: Tensor, unit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``w = v + T . u`` of the atoms ``index`` on bonds with unit vectors ``u``, as its x, y and z components.

    Args:
        vectors: (n_atoms, 3, channels).
        tensors: (n_atoms, 6, channels).
        index: (n_bonds,).
        unit: (n_bonds, 3).
    """
    v, t = vectors.index_select(0, index), tensors.index_select(0, index)
    x, y, z = unit[:, 0:1], unit[:, 1:2], unit[:, 2:3]
    wx = v[:, 0] + t[:, 0] * x + t[:, 5] * y + t[:, 4] * z
    wy = v[:, 1] + t[:, 5] * x + t[:, 1] * y + t[:, 3] * z
    wz = v[:, 2] + t[:, 4] * x + t[:, 3] * y + t[:, 2] * z
    return wx, wy, wz


def project_plain(vectors: Tensor, tensors: Tensor, bond_index: Tensor, unit: Tensor) -> Tensor:
    """The oracle of :func:`project`."""
    x, y, z = unit[:, 0:1], unit[:, 1:2], unit[:, 2:3]
    ix, iy, iz = contract(vectors, tensors, bond_index[0], unit)
    jx, jy, jz = contract(vectors, tensors, bond_index[1], -unit)
    return torch.cat([ix * x + iy * y + iz * z, -(jx * x + jy * y + jz * z), ix * jx + iy * jy + iz * jz], dim=1)


def project(vectors: Tensor, tensors: Tensor, bond_index: Tensor, unit: Tensor) -> Tensor:
    """Return the scalars that two atoms' vectors and tensors make with the bond between them.

    With ``w_i = v_i + T_i . u`` and ``w_j = v_j + T_j . (-u)``: ``[w_i . u, w_j . (-u), w_i . w_j]``.

    Args:
        vectors: (n_atoms, 3, channels).
        tensors: (n_atoms, 6, channels), the same channels.
        bond_index: (2, n_bonds).
        unit: (n_bonds, 3), from atom i to atom j.

    Returns:
        (n_bonds, 3 * channels).
    """
    return project_plain(vectors, tensors, bond_index, unit)


def dyad(unit: Tensor) -> Tensor:
    """Return ``u (x) u`` (n_bonds, 6) in the order of symmetric tensors."""
    x, y, z = unit[:, 0], unit[:, 1], unit[:, 2]
    return torch.stack([x * x, y * y, z * z, y * z, x * z, x * y], dim=1)


def aggregate_scalars(messages: Tensor, bond_index: Tensor, n_all: int) -> Tensor:
    """Return the sum of bond messages (n_bonds, channels) over the bonds of each atom, (n_all, channels)."""
    total = messages.new_zeros([n_all, messages.shape[1]])
    return total.index_add(0, bond_index[0], messages).index_add(0, bond_index[1], messages)


def aggregate_tensors_plain(
    vector_messages: Tensor, tensor_messages: Tensor, bond_index: Tensor, unit: Tensor, n_all: int
) -> tuple[Tensor, Tensor]:
    """The oracle of :func:`aggregate_tensors`."""
    i, j = bond_index[0], bond_index[1]
    v = vector_messages.unsqueeze(1) * unit.unsqueeze(2)
    t = tensor_messages.unsqueeze(1) * dyad(unit).unsqueeze(2)
    vectors = v.new_zeros([n_all, 3, v.shape[2]]).index_add(0, i, v).index_add(0, j, -v)
    tensors = t.new_zeros([n_all, 6, t.shape[2]]).index_add(0, i, t).index_add(0, j, t)
    return vectors, tensors


def aggregate_tensors(
    vector_messages: Tensor, tensor_messages: Tensor, bond_index: Tensor, unit: Tensor, n_all: int
) -> tuple[Tensor, Tensor]:
    """Return ``sum m_v u`` and ``sum m_t u (x) u`` over the bonds of each atom, u pointing away from the atom.

    Args:
        vector_messages: (n_bonds, channels of vectors).
        tensor_messages: (n_bonds, channels of tensors).
        bond_index: (2, n_bonds).
        unit: (n_bonds, 3), from atom i to atom j.
        n_all: number of rows to return.

    Returns:
        vectors (n_all, 3, channels) and tensors (n_all, 6, channels).
    """
    return aggregate_tensors_plain(vector_messages, tensor_messages, bond_index, unit, n_all)
