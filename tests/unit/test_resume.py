"""When a run begins, when it goes on, and with which settings."""

from pathlib import Path

import pytest
from pydantic import Field
from unnp.config import Config, dump_yaml
from unnp.config.resume import FREE, check_run
from unnp.errors import ConfigError


class Limits(Config):
    steps: int = Field(default=10, json_schema_extra=FREE)
    force: float = 0.1


class Search(Config):
    cell: str = "none"
    device: str = Field(default="auto", json_schema_extra=FREE)
    limits: Limits = Limits()


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    path = tmp_path / "search.yaml"
    path.write_text(dump_yaml(Search()))
    return path


def test_a_run_goes_on_only_where_that_is_asked_for_and_it_is_there(begun: Path) -> None:
    check_run(Search(), begun, resume=True)
    check_run(Search(), begun.with_name("other.yaml"), resume=False)
    with pytest.raises(ConfigError, match="already holds a run; go on with --resume"):
        check_run(Search(), begun, resume=False)
    with pytest.raises(ConfigError, match=r"holds no run that could be resumed \(no other.yaml\); leave out --resume"):
        check_run(Search(), begun.with_name("other.yaml"), resume=True)


def test_only_free_settings_may_change(begun: Path) -> None:
    check_run(Search(device="cpu", limits=Limits(steps=20)), begun, resume=True)
    changed = Search(cell="all", device="cpu", limits=Limits(steps=20, force=0.2))
    with pytest.raises(
        ConfigError, match=r"^cell, limits.force changed since .*\(only device, limits.steps may change\)"
    ):
        check_run(changed, begun, resume=True)
