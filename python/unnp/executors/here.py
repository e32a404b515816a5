"""One thing after the other, in this very process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from unnp.config import Config
from unnp.data.worker_pool import Failure, StoppedError
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
        if not waiting:
            return
        compute = _started(start)
        for k, item in waiting:
            try:
                outcome = compute(item)
            except StoppedError:  # of the loop itself, not of the item
                raise
            except Exception as error:
                outcome = Failure.of(error)
            yield k, outcome


def _started(start: Start) -> Callable[[Any], Any]:
    try:
        return start()
    except (UnnpError, StoppedError):
        raise
    except Exception as error:
        raise UnnpError(Failure.of(error).message) from error
