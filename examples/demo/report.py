"""The end of the demo: a table of what came out, and a figure of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from unnp.cli.tables import print_table
from unnp.files.writing import write_atomically
from unnp.lammps.log import ThermoBlock, read_log
from unnp.plots import new_figure, save_figure

TEMPERATURE = 300
CELLS_PER_EDGE = 8
ERRORS = {"energy": "meV/atom", "forces": "eV/A", "stress": "GPa"}

Row = tuple[str, str, str]


def write_summary(out: Path) -> None:
    """Print the table of a finished demo and leave it as summary.json, with overview.png beside it."""
    npt = read_log(out / "npt/log.lammps").blocks[-1]
    rows = [*_error_rows(out), *_elastic_rows(out), *_dynamics_rows(npt), *_rank_rows(out / "npt")]
    content = [dict(zip(("quantity", "model", "eam"), row, strict=True)) for row in rows]
    write_atomically(out / "summary.json", json.dumps(content, indent=1) + "\n")
    draw_overview(out, npt)
    print()
    print_table("The model that this demo trained", ["", "model", "EAM"], [list(row) for row in rows])
    print(f"Figures, each beside its data (.csv): {out}/overview.png, {out}/training/learning-curve.png,")
    print(f"{out}/unseen/parity-*.png, {out}/elastic/equation-of-state.png")


def _error_rows(out: Path) -> list[Row]:
    errors = json.loads((out / "unseen/errors.json").read_text())["overall"]
    return [
        (
            f"{name} error on unseen frames, MAE / RMSE [{unit}]",
            f"{errors[name]['mae']:.3g} / {errors[name]['rmse']:.3g}",
            "",
        )
        for name, unit in ERRORS.items()
    ]


def _elastic_rows(out: Path) -> list[Row]:
    model, eam = (entry["properties"] for entry in json.loads((out / "elastic/elastic.json").read_text()).values())
    names = {"a [A]": "lattice constant at 0 K [A]"}
    return [(names.get(name, name), f"{model[name]:.5g}", f"{eam[name]:.5g}") for name in model if name in eam]


def _dynamics_rows(npt: ThermoBlock) -> list[Row]:
    edge = npt["Lx"][len(npt.rows) // 2 :] / CELLS_PER_EDGE
    seconds = npt.loop_seconds or float("nan")
    speed = npt.n_atoms * npt.n_steps / seconds
    return [
        (f"lattice constant at {TEMPERATURE} K, second half of {npt['Time'][-1]:g} ps [A]", f"{edge.mean():.4g}", ""),
        (f"speed of {npt.n_atoms} atoms on {npt.n_ranks} ranks [atom-steps/s]", f"{speed:.3g}", ""),
        ("the same for one rank [us/atom/step]", f"{1e6 * npt.n_ranks / speed:.3g}", ""),
    ]


def _rank_rows(folder: Path) -> list[Row]:
    energies = [read_log(folder / f"forces.{n}.log").blocks[-1]["PotEng"][0] for n in (1, 2)]
    one, two = (np.loadtxt(folder / f"forces.{n}.dump", skiprows=9) for n in (1, 2))
    difference = np.abs(one - two)[:, 1:].max()
    return [
        ("1 and 2 ranks, largest difference of a force [eV/A]", f"{difference:.2g}", ""),
        ("1 and 2 ranks, difference of the energy [eV/atom]", f"{abs(energies[0] - energies[1]) / len(one):.2g}", ""),
    ]


def draw_overview(out: Path, npt: ThermoBlock) -> None:
    """Draw learning curve, parity of the forces, equation of state and dynamics side by side; write overview.png."""
    figure, (curve, parity, energy, dynamics) = new_figure(4, width=3.6, height=3.2)
    log, forces = _columns(out / "training/learning-curve.csv"), _columns(out / "unseen/parity-forces.csv")
    curve.plot(log["epoch"], log["energy_mae"], label="energy [meV/atom]")
    curve.plot(log["epoch"], log["forces_mae"], label="forces [eV/A]")
    curve.set(xlabel="epoch", ylabel="mean absolute error", yscale="log", title="training: validation errors")
    parity.plot(forces["reference"], forces["predicted"], ".", ms=2, alpha=0.4, rasterized=True)
    parity.set(xlabel="EAM [eV/A]", ylabel="model [eV/A]", title="forces on unseen frames")
    parity.axline((0, 0), slope=1, color="0.6", lw=0.8, zorder=0)
    _draw_energies(energy, _columns(out / "elastic/equation-of-state.csv"))
    _draw_dynamics(dynamics, npt)
    for ax in (curve, energy):
        ax.legend(frameon=False, fontsize="small")
    save_figure(figure, out / "overview.png", {"time_ps": npt["Time"], "temperature_K": npt["Temp"], "lx_A": npt["Lx"]})


def _draw_energies(ax: Axes, states: dict[str, list[Any]]) -> None:
    for name, label, mark in (("al-eam", "EAM", "-"), ("model", "model", "o")):
        own = [k for k, potential in enumerate(states["potential"]) if potential == name]
        volume, energy = ([states[c][k] for k in own] for c in ("volume_A3_per_atom", "energy_eV_per_atom"))
        ax.plot(volume, energy, mark, mfc="none", label=label)
    ax.set(xlabel="volume [A$^3$/atom]", ylabel="energy [eV/atom]", title="equation of state")


def _draw_dynamics(ax: Axes, npt: ThermoBlock) -> None:
    right = ax.twinx()
    right.spines["top"].set_visible(False)
    right.plot(npt["Time"], npt["Lx"] / CELLS_PER_EDGE, color="C0")
    right.set_ylabel("lattice constant [A]", color="C0")
    ax.plot(npt["Time"], npt["Temp"], color="C3")
    ax.set_ylabel("temperature [K]", color="C3")
    ax.set(xlabel="time [ps]", title=f"NPT: {npt.n_atoms} atoms, {npt.n_ranks} MPI ranks", ylim=(0, None))


def _columns(path: Path) -> dict[str, list[Any]]:
    """Return the columns of a CSV file by title, numbers as floats."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [_value(row[name]) for row in rows] for name in (rows[0] if rows else {})}


def _value(text: str) -> float | str:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return text
