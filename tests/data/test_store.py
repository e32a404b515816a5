"""The stored form: nothing changes on the way through it, and damage is noticed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.data.statistics import statistics
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.data.writing import write_structures
from unnp.errors import DataError

Make = Callable[..., list[Structure]]
ALLOW = ReadOptions(missing="allow")


@pytest.fixture
def mixed(make_structures: Make) -> list[Structure]:
    """Structures of different sizes, some without labels, periodicity, group or ASCII names."""
    structures = make_structures(6) + make_structures(2, labelled=False, repeat=2)
    structures[1].stress = None
    structures[2].forces = None
    structures[3].group = "Grüße aus dem Öl"
    structures[4].pbc = np.array([True, False, True])
    structures[5].group = ""
    structures[6].cell, structures[6].pbc = np.zeros((3, 3)), np.zeros(3, dtype=bool)
    return structures


def test_round_trip(tmp_path: Path, mixed: list[Structure], assert_same: Callable) -> None:
    store = write_store(mixed, tmp_path / "set")
    assert len(store) == len(mixed)
    for a, b in zip(mixed, store, strict=True):
        assert_same(a, b)
        assert a.source == b.source
    assert_same(store[-1], mixed[-1])
    assert_same(store[2:4][1], mixed[3])
    np.testing.assert_array_equal(store.n_atoms, [len(s) for s in mixed])
    assert store.group_names == [s.group for s in mixed]
    assert store.statistics == statistics(mixed)
    store.verify()
    with pytest.raises(IndexError):
        store[len(mixed)]


def test_extxyz_round_trip(tmp_path: Path, mixed: list[Structure], assert_same: Callable) -> None:
    for name in ("a.xyz", "b.extxyz.gz"):
        write_structures(mixed, tmp_path / name)
        for a, b in zip(mixed, open_structures(tmp_path / name, ALLOW), strict=True):
            assert_same(a, b)


def test_store_is_memory_mapped(tmp_path: Path, mixed: list[Structure]) -> None:
    store = write_store(mixed, tmp_path / "set")
    assert isinstance(store._arrays["positions"], np.memmap)
    store[0].positions[:] = 0  # a copy, not the file
    assert Store(tmp_path / "set")[0].positions.any()


def test_several_paths_are_one_sequence(tmp_path: Path, make_structures: Make, assert_same: Callable) -> None:
    structures = make_structures(7)
    write_store(structures[:4], tmp_path / "set")
    write_structures(structures[4:], tmp_path / "more.xyz")
    together = open_structures([tmp_path / "set", tmp_path / "more.xyz"])
    assert len(together) == 7
    for k in range(-7, 7):
        assert_same(together[k], structures[k])
    assert [s.group for s in together[3:5]] == ["group0", "group1"]
    assert list(together.n_atoms) == [4] * 7  # type: ignore[attr-defined]


def test_labels_of_a_store_are_checked(tmp_path: Path, make_structures: Make) -> None:
    structures = make_structures(4)
    structures[3].stress = None
    write_store(structures, tmp_path / "mixed")
    structures[2].energy = None
    write_store(structures, tmp_path / "set")
    with pytest.raises(DataError, match=r"structure 2 \(file0.xyz frame 2\) has no energy"):
        open_structures(tmp_path / "set")
    with pytest.raises(DataError, match=r"mixed labels: .*structure 0 has stress, .*structure 3 has not"):
        open_structures(tmp_path / "mixed", ReadOptions(required=("forces",)))
    assert len(open_structures(tmp_path / "set", ALLOW)) == 4


def test_nothing_is_overwritten_by_accident(tmp_path: Path, make_structures: Make) -> None:
    structures = make_structures(3)
    write_store(structures, tmp_path / "set")
    with pytest.raises(DataError, match="exists"):
        write_store(structures, tmp_path / "set")
    assert len(write_store(structures[:2], tmp_path / "set", overwrite=True)) == 2
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="no stored data set"):
        write_store(structures, tmp_path / "folder", overwrite=True)
    with pytest.raises(DataError, match=r"'\.csv' cannot be written"):
        write_structures(structures, tmp_path / "a.csv")
    with pytest.raises(DataError, match="no structures to write"):
        write_store([], tmp_path / "empty")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "set"]


def test_a_failed_write_leaves_the_old_set_alone(tmp_path: Path, make_structures: Make) -> None:
    structures = make_structures(3)
    write_store(structures, tmp_path / "set")

    def interrupted() -> Iterator[Structure]:
        yield structures[0]
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_store(interrupted(), tmp_path / "set", overwrite=True)
    assert len(Store(tmp_path / "set", verify=True)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def drop(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:-n_bytes])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "array missing": (lambda p: (p / "forces.npy").unlink(), "cannot open .*forces.npy"),
    "array cut": (lambda p: drop(p / "positions.npy", 8), "cannot open .*positions.npy"),
    "other array": (lambda p: np.save(p / "energy.npy", np.zeros(2)), "energy.npy holds"),
    "other type": (lambda p: np.save(p / "energy.npy", np.zeros(4, dtype=np.float32)), "energy.npy holds"),
    "no numbers": (lambda p: (p / "cell.npy").write_bytes(b"garbage"), "cannot open .*cell.npy"),
    "pickled": (lambda p: np.save(p / "pbc.npy", np.array([{}]), allow_pickle=True), "cannot open .*pbc.npy"),
    "offsets": (lambda p: np.save(p / "offsets.npy", np.array([0, 4, 2, 12, 16])), "offsets.npy does not fit"),
    "no JSON": (lambda p: (p / "dataset.json").write_text("{"), "is damaged"),
    "other JSON": (lambda p: (p / "dataset.json").write_text("[1]"), "does not describe a data set"),
    "newer version": (lambda p: change(p / "dataset.json", version=99), "format version 99, this unnp reads 2"),
    "no arrays": (lambda p: change(p / "dataset.json", arrays=None), "is damaged"),
    "no index": (lambda p: (p / "dataset.json").unlink(), "cannot read dataset.json"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_noticed(tmp_path: Path, make_structures: Make, name: str) -> None:
    write_store(make_structures(4), tmp_path / "set")
    damage, message = DAMAGE[name]
    damage(tmp_path / "set")
    with pytest.raises(DataError, match=message):
        Store(tmp_path / "set")


def test_changed_numbers_are_noticed_when_asked(tmp_path: Path, make_structures: Make) -> None:
    write_store(make_structures(4), tmp_path / "set")
    path = tmp_path / "set/forces.npy"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    Store(tmp_path / "set")
    with pytest.raises(DataError, match=r"forces.npy has changed"):
        Store(tmp_path / "set", verify=True)


def test_missing_group_is_noticed(tmp_path: Path, make_structures: Make) -> None:
    write_store(make_structures(4), tmp_path / "set")
    change(tmp_path / "set/dataset.json", groups=["group0"])
    with pytest.raises(DataError, match="structure 1 has group 1 of 1"):
        Store(tmp_path / "set")[1]
    assert is_store(tmp_path / "set")
