"""Input decks against golden files; a changed deck is looked at and copied by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from unnp.config import from_dict
from unnp.errors import ConfigError
from unnp.lammps.system import System, model_lines
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.deck import resume_deck, start_deck

GOLDEN = Path(__file__).parent.parent / "golden"
MODEL = {"structure": {"element": "Al"}, "potential": {"model": "model.pt"}, "temperature": 300, "steps": 1000}

DECKS = {
    "nve_cluster": ({"ensemble": "nve", "temperature": 600, "timestep": 0.5, "dump": None}, "s s s"),
    "nvt_ramp": ({"ensemble": "nvt", "temperature": [300, 900], "minimise": True, "seed": 7, "thermo": 10}, "p p p"),
    "npt_tri": (
        {
            "ensemble": "npt",
            "pressure": [0, 2.5],
            "coupling": "tri",
            "ranks": 4,
            "pressure_damping": 500,
            "device": "cuda",
        },
        "p p p",
    ),
    "nph_aniso": ({"ensemble": "nph", "coupling": "aniso", "temperature": 0, "launcher": "srun -n {ranks}"}, "p p p"),
    "langevin_slab": (
        {
            "ensemble": "langevin",
            "temperature_damping": 50,
            "dump": {"every": 50, "format": "lammpstrj"},
            "launcher": "",
        },
        "p p s",
    ),
}


def system(config: MdConfig, boundary: str) -> System:
    return System(
        "AlNi, 16 atoms",
        ["Al", "Ni"],
        boundary,
        model_lines(config.potential, "model.pt", ["Al", "Ni"], device=config.device),
    )


@pytest.mark.parametrize("name", DECKS)
def test_start_deck_is_the_golden_one(name):
    settings, boundary = DECKS[name]
    config = from_dict({**MODEL, **settings}, MdConfig)
    assert start_deck(config, system(config, boundary)) == (GOLDEN / f"{name}.lammps").read_text()


def test_resume_deck_is_the_golden_one():
    settings, boundary = DECKS["nvt_ramp"]
    config = from_dict(
        {**MODEL, **settings, "potential": {"model": "m.pt", "halo": "wide", "dtype": "float64"}}, MdConfig
    )
    deck = resume_deck(config, system(config, boundary), "restart.b", 2)
    assert deck == (GOLDEN / "nvt_ramp_resumed.lammps").read_text()


def test_a_plugin_that_is_not_installed_is_loaded_first():
    config = from_dict({**MODEL, "potential": {"model": "m.pt", "plugin": "/opt/unnpplugin.so"}}, MdConfig)
    assert model_lines(config.potential, "m.pt", ["Al"])[0].split() == ["plugin", "load", "/opt/unnpplugin.so"]


def test_a_barostat_needs_a_periodic_cell():
    config = from_dict({**MODEL, "ensemble": "npt"}, MdConfig)
    with pytest.raises(ConfigError, match="periodic in all directions"):
        start_deck(config, system(config, "p p s"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"timestep": 0}, "timestep"),
        ({"timestep": float("nan")}, "timestep"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": 0}, "needs a temperature above 0 K"),
        ({"temperature": [300, 600], "ensemble": "nve"}, "ramp needs a thermostat"),
        ({"pressure": 1.0}, "`pressure` needs a barostat"),
        ({"coupling": "iso"}, "`coupling` needs a barostat"),
        ({"ensemble": "nph", "temperature_damping": 100}, "needs a thermostat"),
        ({"ensemble": "ntp"}, "ensemble"),
        ({"step": 3}, "step: unknown key. Did you mean 'steps'"),
        ({"structure": {}}, "give either `file`, or `element`"),
        ({"structure": {"file": "a.xyz", "element": "Al"}}, "give either `file`, or `element`"),
        ({"structure": {"file": "a.xyz", "a": 4.0}}, "do not go with `file`"),
        ({"structure": {"element": "Al", "repeat": [0, 1, 1]}}, "repeat"),
        ({"structure": {"elemnt": "Al"}}, "structure.elemnt: unknown key. Did you mean 'element'"),
        ({"potential": {}}, "give either `model`, or `pair_style`"),
        ({"potential": {"pair_style": "eam"}}, "needs `pair_coeff`"),
        ({"potential": {"model": "m.pt", "pair_coeff": ["* *"]}}, "does not go with `model`"),
        ({"dump": {"format": "xtc"}}, "dump.format"),
        ({"seed": 0}, "seed"),
        ({"ranks": 0}, "ranks"),
    ],
)
def test_wrong_settings_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        from_dict({**MODEL, **change}, MdConfig)
