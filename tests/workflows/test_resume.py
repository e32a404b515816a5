"""One rule for resuming: the same options, refusals and words for every verb that runs LAMMPS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import Field
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import Config, load_yaml
from unnp.config.resume import FREE, changed_settings, free_settings
from unnp.errors import ConfigError
from unnp.lammps.launch import Launch
from unnp.lammps.run_folder import RunFolder
from unnp.workflows.md.config import MdConfig
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.ramp.config import RampConfig

COMMON = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [3, 3, 3]},
    "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]},
}
RUNS = {
    "md": (["md"], {"temperature": 300, "steps": 10}, MdConfig),
    "ramp": (["ramp"], {"temperatures": [300, 900, 300], "rate": 10}, RampConfig),
    "melt": (["melt"], {"temperatures": 900, "routes": ["momt"]}, MeltConfig),
    "momt": (["sample", "momt"], {"temperatures": [650, 1400]}, MomtConfig),
}


class Inner(Config):
    length: int = Field(default=1, json_schema_extra=FREE)
    seed: int = 1


class Outer(Config):
    inner: Inner = Inner()
    speed: int = Field(default=1, json_schema_extra=FREE)
    shape: str = "a"


def invoke(folder: Path, name: str, *words: str):
    verb, settings, _ = RUNS[name]
    (folder / "al.yaml").write_text(json.dumps({**COMMON, **settings}))
    return CliRunner().invoke(build_app(), [*verb, str(folder / "al.yaml"), "-o", str(folder / "run"), *words])


def test_fields_say_what_may_change():
    assert list(free_settings(Outer)) == ["inner.length", "speed"]
    before = Outer()
    assert changed_settings(Outer(speed=2, inner=Inner(length=5)), before) == []
    assert changed_settings(Outer(shape="b", inner=Inner(seed=5)), before) == ["inner.seed", "shape"]


@pytest.mark.parametrize("name", RUNS)
def test_where_lammps_runs_may_always_change(name):
    free = set(free_settings(RUNS[name][2]))
    assert set(Launch.model_fields) <= free
    assert not {"structure", "potential", "timestep", "pressure"} & free


@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_resumed_where_nothing_was_begun(name, tmp_path):
    result = invoke(tmp_path, name, "--resume")
    assert result.exit_code != 0
    assert "run holds no run that could be resumed" in str(result.exception)
    assert "leave out --resume" in str(result.exception)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", RUNS)
def test_what_only_was_written_may_be_written_again(name, tmp_path):
    for words in ([], ["--set", "timestep=1.5"]):
        result = invoke(tmp_path, name, "--dry-run", *words)
        assert result.exit_code == 0, result.output
        assert "Wrote " in result.output


@pytest.mark.parametrize("name", RUNS)
def test_other_settings_are_refused_with_those_that_may_change(name, tmp_path):
    assert invoke(tmp_path, name, "--dry-run").exit_code == 0
    folder = next(RunFolder(tmp_path / "run", path.name) for path in (tmp_path / "run").glob("*.yaml"))
    config = load_yaml(folder.path / folder.config_file, RUNS[name][2])
    folder.check_unchanged(config.model_copy(update={"ranks": 3, "threads": 2, "launcher": "srun {ranks}"}))
    with pytest.raises(
        ConfigError, match=r"pressure changed since .* \(only .*ranks.* may change\)\. Restore them, or"
    ):
        folder.check_unchanged(config.model_copy(update={"pressure": 2.5}))
