"""Dask: processes of many machines, of a batch system, or of a scheduler that runs already."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, Literal

from pydantic import Field, JsonValue, PositiveInt, model_validator

from unnp.config import Config
from unnp.config.texts import Line
from unnp.data.worker_pool import Failure
from unnp.errors import ConfigError, UnnpError, in_one_line
from unnp.executors.base import Executor, Start, register
from unnp.executors.futures import compute, outcome_of

CLUSTERS = {
    "local": ("distributed", "LocalCluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
}

AHEAD = 3
"""Items that are given for each worker: a worker that is lost takes the results with it that nobody has asked for yet."""


class DaskConfig(Config):
    """Workers of Dask, which see the folder of the loop under the same name (`pip install 'unnp[dask]'`)."""

    scheduler: Line | None = None
    """Address of a scheduler that runs, `tcp://node1:8786`; null: a cluster is started."""
    cluster: Literal["local", "slurm", "pbs"] = "local"
    """Cluster that is started: processes of this machine, or jobs of Slurm or PBS (dask-jobqueue)."""
    workers: PositiveInt = 2
    """Workers, or jobs, of the cluster that is started."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the cluster of Dask, for instance `{queue: short, cores: 4, memory: 8GB, walltime: "02:00:00"}`."""

    @model_validator(mode="after")
    def _one_of_both(self) -> DaskConfig:
        if self.scheduler is not None and (self.settings or "cluster" in self.model_fields_set):
            raise ValueError("`scheduler` is one that runs; `cluster` and `settings` are of one that is started")
        return self


@register("dask")
class Dask(Executor):
    """Computes with Dask. A worker that is lost costs what it was computing, and Dask gives that to another one.

    Not by the executor that Dask has for ``concurrent.futures``, which waits forever for a result that was lost on its way.
    """

    Config = DaskConfig

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        waiting = deque(items)
        if not waiting:
            return
        distributed, key = _module("distributed"), uuid.uuid4().hex
        with self._client() as client:
            running = distributed.as_completed()
            owner: dict[Any, int] = {}
            while waiting or owner:
                while waiting and len(owner) < AHEAD * max(1, len(client.nthreads())):
                    k, item = waiting.popleft()
                    future = client.submit(compute, key, start, item, pure=False)
                    owner[future] = k
                    running.add(future)
                future = next(running)
                yield owner.pop(future), outcome_of(future)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Connect to the scheduler, or start a cluster, and take it down at the end."""
        distributed = _module("distributed")
        with ExitStack() as stack:
            try:
                address = self.config.scheduler or stack.enter_context(self._cluster())
                client = stack.enter_context(distributed.Client(address))
            except (OSError, ValueError, TypeError, RuntimeError) as error:
                raise UnnpError(f"executor: Dask cannot be started ({in_one_line(error)}).") from None
            yield client

    def _cluster(self) -> Any:
        """Return a cluster that starts a new worker, or job, for each that is lost."""
        module, name = CLUSTERS[self.config.cluster]
        settings, n = dict(self.config.settings), self.config.workers
        if self.config.cluster == "local":
            settings = {"threads_per_worker": 1, "dashboard_address": None, "n_workers": n, **settings}
        cluster = getattr(_module(module), name)(**settings)
        of = "" if self.config.cluster == "local" else "_jobs"
        cluster.adapt(**{f"minimum{of}": n, f"maximum{of}": n})
        return cluster


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"executor: dask needs {name.replace('_', '-')} ({error}); pip install 'unnp[dask]'."
        ) from None
