"""Jobs of a batch system as workers of Dask: one that has ended is begun anew."""

from __future__ import annotations

from time import monotonic
from typing import Any

from distributed import Adaptive

SECONDS_LOST = 15.0
"""How long all workers of a job have to be away: Dask waits as long for a job of one worker."""


class AllJobs(Adaptive):
    """Keeps the number of jobs, also of jobs with several workers.

    Dask alone begins a job anew whose name is that of a worker that is lost; where a job has several, none is called as the
    job is, and it would be missing for good. It is for Dask to ask, about once a second.
    """

    cluster: Any

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._came: set[str] = set()
        self._away: dict[str, float] = {}

    async def recommendations(self, target: int) -> dict[str, Any]:
        """Give up the jobs that have ended; what Dask then finds missing it begins."""
        for name in self._lost():
            self._came.discard(name)
            del self._away[name]
            if job := self.cluster.workers.pop(name, None):
                await job.close()
        return dict(await super().recommendations(target))

    def _lost(self) -> list[str]:
        """Return the jobs whose workers came, and all have been away for long."""
        now, present = monotonic(), self.cluster.observed
        for name, job in self.cluster.worker_spec.items():
            if any(f"{name}{suffix}" in present for suffix in job.get("group", [])):
                self._came.add(name)
                self._away.pop(name, None)
            elif name in self._came:
                self._away.setdefault(name, now)
        return [name for name, since in self._away.items() if now - since >= SECONDS_LOST]
