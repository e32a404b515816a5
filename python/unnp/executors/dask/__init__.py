"""Dask: processes of many machines, of a batch system, or of a scheduler that runs already."""

from __future__ import annotations

import signal
import uuid
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from queue import Empty, Queue
from typing import Any, Literal

from pydantic import Field, JsonValue, PositiveInt, model_validator

from unnp.config import Config
from unnp.config.texts import Line
from unnp.data.worker_pool import Failure
from unnp.errors import ConfigError, UnnpError, in_one_line
from unnp.executors.base import Start, register
from unnp.executors.futures import compute, outcome_of
from unnp.executors.holding import Holding

CLUSTERS = {
    "local": ("distributed", "LocalCluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
}

AHEAD = 3
"""Items that are given for each thread: a worker that is lost takes the results with it that nobody has asked for yet."""

SECONDS = 0.5
"""How often it is looked whether workers have come, while items go on."""


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
class Dask(Holding):
    """Computes with Dask. A worker that is lost costs what it was computing, and Dask gives that to another one.

    One cluster serves a whole loop: jobs wait in the queue of a batch system once, and keep what they have imported.

    Not by the executor that Dask has for ``concurrent.futures``, which waits forever for a result that was lost on its way.
    """

    Config = DaskConfig

    def run(self, start: Start, items: Iterable[tuple[int, Any]]) -> Generator[tuple[int, Any | Failure], None, None]:
        waiting = deque(items)
        if not waiting:
            return
        key, owner, finished = uuid.uuid4().hex, dict[Any, int](), Queue[Any]()
        with self:
            try:
                while waiting or owner:
                    for _ in range(min(len(waiting), AHEAD * self._threads() - len(owner))):
                        k, item = waiting.popleft()
                        future = self._client().submit(compute, key, start, item, pure=False)
                        owner[future] = k
                        future.add_done_callback(finished.put)
                    try:
                        future = finished.get(timeout=SECONDS)
                    except Empty:  # workers may have come meanwhile
                        continue
                    yield owner.pop(future), outcome_of(future)
            finally:
                for future in owner:
                    with suppress(OSError, RuntimeError):  # where the scheduler is gone
                        future.cancel()

    def _threads(self) -> int:
        """Return how much is computed at once now; 1 where no worker has come yet."""
        try:
            return max(1, sum(self._client().nthreads().values()))
        except OSError:  # the scheduler is being looked for
            return 1

    def _client(self) -> Any:
        """Return the connection to the scheduler, another one where the scheduler was lost."""
        client = self.held()
        if client.status != "running":
            self.let_go()
            client = self.held()
        return client

    @contextmanager
    def begin(self) -> Iterator[Any]:
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
        of = "" if self.config.cluster == "local" else "_jobs"
        start, adaptive = getattr(_module(module), name), _module("unnp.executors.dask.jobs").AllJobs
        cluster = start(**settings)
        cluster.adapt(Adaptive=adaptive, **{f"minimum{of}": n, f"maximum{of}": n})
        return cluster


def _module(name: str) -> Any:
    """Import a module; Ctrl-C keeps its meaning, which dask_jobqueue would change to an exit without an error."""
    before = signal.getsignal(signal.SIGINT)
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"executor: dask needs {name.replace('_', '-')} ({error}); pip install 'unnp[dask]'."
        ) from None
    finally:
        if signal.getsignal(signal.SIGINT) is not before:
            signal.signal(signal.SIGINT, before)
