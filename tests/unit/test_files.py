"""Writing: whole or not at all, errors in one line, nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from unnp.errors import UnnpError
from unnp.files.writing import copy_file, keep_as, make_folder, temporary_beside, write_atomically

FULL = Path("/dev/full")


def full(file):
    raise OSError(28, os.strerror(28))


def dead_process() -> int:
    return int(subprocess.check_output([sys.executable, "-c", "import os; print(os.getpid())"]))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "old")
    with pytest.raises(UnnpError, match=r"cannot write .*a\.txt: No space left on device"):
        write_atomically(path, full)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("write", [lambda p: write_atomically(p, b"x"), make_folder])
def test_below_a_file(tmp_path, write):
    (tmp_path / "file").touch()
    with pytest.raises(UnnpError, match=r"cannot write .*below: Not a directory"):
        write(tmp_path / "file" / "below")


def test_copies_are_whole_and_a_missing_source_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    copy_file(tmp_path / "a", tmp_path / "b")
    copy_file(tmp_path / "b", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"content"
    with pytest.raises(UnnpError, match=r"cannot read .*missing: No such file"):
        copy_file(tmp_path / "missing", tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_second_name_cannot_be_written(tmp_path):
    (tmp_path / "last").write_bytes(b"1")
    with pytest.raises(UnnpError, match="cannot write"):
        keep_as(tmp_path / "last", tmp_path / "missing" / "previous")
    keep_as(tmp_path / "absent", tmp_path / "previous")
    assert not (tmp_path / "previous").exists()


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path):
    path = tmp_path / "a.txt"
    with temporary_beside(path) as mine:
        mine.touch()
        start = mine.name.removesuffix(f"{os.getpid()}.part")
        left, folder, alive = (
            tmp_path / f"{start}{end}.part" for end in (dead_process(), dead_process(), os.getppid())
        )
        left.touch()
        folder.unlink(missing_ok=True)
        alive.touch()
    write_atomically(path, "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a.txt", alive.name])


def test_a_left_folder_is_removed_too(tmp_path):
    path = tmp_path / "store"
    with temporary_beside(path) as mine:
        start = mine.name.removesuffix(f"{os.getpid()}.part")
    left = tmp_path / f"{start}{dead_process()}.part"
    left.mkdir()
    (left / "energy.npy").touch()
    with temporary_beside(path):
        assert not left.exists()
