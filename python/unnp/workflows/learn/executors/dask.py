"""Dask: processes of many machines, of a batch system, or of a scheduler that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor as Pool
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, Literal

from pydantic import Field, JsonValue, PositiveInt, model_validator

from unnp.config import Config
from unnp.config.texts import Line
from unnp.errors import ConfigError, UnnpError, in_one_line
from unnp.workflows.learn.executors.base import register
from unnp.workflows.learn.executors.futures import Futures

CLUSTERS = {
    "local": ("distributed", "LocalCluster"),
    "slurm": ("dask_jobqueue", "SLURMCluster"),
    "pbs": ("dask_jobqueue", "PBSCluster"),
}


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
class Dask(Futures):
    """Computes with Dask. A worker that is lost costs what it was computing, and Dask gives that to another one."""

    Config = DaskConfig

    @contextmanager
    def pool(self) -> Iterator[Pool]:
        """Connect to the scheduler, or start a cluster, and take it down at the end."""
        distributed = _module("distributed")
        with ExitStack() as stack:
            try:
                address = self.config.scheduler or stack.enter_context(self._cluster())
                client = stack.enter_context(distributed.Client(address))
            except (OSError, ValueError, TypeError, RuntimeError) as error:
                raise UnnpError(f"executor: Dask cannot be started ({in_one_line(error)}).") from None
            yield client.get_executor(pure=False)

    def _cluster(self) -> Any:
        module, name = CLUSTERS[self.config.cluster]
        settings = dict(self.config.settings)
        if self.config.cluster == "local":
            settings = {
                "threads_per_worker": 1,
                "dashboard_address": None,
                "n_workers": self.config.workers,
                **settings,
            }
            return getattr(_module(module), name)(**settings)
        cluster = getattr(_module(module), name)(**settings)
        cluster.scale(jobs=self.config.workers)
        return cluster


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"executor: dask needs {name.replace('_', '-')} ({error}); pip install 'unnp[dask]'."
        ) from None
