"""Full and read-only disks, second writers and damaged stores: one line is said, nothing half-written stays."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from unnp.atoms.structure import Structure
from unnp.data import splits, store_writer
from unnp.data.journal import Journal
from unnp.data.opening import open_structures
from unnp.data.splits import write_split
from unnp.data.store_checks import file_checksum, index_checksum
from unnp.data.store_writer import write_store
from unnp.data.writing import write_structures
from unnp.errors import DataError, UnnpError
from unnp.files.locks import hold_output

Make = Callable[..., list[Structure]]


def full(*arguments: object) -> None:
    raise OSError(28, os.strerror(28))


def test_store_on_a_full_disk(make_structures: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_store(make_structures(2), tmp_path / "old")
    with monkeypatch.context() as patch:
        patch.setattr(store_writer, "_sync", full)
        for name, overwrite in (("new", False), ("old", True)):
            with pytest.raises(UnnpError, match=f"cannot write .*{name}: No space left on device"):
                write_store(make_structures(3), tmp_path / name, overwrite=overwrite)
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert len(open_structures(tmp_path / "old")) == 2
    assert len(write_store(make_structures(3), tmp_path / "new")) == 3


@pytest.mark.parametrize("suffix", ["", ".xyz"])
def test_split_leaves_all_parts_or_none(
    make_structures: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    arguments = (make_structures(10), {"train": 0.8, "test": "rest"}, tmp_path / "parts")
    calls = []

    def second_fails(new: Path, path: Path) -> None:
        calls.append(path)
        full() if len(calls) == 2 else store_writer.put_in_place(new, path)

    with monkeypatch.context() as patch:
        patch.setattr(splits, "put_in_place", second_fails)
        with pytest.raises(UnnpError, match="No space left on device"):
            write_split(*arguments, seed=1, suffix=suffix)  # type: ignore[arg-type]
    assert not list((tmp_path / "parts").iterdir())
    assert set(write_split(*arguments, seed=1, suffix=suffix)) == {"train", "test"}  # type: ignore[arg-type]


def test_journal_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnnpError, match=r"cannot write .*j: No space left"), Journal(tmp_path / "j", "f") as journal:
        journal.add(0, {"energy": 1.0})


@pytest.mark.parametrize("name", ["set", "set.xyz"])
def test_second_writer_is_refused(make_structures: Make, tmp_path: Path, name: str) -> None:
    pid = os.fork()
    if pid == 0:
        with hold_output(tmp_path / name):
            (tmp_path / "ready").touch()
            while not (tmp_path / "stop").exists():
                pass
        os._exit(0)
    while not (tmp_path / "ready").exists():
        pass
    try:
        with pytest.raises(UnnpError, match=f"still going on that writes .*{name}"):
            write_structures(make_structures(2), tmp_path / name)
    finally:
        (tmp_path / "stop").touch()
        os.waitpid(pid, 0)
    write_structures(make_structures(2), tmp_path / name)


def test_every_flipped_byte_is_noticed_where_a_store_is_opened(make_structures: Make, tmp_path: Path) -> None:
    write_store(make_structures(4), tmp_path / "set")
    rng = np.random.default_rng(0)
    for path in sorted((tmp_path / "set").iterdir()):
        content = path.read_bytes()
        for k in [*range(0, min(len(content), 120), 3), *rng.integers(0, len(content), 20)]:
            damaged = bytearray(content)
            damaged[k] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            if path.name == "dataset.json":  # blanks of JSON mean nothing
                with contextlib.suppress(DataError):
                    assert len(open_structures(tmp_path / "set")) == 4
                continue
            with pytest.raises(DataError) as caught:
                open_structures(tmp_path / "set")
            assert "\n" not in str(caught.value)
        path.write_bytes(content)
    assert len(open_structures(tmp_path / "set")) == 4


@pytest.mark.parametrize("value", [np.inf, 1e300])
def test_labels_that_cannot_be(make_structures: Make, tmp_path: Path, value: float) -> None:
    write_store(make_structures(4), tmp_path / "set")
    energies, index = tmp_path / "set/energy.npy", tmp_path / "set/dataset.json"
    values = np.load(energies)
    values[2] = value
    np.save(energies, values)
    entries = json.loads(index.read_text())
    entries["arrays"]["energy"]["sha256"] = file_checksum(energies)
    index.write_text(json.dumps({**entries, "sha256": index_checksum(entries)}))
    with pytest.raises(DataError, match=r"energy.npy holds .* in row 2, which cannot be"):
        open_structures(tmp_path / "set")


@pytest.mark.parametrize("n", [-1, 0, True, "4", 1e3])
def test_absurd_number_of_structures(make_structures: Make, tmp_path: Path, n: object) -> None:
    write_store(make_structures(4), tmp_path / "set")
    index = tmp_path / "set/dataset.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "n_structures": n}))
    with pytest.raises(DataError, match="n_structures"):
        open_structures(tmp_path / "set")
