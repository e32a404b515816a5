"""`unnp doctor`: on this machine all is well; what is missing is named, and nothing is tried that cannot work."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import LammpsError
from unnp.workflows.doctor import examine as doctor
from unnp.workflows.doctor import ten_steps


def run():
    return CliRunner().invoke(build_app(), ["doctor"])


def test_this_machine_is_well():
    result = run()
    assert result.exit_code == 0, result.output
    for name in ("torch", "compiled part", "MPI", "LAMMPS", "pair_style unnp", "10 steps, 1 rank", "10 steps, 2 ranks"):
        assert f"ok      {name}" in result.output
    assert "All is well" in result.output


def program(path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_without_lammps_it_fails_with_advice_and_tries_no_steps(monkeypatch):
    def missing(name: str) -> str:
        raise LammpsError(f"cannot find the program '{name}'. Install it.")

    monkeypatch.setattr(doctor, "find_executable", missing)
    result = run()
    assert result.exit_code == 1
    assert "failed  LAMMPS               cannot find the program 'lmp'. Install it." in result.output
    assert "skipped 10-step check" in result.output
    assert "2 of these failed" in result.output


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo hello", "does not answer like LAMMPS"),
        ("exit 1", "does not answer like LAMMPS"),
        (
            "echo 'Massively Parallel Simulator - 1 Jan'; echo 'Installed packages:'; echo MANYBODY",
            "cannot load plugins",
        ),
    ],
)
def test_programs_that_are_no_fit_lammps(monkeypatch, tmp_path, script, message):
    fake = program(tmp_path / "lmp", script)
    monkeypatch.setattr(doctor, "find_executable", lambda name: fake)
    monkeypatch.setattr(doctor, "CHECKS", {"LAMMPS": doctor._lammps})
    findings = list(doctor.examine())
    assert [f.verdict for f in findings] == ["failed", "skipped"]
    assert message in findings[0].text + findings[0].advice


def test_a_program_that_hangs_or_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "SECONDS", 0.2)
    for script in (program(tmp_path / "slow", "exec sleep 5"), str(tmp_path / "absent")):
        with pytest.raises(LammpsError, match="does not run"):
            doctor._output(script)


def test_a_plugin_that_was_not_built(monkeypatch):
    monkeypatch.setattr("unnp.lammps.plugin.find_plugin", lambda: None)
    monkeypatch.setattr(doctor, "CHECKS", {"pair_style unnp": doctor._plugin})
    first = next(doctor.examine())
    assert first.verdict == "failed"
    assert "was not built" in first.text


def test_wrong_numbers_are_a_failure(monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {})
    monkeypatch.setattr(doctor, "ten_steps", lambda *_: 1e-3)
    findings = {f.name: f for f in doctor.examine()}
    assert findings["10 steps, 2 ranks"].verdict == "failed"
    assert "1.0e-03" in findings["10 steps, 2 ranks"].text


def test_the_comparison_sees_a_wrong_force(tmp_path, monkeypatch):
    ten_steps.write_model(tmp_path)
    other = ten_steps.crystal()
    other.numbers[0] = 13
    assert ten_steps.ten_steps(tmp_path, 1) < doctor.TOLERANCE
    monkeypatch.setattr(ten_steps, "_difference", lambda atoms, *rest: difference(other, *rest))
    assert ten_steps.ten_steps(tmp_path, 1) > 1e-3


difference = ten_steps._difference
