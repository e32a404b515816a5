"""One registry for all sorts of plugins: lazy, and a broken one is said for that one and disturbs no other."""

import logging
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from ase.io import write
from unnp.data.labellers.base import REGISTRY as LABELLERS
from unnp.data.labellers.base import check_settings
from unnp.data.readers.base import REGISTRY as READERS
from unnp.data.readers.base import reader_for
from unnp.data.readers.options import UNLABELLED
from unnp.data.readers.reading import read_structures
from unnp.errors import ConfigError
from unnp.models.output_heads.base import REGISTRY as OUTPUTS
from unnp.models.registry import REGISTRY as ARCHITECTURES
from unnp.plugins.registry import Registry
from unnp.train.terms.base import REGISTRY as TERMS
from unnp.train.terms.base import terms

ALL = {"architectures": ARCHITECTURES, "outputs": OUTPUTS, "terms": TERMS, "labellers": LABELLERS, "readers": READERS}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an entry point in every group whose package cannot be imported."""
    monkeypatch.setattr(
        "unnp.plugins.registry.entry_points", lambda group: [EntryPoint("quantum", "no_such_package", group)]
    )
    return "quantum"


@pytest.mark.parametrize("registry", ALL.values(), ids=ALL)
def test_a_broken_plugin_is_said_for_the_one_that_asks(registry: Registry[Any], broken: str) -> None:
    assert broken in registry.names()
    with pytest.raises(
        ConfigError, match=f"the {registry.sort} 'quantum' of no_such_package cannot be imported.*upgrade"
    ):
        registry.get(broken)
    assert registry.unavailable().keys() == {broken}
    others = [name for name in registry.names() if name != broken]
    assert others
    assert all(registry.get(name) is not None for name in others)


def test_readers_and_terms_go_on_without_it_and_say_so_once(
    broken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for registry in (READERS, TERMS):
        monkeypatch.setattr(registry, "_said", set())
    write(tmp_path / "a.extxyz", bulk("Cu"))
    with caplog.at_level(logging.WARNING):
        assert len(read_structures(tmp_path / "a.extxyz", UNLABELLED)) == 1
        reader_for(Path("a.extxyz"), None)
        assert "energy" in terms()
        terms()
    said = [record.getMessage() for record in caplog.records if "no_such_package" in record.getMessage()]
    assert [line.split("'")[0] for line in said] == ["the reader ", "the term of the loss "]


def test_a_calculator_of_a_broken_package(broken: str) -> None:
    with pytest.raises(ConfigError, match="'quantum' of no_such_package cannot be imported"):
        check_settings({"kind": "quantum"})
    assert check_settings({"kind": "ase", "name": "emt"})[0].kind == "ase"


def test_an_entry_point_that_registers_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "unnp.plugins.registry.entry_points", lambda group: [EntryPoint("odd", "unnp.nn.linear", group)]
    )
    with pytest.raises(ConfigError, match="does not register itself by this name"):
        TERMS.get("odd")


def test_two_modules_may_not_take_one_name() -> None:
    with pytest.raises(ConfigError, match="term of the loss 'energy' is registered twice"):
        TERMS.add("energy", TERMS.get("energy"), "another.module")
