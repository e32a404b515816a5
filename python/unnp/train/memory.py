"""Keeping memory that tensors gave back, instead of asking the kernel for it again at each step."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # of mallopt(3)


def keep_freed_memory() -> bool:
    """Tell glibc to serve large blocks from its heap and never to shrink it; return whether it did (False: no glibc).

    By default each large tensor is a mapping of its own that the kernel fills with zeros anew, 5 to 10 % of a step.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1))
