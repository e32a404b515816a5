"""Decks against golden files; a changed deck is looked at and copied by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from unnp.config import from_dict
from unnp.lammps.system import System
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import build_crystal
from unnp.workflows.melt.two_phase.decks import DeckWriter

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.05},
    "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]},
    "temperatures": [800, 1050],
    "pressure": 1.5,
}
HCP = {"structure": {"element": "Mg", "lattice": "hcp", "a": 3.2, "c": 5.2}}

DECKS = {
    "solid": ({}, lambda writer: writer.solid()),
    "solid_aniso": (HCP, lambda writer: writer.solid()),
    "melt": ({"cell": {"melt_temperature": 2000}}, lambda writer: writer.melt(2)),
    "coexistence": ({"timestep": 1.0, "pressure_damping": 500}, lambda writer: writer.coexistence(2)),
    "pinning": ({"temperature_damping": 50}, lambda writer: writer.pinning(0.125, 21.5)),
}


@pytest.mark.parametrize("name", DECKS)
def test_deck_is_the_golden_one(name):
    settings, write = DECKS[name]
    config = from_dict({**SETTINGS, **settings}, MeltConfig)
    element = [config.structure.element]
    potential = ["pair_style      eam/fs", f"pair_coeff      * * Al_mm.eam.fs {element[0]}"]
    system = System(f"{element[0]}2880", element, "p p p", potential)
    writer = DeckWriter(config, system, build_crystal(config, Path()), 925.0)
    assert write(writer) == (GOLDEN / f"{name}.lammps").read_text()
