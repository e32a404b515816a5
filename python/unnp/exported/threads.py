"""Threads of torch in forked processes."""

from __future__ import annotations

import functools
import os

import torch


@functools.cache
def one_thread_in_forked_children() -> None:
    """Let processes that are forked from this one compute with one thread.

    A forked process has none of its parent's threads, but torch (OpenMP) counts on them once it has computed with several,
    and waits for them for ever.
    """
    os.register_at_fork(after_in_child=functools.partial(torch.set_num_threads, 1))
