"""Processes on this machine."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from pydantic import PositiveInt

from unnp.config import Config
from unnp.data.labelling import available_cpus
from unnp.data.worker_pool import Failure, run_parallel
from unnp.executors.base import Executor, Start, register


class ProcessesConfig(Config):
    """Processes on this machine, with one thread each unless `train.threads` says otherwise."""

    workers: PositiveInt | None = None
    """Processes; null: one per CPU."""


@register("processes")
class Processes(Executor):
    """Processes of this machine; one that dies costs one item, and all end with the one that started them."""

    Config = ProcessesConfig

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        yield from run_parallel(start, items, self.config.workers or available_cpus())
