"""One thing after the other, in this very process."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from unnp.config import Config
from unnp.data.worker_pool import Failure
from unnp.errors import UnnpError
from unnp.executors.base import Executor, Start, register


class HereConfig(Config):
    """One thing after the other, in the process of the loop, with all its threads: for a GPU, or where it is short."""


@register("here")
class Here(Executor):
    """Computes in this process; a training that is asked to stop writes its checkpoint first."""

    Config = HereConfig

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        waiting = list(items)
        compute = start() if waiting else None
        for k, item in waiting:
            assert compute is not None
            try:
                outcome = compute(item)
            except UnnpError as error:
                outcome = Failure(str(error))
            yield k, outcome
