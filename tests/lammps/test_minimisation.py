"""Minimisations in float32 end early; the style says so once, and float64 goes on."""

from __future__ import annotations

from pathlib import Path

import structures
from lammps_run import run_lammps, write_data
from toy_model import ELEMENTS

NOTE = "pair_style unnp: note: in float32"


def minimize(models: Path, model: str, style: str = "") -> str:
    return f"""
clear
units metal
read_data a.data
pair_style unnp {style}
pair_coeff * * {models / model} {" ".join(ELEMENTS)}
run 0
print "{model}{style}"
minimize 0 1e-3 1 2
minimize 0 1e-3 1 2
"""


def test_note_for_float32(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    deck = "".join(
        minimize(models, *case)
        for case in [("toy.pt",), ("toy32.pt", "dtype float64"), ("toy32.pt",), ("toy.pt", "dtype float32")]
    )
    output = run_lammps(tmp_path, deck).output
    assert output.count(NOTE) == 2  # once for each of the last two
    assert output.index("\ntoy32.pt\n") < output.index(NOTE)  # where a minimisation begins, not in other runs
    assert "pair_style unnp dtype float64" in output
