"""The momt route: which runs are asked for, what is read from finished ones, and what their sizes say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unnp.config import from_dict
from unnp.errors import ConfigError, SamplingError
from unnp.sampling.estimate import Estimate
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.finite_size import SizePoint, finite_size, size_figure, size_points
from unnp.workflows.melt.momt.route import MomtRoute, read_analysis
from unnp.workflows.melt.momt.settings import cells_of, merged, momt_settings
from unnp.workflows.melt.routes import RouteResult
from unnp.workflows.momt.config import MomtConfig

AL = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.1},
    "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]},
    "temperatures": [850, 1000],
}


def make(**settings) -> MeltConfig:
    return from_dict({**AL, **settings}, MeltConfig)


def finished_run(folder: Path, n_atoms: int, temperature: float, **changes) -> Path:
    """Write what is read of a run of `unnp sample momt`."""
    content = {
        "pressure": 0.0,
        "run": {"atoms": n_atoms},
        "melting": {
            "temperature": {"value": temperature, "error": 8.0},
            "latent_heat_per_atom": {"value": 0.12, "error": 0.004},
        },
        "notes": ["short"],
        "refusal": "",
    }
    (folder / "analysis").mkdir(parents=True)
    (folder / "analysis/analysis.json").write_text(json.dumps({**content, **changes}))
    return folder


def test_an_analysis_is_read(tmp_path):
    found = read_analysis(finished_run(tmp_path / "a", 108, 950.0), 0.0)
    assert (found.melting_point, found.latent_heat, found.n_atoms) == (Estimate(950, 8), Estimate(0.12, 0.004), 108)
    assert found.warnings == ["108 atoms: short"]
    with pytest.raises(ConfigError, match=r"analysed at 0.0 GPa, the melting point is asked at 5.0 GPa"):
        read_analysis(tmp_path / "a", 5.0)
    with pytest.raises(SamplingError, match="3 passages are too few"):
        read_analysis(finished_run(tmp_path / "b", 108, 0, melting=None, refusal="3 passages are too few"), 0.0)


def test_gates_that_did_not_hold_are_told(tmp_path):
    stages = {
        "adapt": {"held": True, "ended": "all gates hold"},
        "production": {"held": False, "ended": "at its greatest length, without: 3 trips"},
    }
    finished_run(tmp_path / "a", 32, 990.0)
    (tmp_path / "a/summary.json").write_text(json.dumps({"stages": stages}))
    warnings = read_analysis(tmp_path / "a", 0.0).warnings
    assert "32 atoms: production ended at its greatest length, without: 3 trips" in warnings
    assert not any("adapt" in text for text in warnings)


def test_the_largest_cell_stands_for_the_route(tmp_path):
    for n, temperature in ((108, 965.0), (32, 1094.0)):
        finished_run(tmp_path / f"{n}", n, temperature)
    config = make(momt={"folders": ["108", "32"]})
    result = MomtRoute(config, tmp_path).run(tmp_path, 925)
    assert (result.n_atoms, result.melting_point.value, result.small_cell) == (108, 965, True)
    assert [(each.n_atoms, each.melting_point.value) for each in result.smaller] == [(32, 1094)]


def test_cells_hold_enough_atoms_for_a_liquid_and_few_enough_to_melt():
    def atoms(structure: dict, **momt) -> list[int]:
        return cells_of(make(structure=structure, momt=momt), Path())

    assert atoms(AL["structure"]) == [2, 3]
    assert atoms({"element": "Fe", "lattice": "bcc", "a": 2.87}) == [3, 4]
    assert atoms({"element": "Si", "lattice": "diamond", "a": 5.43}) == [2]
    assert atoms(AL["structure"], cells=[4, 2, 4]) == [2, 4]
    with pytest.raises(ConfigError, match=r"momt.cells: \[1, 3\], with 4 atoms in the structure"):
        atoms(AL["structure"], cells=[1, 3])


def test_a_run_of_this_crystal_is_asked_for(tmp_path):
    config = make(pressure=2.0, ranks=2, momt={"settings": {"order": {"kind": "sk"}, "stages": {"observe": 5}}})
    asked = from_dict(momt_settings(config, 108, 3, 925.0, tmp_path), MomtConfig)
    assert (asked.structure.element, asked.structure.a, asked.structure.repeat) == ("Al", 4.1, (3, 3, 3))
    assert (asked.pressure, asked.walkers, asked.frames, asked.temperatures) == (2.0, 2, None, (650, 1390))
    assert asked.temperatures[0] < asked.temperature < asked.temperatures[1]
    assert asked.stages.observe == 5
    assert asked.stages.production.min == pytest.approx(972)  # of each walker
    small, large = (from_dict(momt_settings(make(), n, c, 925.0, tmp_path), MomtConfig) for n, c in ((32, 2), (256, 4)))
    assert large.stages.production.min > 4 * small.stages.production.min


def test_a_run_that_is_there_keeps_its_ensemble(tmp_path):
    before = momt_settings(make(), 108, 3, 925.0, tmp_path)
    (tmp_path / "momt.yaml").write_text(json.dumps(before))
    again = momt_settings(make(ranks=4), 108, 3, 941.0, tmp_path)
    assert [again[key] for key in ("temperatures", "temperature", "walkers")] == [[650, 1390], 970, 1]
    asked = momt_settings(make(momt={"settings": {"walkers": 2}}), 108, 3, 941.0, tmp_path)
    assert asked["walkers"] == 2


def test_tables_are_merged_and_the_rest_replaced():
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2]}) == {"a": {"b": 1, "c": 3}, "d": [2]}


def result(temperature: float, error: float, n_atoms: int, heat: float, smaller=()) -> RouteResult:
    melting_point, latent_heat = Estimate(temperature, error), Estimate(heat, 0.002)
    return RouteResult(melting_point, n_atoms, {}, [], latent_heat, n_atoms < 1000, smaller)


def statements(small: float, large: float, bulk: float, error: float = 4.0) -> str:
    momt = result(large, error, 108, 0.125, [result(small, error, 32, 0.11)])
    found = finite_size(size_points({"coexistence": result(bulk, error, 2880, 0.11), "momt": momt}))
    assert found is not None
    assert [p["n_atoms"] for p in found["points"]] == [2880, 32, 108]
    return " ".join(found["statements"])


def test_sizes_are_compared_within_their_errors():
    text = statements(1094, 965, 926)
    assert "A cell of 32 atoms (momt) melts above a cell of 2880 atoms (coexistence): +168 +- 6 K." in text
    assert "latent heat, 0.88 +- 0.02 times as large in the smaller cell, differs" in text
    assert "The shift falls as N^-(1.2 +- 0.1)" in text
    same = statements(930, 928, 926)
    assert "melts, within the errors, where it does in" in same
    assert "above" not in same
    assert "falls" not in same


def test_nothing_to_compare():
    assert finite_size(size_points({"coexistence": result(926, 4, 2880, 0.1)})) is None
    assert finite_size(size_points({"momt": result(926, 4, 108, 0.1)})) is None


def test_the_figure_has_its_data(tmp_path):
    points = [
        SizePoint("momt", 32, Estimate(1094, 5), None, small=True),
        SizePoint("pinning", 2880, Estimate(928, 5), Estimate(0.1, 0.01), small=False),
    ]
    size_figure(points, tmp_path / "finite-size.png")
    assert (tmp_path / "finite-size.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "finite-size.csv").read_text().splitlines()[1:] == ["momt,32,1094,5", "pinning,2880,928,5"]
