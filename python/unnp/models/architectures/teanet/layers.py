"""The layers of TeaNet: from atoms to bonds, and back."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from unnp.models.architectures.teanet.config import TeaNetConfig, normalisation
from unnp.models.architectures.teanet.multipoles import Multipoles
from unnp.models.architectures.teanet.update import Update
from unnp.nn.bonds import aggregate, combine, project
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.tensors import smooth_norm, tensor_norm, vector_norm


class Layer(nn.Module):
    """One TeaNet block. The first finds no vectors and tensors on the atoms yet, the last need not make any."""

    first: Final[bool]
    last: Final[bool]
    short: Final[bool]
    directed: Final[bool]
    higher: Final[bool]

    def __init__(self, config: TeaNetConfig, k: int) -> None:
        super().__init__()
        cutoffs = config.layer_cutoffs
        self.first, self.last = k == 0, k == len(cutoffs) - 1
        self.cutoff, self.cutoff_exponent = cutoffs[k], config.cutoff_exponent
        self.short = cutoffs[k] < max(cutoffs)
        self.norm = normalisation(config, k)
        cs, cv, ct = config.scalars, config.vectors, config.tensors
        cb, cp, hidden = config.bond_scalars, config.projections, config.hidden
        self.directed = not self.last or config.last_messages == "all"
        self.higher = self.last and config.n_multipole_scalars > 0
        self.n_vectors, self.n_tensors = cv, ct
        self.bond_widths = [cb, cp]
        self.atom = linear(cs if self.first else cs + cv + ct, hidden)
        self.even_odd = linear(hidden, 2 * hidden, bias=False, gain=SILU_GAIN)
        self.bond = linear(cb + cp, cb)
        self.bond_even = linear(cb, hidden, gain=SILU_GAIN)
        if not self.first:
            self.vector = linear(cv, cp, bias=False)
            self.tensor = linear(ct, cp, bias=False)
            self.projected_even = linear(3 * cp, hidden, bias=False)
            self.projected_odd = linear(2 * cp, hidden, bias=False)
        self.message = linear(hidden, cs, bias=False, gain=0.5)
        if self.directed:
            self.directed_message = linear(hidden, self.n_vectors + self.n_tensors, bias=False, gain=0.5)
        if self.higher:
            self.multipoles = Multipoles(config)
        if not self.last:
            self.bond_message = linear(hidden, cb + cp, bias=False, gain=0.5)
        self.update = Update(config, self.first, self.last)

    def forward(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        distance: Tensor,
        unit: Tensor,
        n_updated: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the updated atoms' s, v, t and all bonds' scalars and amplitudes after this layer."""
        if not self.short:
            f = polynomial_cutoff(distance, self.cutoff, self.cutoff_exponent).unsqueeze(1)
            s, v, t, to_s, to_a = self.convolve(s, v, t, bond_s, bond_a, bond_index, f, unit, n_updated)
            if not self.last:
                bond_s, bond_a = bond_s + to_s, bond_a + to_a
            return s, v, t, bond_s, bond_a
        rows = torch.nonzero(distance.detach() < self.cutoff).squeeze(1)
        near_s, near_a = bond_s.index_select(0, rows), bond_a.index_select(0, rows)
        f = polynomial_cutoff(distance.index_select(0, rows), self.cutoff, self.cutoff_exponent).unsqueeze(1)
        index, direction = bond_index.index_select(1, rows), unit.index_select(0, rows)
        s, v, t, to_s, to_a = self.convolve(s, v, t, near_s, near_a, index, f, direction, n_updated)
        if not self.last:
            bond_s, bond_a = bond_s.index_add(0, rows, to_s), bond_a.index_add(0, rows, to_a)
        return s, v, t, bond_s, bond_a

    def convolve(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        f: Tensor,
        unit: Tensor,
        n_updated: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the updated atoms' s, v, t and the changes of the scalars and amplitudes of the bonds given."""
        n_all = s.shape[0]
        y = self.bond_state(s, v, t, bond_s, bond_a, bond_index, f, unit)
        # summed before the linear map, which is then one of atoms, not of bonds
        m_s = self.message(self.norm * aggregate(y, unit, bond_index, n_all, 0, 0)[:n_updated])
        m_v, m_t = m_s, m_s  # stand-ins where there are none
        if self.directed:
            rows = aggregate(self.directed_message(y), unit, bond_index, n_all, self.n_vectors, self.n_tensors)
            m_v, m_t = torch.split(self.norm * rows[:n_updated], [3 * self.n_vectors, 6 * self.n_tensors], dim=1)
            m_v, m_t = m_v.reshape(n_updated, 3, self.n_vectors), m_t.reshape(n_updated, 6, self.n_tensors)
        m_h = m_s[:, :0]  # scalars of none
        if self.higher:
            m_h = self.multipoles(y, unit, bond_index, self.norm, n_all, n_updated)
        s, v, t = self.update(s[:n_updated], v[:n_updated], t[:n_updated], m_s, m_v, m_t, m_h)
        if self.last:
            return s, v, t, bond_s, bond_a
        to_s, to_a = torch.split(self.bond_message(y), self.bond_widths, dim=1)
        return s, v, t, to_s, to_a

    def bond_state(
        self,
        s: Tensor,
        v: Tensor,
        t: Tensor,
        bond_s: Tensor,
        bond_a: Tensor,
        bond_index: Tensor,
        f: Tensor,
        unit: Tensor,
    ) -> Tensor:
        """Return y (n_bonds, hidden) times the cutoff function, even under exchange of the two atoms."""
        z = self.bond_even(silu(self.bond(torch.cat([bond_s, smooth_norm(bond_a.square())], dim=1))))
        if self.first:
            atom = self.even_odd(silu(self.atom(s)))
            return combine(atom, z, z[:0], f, bond_index)
        atom = self.even_odd(silu(self.atom(torch.cat([s, vector_norm(v), tensor_norm(t)], dim=1))))
        projected = project(self.vector(v), self.tensor(t), bond_a, f, unit, bond_index)
        even, odd = torch.split(projected, [3 * bond_a.shape[1], 2 * bond_a.shape[1]], dim=1)
        return combine(atom, z + self.projected_even(even), self.projected_odd(odd), f, bond_index)
