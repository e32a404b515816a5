"""What is written and shown, and what the command line refuses."""

from __future__ import annotations

import csv
import json
import sys

import pytest
from in_memory import draw_samples
from two_phase import TwoPhase, log_text, write_logs
from unnp.cli import main
from unnp.sampling.config import AnalysisConfig
from unnp.sampling.report import analyse

MODEL = TwoPhase(pressure=10000.0)
FIGURES = {
    "map",
    "trajectory",
    "histograms",
    "heat-capacity",
    "free-energy-difference",
    "free-energy-profile",
    "entropy",
    "density-of-states",
}


def unnp(monkeypatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["unnp", *map(str, words)])
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def test_run_folder_is_analysed(tmp_path, monkeypatch, capsys):
    write_logs(tmp_path / "production", MODEL, 3000, 1, walkers=12)
    (tmp_path / "momt.yaml").write_text("analysis: {min_passages: 12, replicas: 50}\n")
    assert unnp(monkeypatch, "sample", "analyse", tmp_path, "--set", "burn_in=0.2") == 0
    shown = capsys.readouterr().out
    assert "melting temperature [K]" in shown
    results = json.loads((tmp_path / "analysis/analysis.json").read_text())
    assert results["settings"]["min_passages"] == 12
    assert results["rows"] == {"read": 36000, "used": 28800, "walkers": 12}
    assert results["melting"]["temperature"]["value"] == pytest.approx(MODEL.melting(), abs=5)
    slope = 160.21766 * 0.118 / (940 * 1.2)  # GPa/K
    assert results["melting"]["pressure_slope"]["value"] == pytest.approx(slope, rel=0.02)
    assert results["pressure"] == pytest.approx(1.0)
    assert {path.stem for path in (tmp_path / "analysis").glob("*.png")} == FIGURES
    for name in FIGURES:
        rows = list(csv.reader((tmp_path / f"analysis/{name}.csv").open()))
        assert len(rows) > 10
        assert {len(row) for row in rows} == {len(rows[0])}
        assert not any("nan" in row or "inf" in row for row in rows)


def test_same_samples_same_numbers(tmp_path):
    samples = draw_samples(MODEL, 2000, 1)
    first, second = (json.dumps(analyse(samples, AnalysisConfig()).to_dict()) for _ in range(2))
    assert first == second


def test_figures_without_melting_point_and_at_constant_volume(tmp_path):
    samples = draw_samples(TwoPhase(pressure=None, noise=0.0, volume=(17.0, 17.0)), 2000, 1, order="none")
    analysis = analyse(samples, AnalysisConfig(), tmp_path)
    assert analysis.transition.melting is None
    written = {path.stem for path in tmp_path.glob("*.png")}
    assert written == FIGURES - {"free-energy-difference", "free-energy-profile"}
    assert "no order parameter" in json.loads((tmp_path / "analysis.json").read_text())["refusal"]


def test_reduced_units(tmp_path):
    boltzmann = 8.617333262e-05
    changes = {"units": "lj", "nktv2p": 1.0, "boltzmann": boltzmann, "pressure": 0.0}
    analysis = analyse(draw_samples(TwoPhase(), 2000, 1, **changes), AnalysisConfig(), tmp_path)
    assert analysis.to_dict()["units"]["pressure"] == "epsilon/sigma^3"


def test_bad_input_is_told_without_a_traceback(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    logs = write_logs(folder / "production", MODEL, 300, 1, walkers=2)
    empty, wrong = tmp_path / "empty.log", tmp_path / "wrong.log"
    empty.write_text("")
    wrong.write_text(log_text(MODEL.draw(300, 1), MODEL.header(temperature=1000.0)))
    cases = {
        "has no production/momt": [tmp_path],
        "no file or folder": [tmp_path / "nowhere"],
        "give one: -o": [logs[0]],
        "is empty": [empty, "-o", tmp_path / "out"],
        "temperature 900.0 and 1000.0": [logs[0], wrong, "-o", tmp_path / "out"],
        "given twice": [folder, logs[1], "-o", tmp_path / "out"],
        "Did you mean 'replicas'": [folder, "--set", "replica=3"],
        "greater than 0": [folder, "--set", "temperatures=[-3]"],
        "fewer than 100": [folder, "--set", "burn_in=0.99"],
        "cannot make the folder": [folder, "-o", empty],
    }
    for message, words in cases.items():
        assert unnp(monkeypatch, "sample", "analyse", *words) == 2, message
        assert message in capsys.readouterr().err
