"""Tasks: each is done, whatever is lost on the way, and no result is lost or doubled."""

import importlib.util
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from unnp.config import Config
from unnp.config.kinds import check_kind
from unnp.data.worker_pool import Failure
from unnp.errors import ConfigError, UnnpError
from unnp.executors.base import REGISTRY, Executor, run_tasks
from unnp.executors.futures import Futures
from unnp.executors.here import Here, HereConfig

pytestmark = pytest.mark.long

DOCS = Path(__file__).parents[2] / "docs"
EVALUATE = partial(partial, eval)
KILLS = 20
needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs distributed")


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


@needs_dask
@pytest.mark.slow
def test_workers_of_dask_that_are_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    """1,000 tasks that write down who does them; workers are killed at random all the time."""
    who = f"open({str(tmp_path / 'pids')!r}, 'a').write(str(__import__('os').getpid()) + chr(10))"
    items = [(k, f"(__import__('time').sleep(0.02), {who}, {k} ** 2)[2]") for k in range(1000)]
    stop, killed = threading.Event(), set()

    def kill_now_and_then() -> None:
        chance = random.Random(0)
        while len(killed) < KILLS and not stop.wait(chance.uniform(2.0, 6.0)):
            pids = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
            alive = [
                pid for pid in {int(p) for p in pids[-40:]} - killed - {os.getpid()} if Path(f"/proc/{pid}").exists()
            ]
            if alive:
                victim = chance.choice(alive)
                killed.add(victim)
                os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        found = list(run_tasks(executor(kind="dask", workers=2), EVALUATE, items, 5))
    finally:
        stop.set()
        killer.join()
    assert killed
    assert len(found) == 1000
    assert dict(found) == {k: k**2 for k in range(1000)}
    time.sleep(1.0)
    assert not [
        pid for pid in killed if Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_text()
    ]


SBATCH = """#!/bin/sh
# a stand-in: what is submitted runs here, and writes down that it did
cat "$1" >> {folder}/submitted
setsid sh "$1" > {folder}/out.$$ 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- -"$1"
"""


@needs_dask
@pytest.mark.skipif(importlib.util.find_spec("dask_jobqueue") is None, reason="needs dask-jobqueue")
def test_jobs_of_slurm_compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings on the page, without what only that cluster has, with commands that stand in for Slurm's."""
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    block = (DOCS / "learn.md").read_text(encoding="utf-8").split(":caption: slurm.yaml\n")[1].split("```")[0]
    settings = yaml.safe_load(block)["executor"]
    here = {"interface": None, "job_script_prologue": [], "local_directory": str(tmp_path), "processes": 1, "cores": 1}
    settings |= {"workers": 2, "settings": {**settings["settings"], **here, "memory": "1GB"}}
    items = [(k, f"(__import__('os').getpid(), {k} ** 2)") for k in range(40)]
    found = dict(run_tasks(executor(**settings), EVALUATE, items, 3))
    assert {k: square for k, (_, square) in found.items()} == {k: k**2 for k in range(40)}
    assert os.getpid() not in {pid for pid, _ in found.values()}
    submitted = (tmp_path / "submitted").read_text()
    assert submitted.count("#SBATCH -p long") >= 2
    assert "#SBATCH -t 24:00:00" in submitted


@needs_dask
def test_dask_that_cannot_be_reached_is_said() -> None:
    unreachable = executor(kind="dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(UnnpError, match="Dask cannot be started"):
        list(unreachable.run(EVALUATE, [(0, "1")]))


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
