"""Locks: one process at a time, who holds it is said, and the end of a process frees it."""

import subprocess
import sys

import pytest
from unnp.errors import UnnpError
from unnp.files.locks import hold_folder, hold_output

HOLD = """
import sys, time
from unnp.files.writing import locks
with getattr(locks, sys.argv[1])(sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Start a process that holds a lock; it is killed at the end."""
    started = []

    def start(kind, path):
        process = subprocess.Popen([sys.executable, "-c", HOLD, kind, str(path)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("kind", "hold"), [("hold_folder", hold_folder), ("hold_output", hold_output)])
def test_the_second_is_refused_with_the_name_of_the_first_until_that_is_killed(tmp_path, holder, kind, hold):
    path = tmp_path / "run"
    first = holder(kind, path)
    with (
        pytest.raises(UnnpError, match=rf"another run is still going on .*process {first.pid} on .*wait for it"),
        hold(path),
    ):
        pass
    first.kill()
    first.wait()
    with hold(path):
        pass


def test_the_same_process_takes_it_again_and_holds_it_to_the_last(tmp_path, holder):
    with hold_folder(tmp_path) as outer:
        with hold_folder(tmp_path / "."):
            assert outer.depth == 2
        assert refused_elsewhere(tmp_path)
    assert not refused_elsewhere(tmp_path)


def refused_elsewhere(path) -> bool:
    code = f"from unnp.files.locks import hold_folder\nwith hold_folder({str(path)!r}): pass"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode != 0


def test_a_child_that_inherits_it_holds_it_and_is_named(tmp_path):
    with hold_folder(tmp_path) as lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(lock.descriptor,))
        lock.add_holder(child.pid, "lmp -in in.lammps")
    try:
        with pytest.raises(UnnpError, match=rf"process {child.pid} on .*: lmp -in in\.lammps"), hold_folder(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()
    with hold_folder(tmp_path):
        pass


def test_the_lock_of_an_output_leaves_no_file_and_two_never_hold_it(tmp_path):
    output = tmp_path / "model.pt"
    count = tmp_path / "count"
    count.write_text("0")
    code = f"""
import time
from pathlib import Path
from unnp.errors import UnnpError
from unnp.files.locks import hold_output
count = Path({str(count)!r})
done = 0
while done < 100:
    try:
        with hold_output({str(output)!r}):
            n = int(count.read_text())
            count.write_text(str(n + 1))
            done += 1
    except UnnpError:
        time.sleep(0.0001)
"""
    workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert count.read_text() == "300"
    assert [p.name for p in tmp_path.iterdir()] == ["count"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnnpError, match="cannot write"), hold_folder(tmp_path / "file" / "run"):
        pass


def test_a_folder_that_got_nothing_goes_with_its_lock(tmp_path):
    with hold_folder(tmp_path / "new"), hold_folder(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()
    with hold_folder(tmp_path / "used"):
        (tmp_path / "used/file").touch()
    (tmp_path / "old").mkdir()
    with hold_folder(tmp_path / "old"):
        pass
    assert (tmp_path / "used/file").exists()
    assert (tmp_path / "old").is_dir()
