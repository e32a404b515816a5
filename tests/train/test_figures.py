"""Figures stand beside their numbers."""

import csv
from pathlib import Path

import numpy as np
from unnp import plots

PNG = b"\x89PNG"
ERRORS = {"forces_mae": "forces [eV/A]", "charges_mae": "charges [e]"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_learning_curve(tmp_path: Path) -> None:
    records = [
        {"epoch": 1, "loss": 1.0, "learning_rate": 0.1, "minutes": 0.1},
        {"epoch": 2, "loss": 0.5, "learning_rate": 0.1, "minutes": 0.2, "validation_loss": 0.7, "forces_mae": 0.1},
    ]
    plots.learning_curve(records, tmp_path / "curve.png", ERRORS)
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
    table = rows(tmp_path / "curve.csv")
    assert [row["loss"] for row in table] == ["1.0", "0.5"]
    assert [row["validation_loss"] for row in table] == ["", "0.7"]
    assert [row["forces_mae"] for row in table] == ["", "0.1"]
    assert [row["charges_mae"] for row in table] == ["", ""]


def test_parity_lists_what_it_draws(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 50)
    plots.parity("forces", "eV/A", x, x + 0.1, ["a", "b"] * 25, tmp_path / "parity.png")
    table = rows(tmp_path / "parity.csv")
    assert len(table) == 50
    assert [table[1][key] for key in ("group", "reference")] == ["b", repr(float(x[1]))]


def test_many_points_are_thinned(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 2 * plots.MAX_POINTS + 1)
    plots.parity("forces", "eV/A", x, x, [""] * len(x), tmp_path / "parity.png")
    assert len(rows(tmp_path / "parity.csv")) == len(x[::3])
