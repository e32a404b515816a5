"""What an atom makes of its messages."""

from typing import Final

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.tensors import (
    applied,
    contraction,
    symmetric_dyad,
    symmetric_product,
    taming,
    tensor_norm,
    vector_norm,
)


class Products(nn.Module):
    """Products of an atom's vectors and tensors, its own and those of its messages, in channels mixed of all."""

    first: Final[bool]

    def __init__(self, config: TeaNetConfig, first: bool) -> None:
        super().__init__()
        self.first = first
        shares = 1 if first else 2
        self.vectors = linear(shares * config.vectors, 2 * config.products, bias=False)
        self.tensors = linear(shares * config.tensors, 2 * config.products, bias=False)

    def forward(self, v: Tensor, t: Tensor, m_v: Tensor, m_t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return invariants (n, 4 * products), vectors (n, 3, products), tensors (n, 6, 2 * products) and what tames these.

        The last, (n, 3 * products), are factors on the vectors and tensors.
        """
        v_1, v_2 = self.vectors(m_v if self.first else torch.cat([m_v, v], dim=2)).chunk(2, dim=2)
        t_1, t_2 = self.tensors(m_t if self.first else torch.cat([m_t, t], dim=2)).chunk(2, dim=2)
        vector = applied(t_1, v_1)
        tensor = torch.cat([symmetric_product(t_1, t_2), symmetric_dyad(v_1, v_2)], dim=2)
        factors = taming(torch.cat([vector.square().sum(1), contraction(tensor, tensor)], dim=1))
        p = v_1.shape[2]
        twice = torch.cat([(v_1 * v_2).sum(1), contraction(t_1, t_2)], dim=1)
        thrice = torch.cat([(vector * v_2).sum(1), contraction(tensor[:, :, :p], t_2)], dim=1)
        invariants = torch.cat([twice, thrice * factors[:, : 2 * p]], dim=1)
        return invariants * taming(invariants.square()), vector, tensor, factors


class Update(nn.Module):
    """Gated residual update of an atom from its messages and products; the change is zero where all of them are zero."""

    last: Final[bool]
    directed: Final[bool]
    multiplied: Final[bool]
    coupled: Final[bool]

    def __init__(self, config: TeaNetConfig, first: bool, last: bool) -> None:
        super().__init__()
        self.last, self.directed = last, not last or config.last_messages == "all"
        self.multiplied = self.directed and config.products > 0
        self.coupled = self.multiplied and not last
        cs, cv, ct, cp = config.scalars, config.vectors, config.tensors, config.products
        n_invariants = cs + (cv + ct if self.directed else 0) + (4 * cp if self.multiplied else 0)
        self.widths = [cs] if last else [cs, cv, ct]
        if self.coupled:
            self.widths = [cs, cv, ct, 3 * cp]
        n_gates = sum(self.widths)
        self.gate = nn.Sequential(
            linear(cs + n_invariants, 2 * cs), nn.SiLU(), linear(2 * cs, n_gates, gain=SILU_GAIN), nn.Tanh()
        )
        self.scalar = linear(n_invariants, cs, bias=False)
        if not last:
            self.isotropic = linear(cs, ct, bias=False)
        if self.multiplied:
            self.products = Products(config, first)
        if self.coupled:
            self.vector = linear(cp, cv, bias=False, gain=0.5)
            self.tensor = linear(2 * cp, ct, bias=False, gain=0.5)

    def forward(
        self, s: Tensor, v: Tensor, t: Tensor, m_s: Tensor, m_v: Tensor, m_t: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        invariants, p_v, p_t, factors = m_s, m_v, m_t, m_s
        if self.directed:
            invariants = torch.cat([m_s, vector_norm(m_v), tensor_norm(m_t)], dim=1)
        if self.multiplied:
            products, p_v, p_t, factors = self.products(v, t, m_v, m_t)
            invariants = torch.cat([invariants, products], dim=1)
        gates = torch.split(self.gate(torch.cat([s, invariants], dim=1)), self.widths, dim=1)
        s = s + self.scalar(invariants) * gates[0]
        if self.last:
            return s, v, t
        v = v + m_v * gates[1].unsqueeze(1)
        t = t + m_t * gates[2].unsqueeze(1)
        if self.coupled:
            p = p_v.shape[2]
            g_v, g_t = torch.split((gates[3] * factors).unsqueeze(1), [p, 2 * p], dim=2)
            v = v + self.vector(p_v * g_v)
            t = t + self.tensor(p_t * g_t)
        isotropic = self.isotropic(m_s).unsqueeze(1)
        return s, v, t + torch.cat([isotropic, isotropic, isotropic, torch.zeros_like(t[:, 3:])], dim=1)
