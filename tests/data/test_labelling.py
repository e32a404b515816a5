"""Labelling in parallel: nothing finished is lost, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unnp.atoms.structure import Structure
from unnp.data.journal import Journal
from unnp.data.labellers import build_labeller
from unnp.data.labelling import JOURNAL_FILE, label_structures, work_folder
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.data.worker_pool import Failure, run_parallel
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError, UnnpError

Make = Callable[..., list[Structure]]
EMT = {"kind": "ase", "name": "emt"}
EVALUATE = partial(partial, eval)  # workers that compute what the test writes down


def test_labels_are_those_of_the_calculator(make_structures: Make, tmp_path: Path, assert_same: Callable) -> None:
    structures = make_structures(6, labelled=False)
    result = label_structures(structures, EMT, folder=tmp_path, work=tmp_path / "work", workers=2)
    assert not result.failures
    labeller = build_labeller(EMT, tmp_path)
    for structure, labelled in zip(structures, result.structures, strict=True):
        # sums of another process may be in another order
        assert_same(labeller.label(structure), labelled, labels_within=1e-12)
        assert labelled.source == structure.source


def test_a_failure_stops_and_keeps_or_is_left_out(make_structures: Make, tmp_path: Path) -> None:
    structures = make_structures(4, labelled=False, symbols=("Al", "Al", "W", "Al"))
    run = partial(label_structures, structures, EMT, folder=tmp_path, work=tmp_path / "work", workers=1)
    with pytest.raises(DataError, match=r"structure 2 cannot be labelled. file0.xyz frame 2: emt failed"):
        run()
    with Journal(tmp_path / "work" / JOURNAL_FILE, json.loads(_lines(tmp_path)[0])["fingerprint"]) as journal:
        assert {0, 1} <= set(journal.finished)
    result = run(on_failure="skip")
    assert [s.source for s in result.structures] == [structures[k].source for k in (0, 1, 3)]
    assert list(result.failures) == [2]
    with pytest.raises(DataError, match="none of the 1 structures could be labelled"):
        label_structures(structures[2:3], EMT, folder=tmp_path, work=tmp_path / "other", workers=1, on_failure="skip")


def _lines(tmp_path: Path) -> list[str]:
    return (tmp_path / "work" / JOURNAL_FILE).read_text().splitlines()


def test_unfinished_work_of_something_else_is_not_used(make_structures: Make, tmp_path: Path) -> None:
    structures = make_structures(3, labelled=False)
    run = partial(label_structures, folder=tmp_path, work=tmp_path / "work", workers=1)
    run(structures, EMT)
    before = _lines(tmp_path)
    with pytest.raises(DataError, match="holds unfinished work of another configuration"):
        run(structures[:2], EMT)
    with pytest.raises(DataError, match="holds unfinished work of another configuration"):
        run(structures, {"kind": "ase", "name": "lj"})
    assert _lines(tmp_path) == before


def test_wrong_settings_are_found_before_anything_starts(make_structures: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown kind of calculator"):
        label_structures(make_structures(1), {"kind": "x"}, folder=tmp_path, work=tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_journal_drops_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, "f") as journal:
        journal.add(3, {"energy": 0.1})
    whole = path.read_bytes()
    for rest in (b'{"k": 4, "ener', b'{"k": 4, "energy": 1}'):
        path.write_bytes(whole + rest)
        with Journal(path, "f") as journal:
            assert journal.finished == {3: {"energy": 0.1}}
            journal.add(5, {"energy": 0.2})
        with Journal(path, "f") as journal:
            assert journal.finished == {3: {"energy": 0.1}, 5: {"energy": 0.2}}


def test_workers_that_die_cost_one_item_each() -> None:
    deadly = "__import__('os').kill(__import__('os').getpid(), 9)"
    items = [(0, "1 + 1"), (1, deadly), (2, "1 / 0"), (3, "__import__('os')._exit(3)"), (4, "2 + 2"), (5, "3 + 3")]
    results = dict(run_parallel(EVALUATE, items, 2))
    assert [results[k] for k in (0, 4, 5)] == [2, 4, 6]
    assert results[1] == Failure("the process died (signal SIGKILL)")
    assert results[2] == Failure("ZeroDivisionError: division by zero")
    assert results[3] == Failure("the process died (exit code 3)")


def test_workers_that_cannot_start() -> None:
    with pytest.raises(UnnpError, match="unknown ASE calculator 'nothing'"):
        list(run_parallel(partial(build_labeller, {"kind": "ase", "name": "nothing"}, Path()), [(0, 0)], 1))
    with pytest.raises(UnnpError, match=r"a worker did not start: the process died \(exit code 4\)"):
        list(run_parallel(partial(os._exit, 4), [(0, 0)], 1))
    assert list(run_parallel(EVALUATE, [], 2)) == []


def test_workers_use_one_thread_each() -> None:
    results = dict(run_parallel(EVALUATE, [(0, "__import__('os').environ['OMP_NUM_THREADS']")], 1))
    assert results == {0: "1"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_in_the_middle_of_an_item_when_their_parent_is_killed(tmp_path: Path) -> None:
    item = (
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid())) and __import__('time').sleep(600)"
    )
    code = (
        "from functools import partial\n"
        "from unnp.data.worker_pool import run_parallel\n"
        f"list(run_parallel(partial(partial, eval), [(0, {item!r})], 1))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", 240)
    worker = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    wait_until(lambda: is_gone(worker))


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def start_label(folder: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "unnp",
        "data",
        "label",
        "in.xyz",
        "-c",
        "emt.yaml",
        "-o",
        "out.xyz",
        "--workers",
        "1",
    ]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def child_processes(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_kill_minus_9_loses_nothing_finished(make_structures: Make, tmp_path: Path, assert_same: Callable) -> None:
    structures = make_structures(30, labelled=False, repeat=2)
    write_structures(structures, tmp_path / "in.xyz")
    (tmp_path / "emt.yaml").write_text(json.dumps(EMT))
    journal = work_folder(tmp_path / "out.xyz") / JOURNAL_FILE

    def finished() -> int:
        return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0

    first = start_label(tmp_path)
    wait_until(lambda: finished() >= 3 or first.poll() is not None)
    children = child_processes(first.pid)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "out.xyz").exists()
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in children))
    kept = finished()
    assert 3 <= kept < 30
    before = journal.read_bytes()
    with journal.open("ab") as file:
        file.write(b'{"k": 29, "energy": 12')  # what a kill in the middle of a line leaves

    second = start_label(tmp_path)
    output = second.communicate(timeout=120)[0]
    assert second.returncode == 0, output
    assert f"{kept} of 30 were finished before" in output
    assert not journal.exists()
    labeller = build_labeller(EMT, tmp_path)
    results = open_structures(tmp_path / "out.xyz", ReadOptions())
    for structure, result in zip(structures, results, strict=True):
        assert_same(labeller.label(structure), result)
    k, energy = (json.loads(before.splitlines()[1])[key] for key in ("k", "energy"))
    assert results[k].energy == energy
    assert np.isfinite(energy)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_signals_while_workers_start_print_no_traceback_of_a_worker(tmp_path: Path, number: int, delay: float) -> None:
    code = (
        "import sys\nfrom functools import partial\nfrom unnp.data.worker_pool import run_parallel\n"
        "if __name__ == '__main__':\n    print('begins', flush=True)\n    try:\n"
        "        list(run_parallel(partial(eval, 'abs'), [(k, 1) for k in range(4)], 4))\n"
        "    except KeyboardInterrupt:\n        sys.exit(130)\n"
    )
    (tmp_path / "run.py").write_text(code)
    command = [sys.executable, str(tmp_path / "run.py")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors


def test_results_in_a_journal_that_do_not_fit_are_computed_anew(make_structures: Make, tmp_path: Path) -> None:
    structures = make_structures(3, labelled=False)
    run = partial(label_structures, structures, EMT, folder=tmp_path, work=tmp_path / "work", workers=1)
    good = run()
    first, *lines = _lines(tmp_path)
    wrong = [lines[0].replace('"energy"', '"enargy"'), lines[1].replace("[[", "[", 1).replace("]]", "]", 1), lines[2]]
    path = tmp_path / "work/journal.jsonl"
    path.write_text("\n".join([first, *wrong, '{"k": 99}']) + "\n")
    assert [s.energy for s in run().structures] == [s.energy for s in good.structures]


def test_another_file_behind_the_same_settings_is_another_calculator(make_structures: Make, tmp_path: Path) -> None:
    weights = tmp_path / "table"
    weights.write_text("one")
    settings = {"kind": "lammps", "elements": ["Al"], "pair_style": "table linear 9", "pair_coeff": ["* * table A"]}
    run = partial(
        label_structures, make_structures(2, labelled=False), settings, folder=tmp_path, work=tmp_path / "work"
    )
    with pytest.raises(UnnpError):
        run(workers=1)
    first = json.loads(_lines(tmp_path)[0])
    weights.write_text("two")
    with pytest.raises(UnnpError):
        run(workers=1)
    assert json.loads(_lines(tmp_path)[0]) != first
