"""Products of an atom's vectors and tensors with each other."""

from typing import Final

import torch
from torch import Tensor, nn

from unnp.models.architectures.teanet.config import TeaNetConfig
from unnp.nn.linear import linear
from unnp.nn.products import products


class Products(nn.Module):
    """Products of the vectors and tensors of an atom and of its messages, in channels mixed of both by linear maps.

    See :func:`unnp.nn.products.products`.
    """

    first: Final[bool]
    coupled: Final[bool]

    def __init__(self, config: TeaNetConfig, first: bool, coupled: bool) -> None:
        super().__init__()
        self.first, self.coupled, self.channels = first, coupled, config.products
        shares = 1 if first else 2
        self.vectors = linear(shares * config.vectors, 2 * config.products, bias=False)
        self.tensors = linear(shares * config.tensors, 2 * config.products, bias=False)

    def forward(self, v: Tensor, t: Tensor, m_v: Tensor, m_t: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the invariants, and what is coupled back: vectors, and tensors of two kinds.

        Args:
            v: (n, 3, vectors), the atoms' own; not used in the first layer, where there are none.
            t: (n, 6, tensors), likewise.
            m_v: (n, 3, vectors), the messages'.
            m_t: (n, 6, tensors), likewise.

        Returns:
            (n, 4 * products); (n, 3, products), (n, 6, products) and (n, 6, products), or nothing.
        """
        vectors = self.vectors(m_v if self.first else torch.cat([m_v, v], dim=2))
        tensors = self.tensors(m_t if self.first else torch.cat([m_t, t], dim=2))
        found = products(vectors, tensors, self.coupled)
        if not self.coupled:
            return found, []
        invariants, coupled = torch.split(found, [4 * self.channels, 15 * self.channels], dim=1)
        return invariants, list(torch.split(coupled.unflatten(1, (15, self.channels)), [3, 6, 6], dim=1))
