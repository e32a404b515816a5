"""The layers of TeaNet: from atoms to bonds, and back."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from unnp.models.architectures.teanet.config import TeaNetConfig, normalisation
from unnp.models.architectures.teanet.multipoles import Multipoles
from unnp.models.architectures.teanet.state import Atoms, Bonds, Messages, of_first, of_rows
from unnp.models.architectures.teanet.update import Update
from unnp.nn.bonds import aggregate, combine, project
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.tensors import norms, smooth_norm


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

    def forward(self, atoms: Atoms, bonds: Bonds, n_updated: int) -> tuple[Atoms, Bonds]:
        """Return the first ``n_updated`` atoms and all bonds after this layer."""
        rows = bonds.pairs[0, :0]
        near = bonds
        if self.short:
            rows = torch.nonzero(bonds.distance.detach() < self.cutoff).squeeze(1)
            near = of_rows(bonds, rows)
        y = self.bond_state(atoms, near)
        atoms = self.update(of_first(atoms, n_updated), self.messages(y, near, atoms.s.shape[0], n_updated))
        if self.last:
            return atoms, bonds
        to_s, to_a = torch.split(self.bond_message(y), self.bond_widths, dim=1)
        if self.short:
            s, a = bonds.s.index_add(0, rows, to_s), bonds.a.index_add(0, rows, to_a)
        else:
            s, a = bonds.s + to_s, bonds.a + to_a
        return atoms, Bonds(bonds.pairs, bonds.distance, bonds.unit, s, a)

    def bond_state(self, atoms: Atoms, bonds: Bonds) -> Tensor:
        """Return y (n_bonds, hidden) times the cutoff function, even under exchange of the two atoms."""
        f = polynomial_cutoff(bonds.distance, self.cutoff, self.cutoff_exponent).unsqueeze(1)
        z = self.bond_even(silu(self.bond(torch.cat([bonds.s, smooth_norm(bonds.a.square())], dim=1))))
        if self.first:
            atom = self.even_odd(silu(self.atom(atoms.s)))
            return combine(atom, z, z[:0], f, bonds.pairs)
        invariants = torch.cat([atoms.s, norms(atoms.v, atoms.t)], dim=1)
        atom = self.even_odd(silu(self.atom(invariants)))
        projected = project(self.vector(atoms.v), self.tensor(atoms.t), bonds.a, f, bonds.unit, bonds.pairs)
        even, odd = torch.split(projected, [3 * bonds.a.shape[1], 2 * bonds.a.shape[1]], dim=1)
        return combine(atom, z + self.projected_even(even), self.projected_odd(odd), f, bonds.pairs)

    def messages(self, y: Tensor, bonds: Bonds, n_all: int, n_updated: int) -> Messages:
        """Return the sums over the neighbours."""
        # summed before the linear map, which is then one of atoms, not of bonds
        s = self.message(self.norm * aggregate(y, bonds.unit, bonds.pairs, n_all, 0, 0)[:n_updated])
        v, t, multipoles = s.new_zeros([n_updated, 3, 0]), s.new_zeros([n_updated, 6, 0]), s[:, :0]
        if self.directed:
            sent = self.directed_message(y)
            rows = self.norm * aggregate(sent, bonds.unit, bonds.pairs, n_all, self.n_vectors, self.n_tensors)
            v, t = torch.split(rows[:n_updated], [3 * self.n_vectors, 6 * self.n_tensors], dim=1)
            v, t = v.reshape(n_updated, 3, self.n_vectors), t.reshape(n_updated, 6, self.n_tensors)
        if self.higher:
            multipoles = self.multipoles(y, bonds, self.norm, n_all, n_updated)
        return Messages(s, v, t, multipoles)
