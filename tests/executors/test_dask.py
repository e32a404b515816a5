"""Dask: all workers are used, whenever they come, one cluster serves a loop, and nothing is left of it."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sessions import members_of_sessions
from unnp.config.kinds import check_kind
from unnp.data.worker_pool import Failure
from unnp.errors import UnnpError
from unnp.executors.base import REGISTRY, Executor, run_tasks

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
jobs = pytest.importorskip("unnp.executors.dask.jobs")
pytestmark = pytest.mark.long

DOCS = Path(__file__).parents[2] / "docs"
EVALUATE = partial(partial, eval)
KILLS = 20
THREADS = {"kind": "dask", "workers": 1, "settings": {"processes": False}}
needs_jobs = pytest.mark.skipif(importlib.util.find_spec("dask_jobqueue") is None, reason="needs dask-jobqueue")


def executor(**settings: Any) -> Executor:
    kind, config = check_kind(REGISTRY, settings, "executor")
    return kind(config)


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_workers_that_come_late_are_all_used(tmp_path: Path) -> None:
    """Each of six tasks waits for the other five, on workers of three threads of which the first comes when tasks are there."""
    all_there = f"len(__import__('os').listdir({str(tmp_path)!r})) == 6"
    meet = f"any({all_there} or __import__('time').sleep(0.1) for _ in range(100))"
    items = [(k, f"open({str(tmp_path / str(k))!r}, 'w').close() or {meet}") for k in range(6)]
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=3, processes=False, dashboard_address=None
    ) as cluster:
        late = threading.Timer(1.5, cluster.scale, [2])
        late.start()
        found = dict(executor(kind="dask", scheduler=cluster.scheduler_address).run(EVALUATE, items))
        late.join()
    assert found == dict.fromkeys(range(6), True)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that gets each cluster that is started."""
    clusters: list[Any] = []
    start = distributed.LocalCluster
    monkeypatch.setattr(distributed, "LocalCluster", lambda **given: clusters.append(start(**given)) or clusters[-1])
    return clusters


def test_one_cluster_serves_a_block(started: list[Any]) -> None:
    with executor(**THREADS) as held:
        assert started == []
        assert dict(run_tasks(held, EVALUATE, [(0, "1 + 1"), (1, "1 / 0")], 3)) == {
            0: 2,
            1: Failure("ZeroDivisionError: division by zero"),
        }
        assert dict(run_tasks(held, EVALUATE, [(0, "3")], 1)) == {0: 3}
        assert len(started) == 1
        assert started[0].status.name == "running"
    assert started[0].status.name == "closed"
    assert dict(run_tasks(held, EVALUATE, [(0, "4")], 1)) == {0: 4}
    assert [cluster.status.name for cluster in started] == ["closed", "closed"]


def test_an_error_ends_the_cluster_and_what_is_given_up_does_not_hold_up_others(started: list[Any]) -> None:
    held = executor(**THREADS)

    def give_up() -> None:
        with held:
            results = held.run(EVALUATE, [(k, "__import__('time').sleep(0.2)") for k in range(50)])
            next(results)
            results.close()
            began = time.monotonic()
            assert dict(held.run(EVALUATE, [(0, "5")])) == {0: 5}
            assert time.monotonic() - began < 5.0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert [cluster.status.name for cluster in started] == ["closed"]


def test_a_cluster_that_is_gone_is_replaced(started: list[Any]) -> None:
    with executor(**THREADS) as held:
        assert dict(run_tasks(held, EVALUATE, [(0, "1")], 1)) == {0: 1}
        started[0].close()
        wait_until(lambda: held.held().status != "running")
        assert dict(run_tasks(held, EVALUATE, [(0, "2")], 1)) == {0: 2}
    assert [cluster.status.name for cluster in started] == ["closed", "closed"]


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


def test_dask_that_cannot_be_reached_is_said() -> None:
    unreachable = executor(kind="dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(UnnpError, match="Dask cannot be started"):
        list(unreachable.run(EVALUATE, [(0, "1")]))


SBATCH = """#!/bin/sh
# a stand-in: what is submitted runs here, in a session of its own, and is written down
cat "$1" >> {folder}/submitted
cp "$1" {folder}/job.$$
setsid sh {folder}/job.$$ > {folder}/out.$$ 2>&1 &
echo "$!" >> {folder}/jobs
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- -"$1"
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of commands that stand in for Slurm's."""
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def on_slurm(folder: Path, jobs: int, processes: int) -> dict[str, Any]:
    """Return the settings on the page, without what only that cluster has."""
    block = (DOCS / "learn.md").read_text(encoding="utf-8").split(":caption: slurm.yaml\n")[1].split("```")[0]
    settings = yaml.safe_load(block)["executor"]
    here = {"interface": None, "job_script_prologue": [], "local_directory": str(folder)}
    here |= {"processes": processes, "cores": processes, "memory": "1GB"}
    return {**settings, "workers": jobs, "settings": {**settings["settings"], **here}}


def jobs_of(folder: Path) -> list[int]:
    """Return the sessions that the jobs have begun."""
    return [int(line) for line in (folder / "jobs").read_text().split()] if (folder / "jobs").exists() else []


@needs_jobs
def test_jobs_of_slurm_compute(slurm: Path) -> None:
    items = [(k, f"(__import__('os').getpid(), {k} ** 2)") for k in range(40)]
    with executor(**on_slurm(slurm, 2, 1)) as held:
        for _ in range(2):
            found = dict(run_tasks(held, EVALUATE, items, 3))
            assert {k: square for k, (_, square) in found.items()} == {k: k**2 for k in range(40)}
            assert os.getpid() not in {pid for pid, _ in found.values()}
    submitted = (slurm / "submitted").read_text()
    assert submitted.count("#SBATCH -p long") == 2
    assert "#SBATCH -t 24:00:00" in submitted
    wait_until(lambda: not members_of_sessions(jobs_of(slurm)))


@needs_jobs
@pytest.mark.parametrize("processes", [1, 2])
def test_a_job_that_ends_is_begun_anew(processes: int, slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is killed with its workers, as at its walltime, while one of them computes."""
    monkeypatch.setattr(jobs, "SECONDS_LOST", 1.0)
    again = f"__import__('os').path.exists({str(slurm / 'begun')!r})"
    once = f"7 if {again} else (open({str(slurm / 'begun')!r}, 'w').close(), __import__('time').sleep(600))"

    def kill() -> None:
        wait_until(lambda: (slurm / "begun").exists())
        os.killpg(jobs_of(slurm)[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}):  # where Dask itself does it
        found = dict(run_tasks(executor(**on_slurm(slurm, 1, processes)), EVALUATE, [(0, once)], 1))
    killer.join()
    assert found == {0: 7}
    assert len(jobs_of(slurm)) == 2
    wait_until(lambda: not members_of_sessions(jobs_of(slurm)))


HOLDS = """
import sys, json
from functools import partial
from unnp.config.kinds import check_kind
from unnp.executors.base import REGISTRY, run_tasks
from unnp.train.signals import stopped_by_signals
kind, config = check_kind(REGISTRY, json.loads(sys.argv[1]), "executor")
if __name__ == "__main__":
    try:
        with stopped_by_signals(), kind(config) as held:
            list(run_tasks(held, partial(partial, eval), [(k, sys.argv[2]) for k in range(4)], 1))
    except KeyboardInterrupt:
        sys.exit(75)
"""


@needs_jobs
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("cluster", ["local", "slurm"])
def test_nothing_is_left_of_a_loop_that_is_stopped(cluster: str, number: signal.Signals, slurm: Path) -> None:
    """Ctrl-C reaches the whole group, as from a terminal; jobs of one that is killed end as soon as they miss it."""
    settings = {"kind": "dask"} if cluster == "local" else on_slurm(slurm, 2, 2)
    if cluster == "slurm":
        settings["settings"]["death_timeout"] = 60
    begun = f"open({str(slurm / 'begun.')!r} + str(__import__('os').getpid()), 'w').close()"
    (slurm / "holds.py").write_text(HOLDS)
    command = [sys.executable, "holds.py", json.dumps(settings), f"{begun} or __import__('time').sleep(600)"]
    with (slurm / "printed").open("w") as file:
        loop = subprocess.Popen(command, cwd=slurm, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until(lambda: len(list(slurm.glob("begun.*"))) >= 2 or loop.poll() is not None)
        sessions = [loop.pid, *jobs_of(slurm)]
        assert len(members_of_sessions(sessions)) >= 3
        (os.killpg if number == signal.SIGINT else os.kill)(loop.pid, number)
        assert loop.wait(60) == (-number if number == signal.SIGKILL else 75), (slurm / "printed").read_text()
        wait_until(lambda: not members_of_sessions(sessions), 180)
    finally:
        loop.kill()
