"""Decks against golden files; a changed deck is looked at and copied by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from unnp.config import from_dict
from unnp.lammps.commands import command
from unnp.lammps.system import System
from unnp.workflows.momt.basins import Basins, Grid
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck import Chunk, chunk_deck, observe_deck
from unnp.workflows.momt.frames.labels import rerun_deck

GOLDEN = Path(__file__).parent / "golden"
SYSTEM = System(
    "Al, 108 atoms", ["Al"], "p p p", [command("pair_style", "eam/fs"), command("pair_coeff", "* * Al.eam.fs Al")]
)
BASE = {
    "structure": {"element": "Al", "repeat": [3, 3, 3]},
    "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al.eam.fs Al"]},
    "temperatures": [650, 1400],
    "temperature": 950,
    "order": {"kind": "sk", "star": "fcc", "cells": [3, 3, 3]},
}
BASINS = Basins(0.1, 0.4, (-360.0, -320.0), Grid(-344.0, -328.0, 1.5, 14.5))
CHUNKS = {
    "adapt": ({"walkers": 2, "ranks": 2, "pressure": 2.5}, Chunk("adapt", 1)),
    "adapt_continued": ({"bias": {"kind": "wt", "height": 0.02, "gamma": 30}, "coupling": "tri"}, Chunk("adapt", 3)),
    "production": (
        {"bias": {"kind": "wl", "increment": 0.5}, "pressure": None, "thermostat": "langevin", "launcher": ""},
        Chunk("production", 1),
    ),
    "production_continued": (
        {
            "order": {"kind": "q6", "inner": 3.4, "outer": 4.0, "range": [0, 0.5]},
            "bias": {"kind": "opes", "barrier": 30, "bridge": [960, 1300]},
        },
        Chunk("production", 2),
    ),
    "multithermal": ({"order": {"kind": "none"}, "walkers": 2, "frames": None}, Chunk("adapt", 1)),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_are_the_golden_ones(name: str) -> None:
    settings, chunk = CHUNKS[name]
    deck = chunk_deck(from_dict({**BASE, **settings}, MomtConfig), SYSTEM, chunk, BASINS)
    assert deck == (GOLDEN / f"{name}.lammps").read_text()


@pytest.mark.parametrize("phase", ["solid", "liquid"])
def test_observe_decks_are_the_golden_ones(phase: str) -> None:
    assert observe_deck(from_dict(BASE, MomtConfig), SYSTEM, phase) == (GOLDEN / f"observe_{phase}.lammps").read_text()


def test_the_deck_of_labels_is_the_golden_one() -> None:
    assert rerun_deck(SYSTEM, "mpirun -n 2 lmp -partition 2x1", 2) == (GOLDEN / "labels.lammps").read_text()


def test_walkers_and_chunks_have_seeds_of_their_own() -> None:
    config = from_dict({**BASE, "walkers": 4}, MomtConfig)
    decks = [chunk_deck(config, SYSTEM, Chunk(p, n), BASINS) for p in ("adapt", "production") for n in range(1, 400)]
    seeds = [
        line.split()[3:] for deck in decks for line in deck.splitlines() if line.startswith("variable        seed")
    ]
    assert len(seeds) == len(decks)
    assert len({seed for row in seeds for seed in row}) == 4 * len(decks)


def test_a_bias_of_another_run_is_where_the_first_chunk_begins() -> None:
    config = from_dict({**BASE, "bias_from": "../teacher"}, MomtConfig)
    decks = [chunk_deck(config, SYSTEM, Chunk(s, n), BASINS) for s in ("adapt", "production") for n in (1, 2)]
    begins = [deck.partition(" start ")[2].split(" ")[0] for deck in decks]
    assert begins == ["start.json", "", "adapt/state.json", ""]


def test_steps_of_chunks_and_frames_are_multiples_of_the_pace() -> None:
    config = from_dict({**BASE, "pace": 7, "frames": {"wanted": 333}, "stages": {"chunk": 1.234}}, MomtConfig)
    assert config.chunk_steps % 7 == 0
    assert config.stride % 7 == 0
    n_candidates = config.stages.production.min * 1000 / config.timestep / config.stride
    assert n_candidates >= 3 * 333


def test_all_stages_watch_the_deviations_of_a_model() -> None:
    model = System("Al, 108 atoms", ["Al"], "p p p", ["pair_style      unnp", "pair_coeff      * * model.pt Al"])
    settings = {"potential": {"model": "m.pt"}, "capture": {"threshold": 0.3}, "stop": {"threshold": 2}}
    config = from_dict({**BASE, **settings}, MomtConfig)
    words = "pair_style      unnp capture {} 0.3 10 apart 100 most 100 stop 2 10\n"
    assert words.format("observe/captured.liquid.extxyz") in observe_deck(config, model, "liquid")
    for chunk in (Chunk("adapt", 1), Chunk("production", 2)):
        assert words.format(f"{chunk.stage}/captured.${{walker}}.extxyz") in chunk_deck(config, model, chunk, BASINS)
