"""Tasks: each is done, whatever is lost on the way, and no result is lost or doubled."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from unnp.config import Config
from unnp.config.kinds import check_kind
from unnp.data.worker_pool import Failure, StoppedError
from unnp.errors import ConfigError, UnnpError
from unnp.executors.base import REGISTRY, Executor, run_tasks
from unnp.executors.futures import Futures
from unnp.executors.here import Here, HereConfig

pytestmark = pytest.mark.long

EVALUATE = partial(partial, eval)


def executor(**settings: Any) -> Executor:
    kind, config = check_kind(REGISTRY, settings, "executor")
    return kind(config)


class Threads(Futures):
    """The executor of another package: threads."""

    Config = Config

    @contextmanager
    def pool(self) -> Iterator[Pool]:
        with ThreadPoolExecutor(2) as pool:
            yield pool


def _count_up(folder: Path) -> Callable[[str], int]:
    return partial(_try, folder)


def _try(folder: Path, item: str) -> int:
    tries = 1 + len(list(folder.glob(f"{item}.*")))
    (folder / f"{item}.{tries}").touch()
    if item == "never" or (item == "later" and tries < 3):
        raise UnnpError(f"{item} at try {tries}")
    return tries


@pytest.mark.parametrize("kind", [Here(HereConfig()), Threads(Config())], ids=["here", "threads"])
def test_what_fails_is_tried_again_behind_the_others(kind: Executor, tmp_path: Path) -> None:
    items = list(enumerate(["later", "works", "never"]))
    found = list(run_tasks(kind, partial(_count_up, tmp_path), items, 3))
    assert found[0] == (1, 1)
    assert dict(found) == {0: 3, 1: 1, 2: Failure("never at try 3")}
    assert list(run_tasks(kind, partial(_count_up, tmp_path), [], 3)) == []


def test_a_process_that_dies_loses_no_other_result(tmp_path: Path) -> None:
    once = f"(p := __import__('pathlib').Path({str(tmp_path / 'once')!r})).exists() or (p.touch(), __import__('os')._exit(9))"
    found = dict(run_tasks(executor(kind="processes", workers=1), EVALUATE, [(0, once), (1, "1 + 1")], 2))
    assert found == {0: True, 1: 2}


@pytest.mark.parametrize(
    "kind",
    [executor(kind="here"), executor(kind="processes", workers=1), Threads(Config())],
    ids=lambda e: type(e).__name__,
)
def test_whatever_an_item_raises_is_its_failure(kind: Executor) -> None:
    """As memory of a GPU that is not enough, which torch says in several lines."""
    error = "(_ for _ in ()).throw(RuntimeError('CUDA out of memory.' + chr(10) + 'Tried to allocate 2 GiB'))"
    found = dict(run_tasks(kind, EVALUATE, [(0, error), (1, "1 + 1")], 2))
    assert found == {0: Failure("RuntimeError: CUDA out of memory.\\nTried to allocate 2 GiB"), 1: 2}


@pytest.mark.parametrize("kind", ["here", "processes"])
def test_what_cannot_start_is_said(kind: str) -> None:
    with pytest.raises(UnnpError, match=r"^RuntimeError: no \(device\)$"):
        list(executor(kind=kind).run(partial(exec, "raise RuntimeError('no (device)')"), [(0, "1")]))


def test_a_loop_that_is_asked_to_stop_stops() -> None:
    def stop(_: Any) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        list(run_tasks(executor(kind="here"), lambda: stop, [(0, "1")], 3))


class Counted(Futures):
    """The executor of another package: a pool that takes long to begin."""

    Config = Config
    pools = 0
    left = 0

    @contextmanager
    def pool(self) -> Iterator[Pool]:
        self.pools += 1
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool
        self.left += 1


def test_one_pool_serves_a_block_until_it_breaks() -> None:
    with Counted(Config()) as held:
        assert held.pools == 0
        assert dict(run_tasks(held, EVALUATE, [(0, "1 + 1"), (1, "1 / 0")], 2)).keys() == {0, 1}
        assert dict(run_tasks(held, EVALUATE, [(0, "3")], 1)) == {0: 3}
        assert (held.pools, held.left) == (1, 0)
        broken = dict(run_tasks(held, EVALUATE, [(0, "__import__('os')._exit(9)"), (1, "1 + 1")], 1))
        assert "BrokenProcessPool" in broken[0].message
        assert dict(run_tasks(held, EVALUATE, [(0, "4")], 1)) == {0: 4}
        assert (held.pools, held.left) == (2, 1)
    assert (held.pools, held.left) == (2, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "dusk"}, "unknown executor 'dusk'; allowed: dask, here, processes"),
        ({"kind": "processes", "workers": 0}, "greater than or equal to 1|greater than 0"),
        ({"kind": "dask", "scheduler": "tcp://a:1", "cluster": "slurm"}, "`scheduler` is one that runs"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        executor(**settings)
