"""Products of an atom's vectors and tensors with each other."""

from typing import Final

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.nn.linear import linear
from unnp.nn.tensors import applied, contraction, symmetric_dyad, symmetric_product, taming


class Products(nn.Module):
    """Products of the vectors and tensors of an atom and of its messages, in channels mixed of both.

    Linear maps mix vectors ``v, w`` and tensors ``T, U``. Their products are the vectors ``T v``, the tensors
    ``(T U + U T) / 2`` and ``(v (x) w + w (x) v) / 2``, and the invariants ``v . w``, ``T : U``, ``T v . w`` and
    ``T U : U``. All of them are tamed: large ones grow as one factor does, not as two or three.
    """

    first: Final[bool]
    coupled: Final[bool]

    def __init__(self, config: TeaNetConfig, first: bool, coupled: bool) -> None:
        super().__init__()
        self.first, self.coupled = first, coupled
        shares = 1 if first else 2
        self.vectors = linear(shares * config.vectors, 2 * config.products, bias=False)
        self.tensors = linear(shares * config.tensors, 2 * config.products, bias=False)

    def forward(self, v: Tensor, t: Tensor, m_v: Tensor, m_t: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return the invariants, and of what is coupled back the products, components first, and the factors that tame them.

        Args:
            v: (n, 3, vectors), the atoms' own; not used in the first layer, where there are none.
            t: (n, 6, tensors), likewise.
            m_v: (n, 3, vectors), the messages'.
            m_t: (n, 6, tensors), likewise.

        Returns:
            (n, 4 * products); (3 or 6, n, products) each; (n, products) each.
        """
        v_1, v_2 = in_halves(self.vectors(m_v if self.first else torch.cat([m_v, v], dim=2)))
        t_1, t_2 = in_halves(self.tensors(m_t if self.first else torch.cat([m_t, t], dim=2)))
        vector, tensor = applied(t_1, v_1), symmetric_product(t_1, t_2)
        for_vector = taming(vector.square().sum(0))
        for_tensor = taming(contraction(tensor, tensor, 0))
        of_two = [(v_1 * v_2).sum(0), contraction(t_1, t_2, 0)]
        of_three = [for_vector * (vector * v_2).sum(0), for_tensor * contraction(tensor, t_2, 0)]
        invariants = torch.cat(of_two + of_three, dim=1)
        invariants = invariants * taming(invariants.square())
        if not self.coupled:
            return invariants, [vector], [for_vector]
        dyad = symmetric_dyad(v_1, v_2)
        return invariants, [vector, tensor, dyad], [for_vector, for_tensor, taming(contraction(dyad, dyad, 0))]


def in_halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two halves of the channels of (n, components, channels), components first."""
    one, other = x.unflatten(2, (2, x.shape[2] // 2)).permute(2, 1, 0, 3).contiguous().unbind(0)
    return one, other
