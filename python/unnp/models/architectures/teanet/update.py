"""What an atom makes of its messages."""

from typing import Final

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.models.architectures.teanet.products import Products
from unnp.models.architectures.teanet.state import Atoms, Messages
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.tensors import norms


class Update(nn.Module):
    """Gated residual update of an atom from its messages and products; the change is zero where all of them are zero."""

    last: Final[bool]
    directed: Final[bool]
    multiplied: Final[bool]
    coupled: Final[bool]
    diagonal: Tensor

    def __init__(self, config: TeaNetConfig, first: bool, last: bool) -> None:
        super().__init__()
        self.last, self.directed = last, not last or config.last_messages == "all"
        self.multiplied = self.directed and config.products > 0
        self.coupled = self.multiplied and not last
        cs, cv, ct, cp = config.scalars, config.vectors, config.tensors, config.products
        n_invariants = cs + (cv + ct if self.directed else 0) + (4 * cp if self.multiplied else 0)
        n_invariants += config.n_multipole_scalars if last else 0
        self.widths = [cs] if last else [cs, cv, ct]
        if self.coupled:
            self.widths = [cs, cv, ct, cp, cp, cp]
        n_gates = sum(self.widths)
        self.gate = nn.Sequential(
            linear(cs + n_invariants, 2 * cs), nn.SiLU(), linear(2 * cs, n_gates, gain=SILU_GAIN), nn.Tanh()
        )
        self.scalar = linear(n_invariants, cs, bias=False)
        if not last:
            self.isotropic = linear(cs, ct, bias=False)
        diagonal = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).reshape(1, 6, 1)
        self.register_buffer("diagonal", diagonal, persistent=False)
        if self.multiplied:
            self.products = Products(config, first, self.coupled)
        if self.coupled:
            self.vector = linear(cp, cv, bias=False, gain=0.5)
            self.tensor = linear(2 * cp, ct, bias=False, gain=0.5)

    def forward(self, atoms: Atoms, messages: Messages) -> Atoms:
        """Return the atoms after this layer from those before and the sums of their messages."""
        invariants = torch.cat([messages.s, messages.multipoles], dim=1)
        products: list[Tensor] = []
        if self.directed:
            invariants = torch.cat([invariants, norms(messages.v, messages.t)], dim=1)
        if self.multiplied:
            more, products = self.products(atoms.v, atoms.t, messages.v, messages.t)
            invariants = torch.cat([invariants, more], dim=1)
        gates = torch.split(self.gate(torch.cat([atoms.s, invariants], dim=1)), self.widths, dim=1)
        s = atoms.s + self.scalar(invariants) * gates[0]
        if self.last:
            return Atoms(s, atoms.v, atoms.t)
        v = atoms.v + messages.v * gates[1].unsqueeze(1)
        t = atoms.t + messages.t * gates[2].unsqueeze(1)
        if self.coupled:
            v = v + self.vector(products[0] * gates[3].unsqueeze(1))
            tensors = [products[1] * gates[4].unsqueeze(1), products[2] * gates[5].unsqueeze(1)]
            t = t + self.tensor(torch.cat(tensors, dim=2))
        return Atoms(s, v, t + self.isotropic(messages.s).unsqueeze(1) * self.diagonal)
