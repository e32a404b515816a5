"""`unnp md`: what is wrong is said before LAMMPS runs, and nothing but what it is reaches a deck."""

from __future__ import annotations

import json
import shutil

import pytest
from md_runs import BASE, EAM, make, table
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, LammpsError, ModelError, UnnpError
from unnp.exported.export import export_model
from unnp.lammps.system import model_lines
from unnp.models import Head, TrainingData, build_potential
from unnp.models import PotentialConfig as ModelConfig
from unnp.workflows.md.run import run_md


def test_wrong_input_is_said_before_lammps_is_started(small_model, tmp_path):
    shutil.copy(small_model, tmp_path / "small.pt")
    model = {"model": "small.pt"}
    for settings, error, message in [
        ({"potential": {"model": "absent.pt"}}, ModelError, "does not exist"),
        ({"potential": model, "structure": {"element": "Cu"}}, ModelError, "contains Cu, but the model knows only"),
        ({"potential": {**EAM, "pair_coeff": ["* * Al_mm.eam.sf Al"]}}, DataError, "Did you mean 'Al_mm.eam.fs'"),
        ({"structure": {"file": "absent.xyz"}}, DataError, "does not exist"),
        ({"structure": {"element": "Al", "lattice": "fkk"}}, ConfigError, "cannot build 'Al' as fkk"),
        ({"structure": {"element": "Zz", "a": 3.0, "lattice": "fcc"}}, ConfigError, "cannot build 'Zz'"),
        ({"potential": {**EAM, "elements": ["Ni"]}}, DataError, "contains Al, but the LAMMPS types are Ni"),
        ({"lmp": "lmp_absent"}, LammpsError, "cannot find the program 'lmp_absent'"),
    ]:
        with pytest.raises(error, match=message):
            run_md(make(**settings), tmp_path, tmp_path / "run")
        assert not (tmp_path / "run/in.lammps").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"potential": {**EAM, "pair_style": "eam/sf"}},
            r"unknown pair_style 'eam/sf'; `lmp -h` .* Did you mean 'eam/fs'",
        ),
        ({"potential": {**EAM, "pair_style": "eam/fs &"}}, "potential.pair_style: .*must be plain arguments"),
        ({"potential": {**EAM, "pair_style": "eam/fs\nshell touch x"}}, "must be plain arguments"),
        ({"potential": {**EAM, "pair_style": "lj/cut $(v_x)"}}, "must be plain arguments"),
        ({"potential": {**EAM, "pair_coeff": ['* * a.eam Al"""']}}, "must be plain arguments"),
        ({"potential": {**EAM, "pair_coeff": ["* * a#b.eam Al"]}}, "must be plain arguments"),
        ({"potential": {**EAM, "pair_coeff": ["* * " + "x" * 5000]}}, "holds a word of more than 255 characters"),
        ({"potential": {"model": "x" * 5000}}, "`model` holds a name of more than 255"),
        ({"structure": {"file": "x" * 5000}}, "`file` holds a name of more than 255"),
        ({"structure": {"element": "Al\nshell touch x"}}, r"cannot build 'Al\\nshell touch x'"),
        ({"potential": {**EAM, "elements": ["Al\nshell touch x"]}}, "Al"),
        ({"potential": {"model": "m.pt", "plugin": "a\nshell touch x.so"}}, "m.pt|plugin"),
        (
            {"device": "cpu\nshell touch x"},
            r"device: .*unknown device 'cpu\\nshell touch x'; allowed: auto, cpu, cuda, cuda:N",
        ),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"device": "cuda:1 halo wide"}, "unknown device"),
        ({"launcher": "mpirun -n {ranks}\nshell touch x"}, "launcher: .*must be one line"),
        ({"launcher": "mpirun"}, r"launcher 'mpirun' has no \{ranks\}"),
        ({"launcher": "mpirun '-n {ranks}"}, "cannot be split into words"),
        ({"lmp": "lmp\nshell touch x"}, "lmp: .*must be one line"),
        ({"steps": True}, "`steps` must be a number, not true"),
    ],
)
def test_nothing_but_what_it_is_reaches_a_deck(tmp_path, settings, message):
    (tmp_path / "al.yaml").write_text(json.dumps({**BASE, **settings}))
    words = ["md", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "out"), "--dry-run"]
    with pytest.raises(UnnpError, match=message) as error:
        CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert max(map(len, str(error.value).splitlines())) < 800
    assert not (tmp_path / "out/in.lammps").exists()


def test_plugins_are_named_as_lammps_reads_them(tmp_path):
    def first_line(plugin: str) -> str:
        config = make(potential={"model": "m.pt", "plugin": plugin})
        return model_lines(config.potential, "m.pt", ["Al"])[0]

    assert first_line("/opt/my plugins/a.so").split(maxsplit=2)[2] == '"/opt/my plugins/a.so"'
    for wrong in ("a\nshell touch x.so", "a$(x).so", 'a"b.so', "a&", "a#.so"):
        with pytest.raises(ConfigError, match="LAMMPS cannot load the plugin"):
            first_line(wrong)


def test_a_dry_run_says_what_this_machine_lacks(tmp_path):
    (tmp_path / "al.yaml").write_text(json.dumps({**BASE, "lmp": "lmp_absent"}))
    result = CliRunner().invoke(build_app(), ["md", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "o"), "--dry-run"])
    assert result.exit_code == 0
    assert "Note: cannot find the program 'lmp_absent'" in result.output
    assert (tmp_path / "o/in.lammps").is_file()


def test_a_model_whose_name_looks_like_a_log_runs(tmp_path):
    potential = build_potential(ModelConfig(), ["Al"], [Head(1.0, {"Al": -3.0})], TrainingData(40.0))
    name = "a\nERROR: no error\nPer MPI rank memory allocation\nStep Temp\n1 2\nTotal wall time: 0:00:00"
    try:
        export_model([potential], tmp_path / "named.pt", name=name)
    except UnnpError:
        return  # no model has such a name
    settings = {"structure": {"element": "Al", "repeat": [2, 2, 2]}, "potential": {"model": "named.pt"}}
    result = run_md(make(**settings, device="cpu", steps=10, thermo=5), tmp_path, tmp_path / "run")
    assert result.summary["steps"] == 10
    assert table(tmp_path / "run")["step"].tolist() == [0, 5, 10]
