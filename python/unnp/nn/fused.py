"""Which form of an operator runs: the fused one of ``cpp/src/ops``, or the plain one in PyTorch, which is its oracle."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from unnp.core import core

_PLAIN: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def plain_operators() -> Iterator[None]:
    """Use the plain forms in what is not scripted: slower, and differentiable as often as one likes."""
    before = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(before)


def is_fused(x: Tensor) -> bool:
    """Return whether the fused operators take this tensor: it is on the CPU, and the plain ones are not asked for."""
    if x.is_cuda:
        return False
    if not torch.jit.is_scripting():
        if _PLAIN.get():
            return False
        core()  # registers the operators, or says what is missing
    return True
