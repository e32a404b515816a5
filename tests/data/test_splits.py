"""Splits are disjoint, complete, of the right size, deterministic, and keep together what belongs together."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.data.splits import parse_parts, source_file, split, split_by_key, write_split
from unnp.errors import ConfigError

Make = Callable[..., list[Structure]]


@given(n=st.integers(10, 200), seed=st.integers(0, 2**31), fraction=st.floats(0.2, 0.6), strata=st.integers(1, 5))
def test_parts_are_disjoint_complete_and_repeatable(n: int, seed: int, fraction: float, strata: int) -> None:
    parts = {"train": "rest", "test": fraction}
    words = [f"s{k % strata}" for k in range(n)]
    result = split_by_key(range(n), parts, seed=seed, strata=words)  # type: ignore[arg-type]
    assert sorted(result["train"] + result["test"]) == list(range(n))
    assert len(result["test"]) == int(fraction * n + 1e-9)
    assert result == split_by_key(range(n), parts, seed=seed, strata=words)  # type: ignore[arg-type]
    share = Counter(words[k] for k in result["test"])
    for word, total in Counter(words).items():
        assert abs(share[word] - fraction * total) <= 2


@given(keys=st.lists(st.integers(0, 12), min_size=30, max_size=120), seed=st.integers(0, 1000))
def test_equal_keys_stay_together(keys: list[int], seed: int) -> None:
    if len(set(keys)) < 6:
        return
    result = split_by_key(keys, {"a": 0.5, "b": 0.5}, seed=seed)
    assert sorted(result["a"] + result["b"]) == list(range(len(keys)))
    assert not {keys[k] for k in result["a"]} & {keys[k] for k in result["b"]}
    assert abs(len(result["a"]) - len(keys) / 2) <= max(Counter(keys).values())


def test_another_seed_gives_other_parts() -> None:
    parts = {"a": 0.5, "b": 0.5}
    assert split_by_key(range(50), parts, seed=0) != split_by_key(range(50), parts, seed=1)


def test_counts_fractions_and_rest() -> None:
    sizes = {name: len(k) for name, k in split_by_key(range(101), {"a": 7, "b": 0.25, "c": "rest"}, seed=3).items()}
    assert sizes == {"a": 7, "b": 25, "c": 69}
    thirds = split_by_key(range(100), {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, seed=3)
    assert sorted(len(k) for k in thirds.values()) == [33, 33, 34]


def test_keeping_sources_and_groups_together(make_structures: Make) -> None:
    structures = make_structures(30)
    by_source = split(structures, {"a": 0.5, "b": 0.5}, seed=0, keep_together="source")
    files = [{source_file(structures[k].source) for k in part} for part in by_source.values()]
    assert len(files[0] | files[1]) == 6
    assert not files[0] & files[1]
    by_group = split(structures, {"a": 0.6, "b": "rest"}, seed=0, keep_together="group")
    groups = [{structures[k].group for k in part} for part in by_group.values()]
    assert not groups[0] & groups[1]


def test_stratified(make_structures: Make) -> None:
    structures = make_structures(30)
    result = split(structures, {"a": 0.8, "b": 0.2}, seed=0, stratify=True)
    assert Counter(structures[k].group for k in result["b"]) == {"group0": 2, "group1": 2, "group2": 2}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a": 0.5, "b": 0.4}, "add up to 9 of 10"),
        ({"a": 8, "b": 4}, "add up to 12 of 10"),
        ({"a": "rest", "b": "rest"}, "'rest' at most once"),
        ({}, "at least one part"),
        ({"a": 1.5, "b": "rest"}, "fraction up to 1"),
        ({"a": 0, "b": "rest"}, "a number from 1"),
        ({"a": True, "b": "rest"}, "a number from 1"),
        ({"a": 0.01, "b": "rest"}, "nothing is left for a"),
        ({"a": 10, "b": "rest"}, "nothing is left for b"),
    ],
)
def test_sizes_that_do_not_fit(parts: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split_by_key(range(10), parts, seed=0)


def test_parts_in_words() -> None:
    assert parse_parts("train=0.8, test=30,valid=rest") == {"train": 0.8, "test": 30, "valid": "rest"}
    for text, message in [
        ("train", "name=size"),
        ("a=x", "must be a fraction"),
        ("a=1,a=2", "twice"),
        ("/x=1", "name=size"),
    ]:
        with pytest.raises(ConfigError, match=message):
            parse_parts(text)


def test_written_parts(tmp_path: Path, make_structures: Make, assert_same: Callable) -> None:
    structures = make_structures(10)
    indices = write_split(structures, {"a": 0.7, "b": "rest"}, tmp_path, seed=1, suffix=".xyz")
    for name, part in indices.items():
        for k, structure in zip(part, open_structures(tmp_path / f"{name}.xyz"), strict=True):
            assert_same(structure, structures[k])
    assert (tmp_path / "split.json").is_file()
    with pytest.raises(ConfigError, match=r"unknown keep-together 'sources'.*Did you mean 'source'"):
        write_split(structures, {"a": "rest"}, tmp_path / "c", seed=1, keep_together="sources")
