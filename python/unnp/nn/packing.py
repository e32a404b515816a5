"""Several features of an atom as one row, so that one exchange carries them all."""

import torch
from torch import Tensor

from unnp.nn.exchange import exchange


def pack(parts: list[Tensor]) -> Tensor:
    """Return one row for each atom, (n, width), from features (n, ...) of any shapes: scalars, vectors, tensors."""
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def unpack(rows: Tensor, like: list[Tensor]) -> list[Tensor]:
    """Return the features packed in rows (n, width), in the shapes of those given, which may have another number of atoms."""
    parts: list[Tensor] = []
    start = 0
    for part in like:
        shape = list(part.shape)
        shape[0] = rows.shape[0]
        width = 1
        for n in shape[1:]:
            width *= n
        parts.append(rows[:, start : start + width].reshape(shape))
        start += width
    return parts


def exchange_parts(parts: list[Tensor], n_all: int, halo: int) -> list[Tensor]:
    """Return features of updated atoms and ghosts, (n_all, ...) each, from those of the updated atoms, in a single exchange.

    Every rank has to call it equally often; the width of the exchange is the number of all features of an atom. ``halo == 0``
    means there are no ghosts.
    """
    if halo == 0:
        return parts
    return unpack(exchange(pack(parts), n_all, halo), parts)
