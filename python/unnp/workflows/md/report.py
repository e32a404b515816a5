"""What came out of a molecular dynamics run: one table over all its parts, averages, speed, and a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import LammpsError
from unnp.files.writing import write_atomically
from unnp.lammps.log import LammpsLog, ThermoBlock, joined
from unnp.plots import new_figure, save_figure
from unnp.units import BAR_PER_GPA

_COLUMNS = {
    "step": ("Step", 1.0),
    "time_ps": ("Time", 1.0),
    "temperature_K": ("Temp", 1.0),
    "pressure_GPa": ("Press", 1 / BAR_PER_GPA),
    "potential_energy_eV": ("PotEng", 1.0),
    "kinetic_energy_eV": ("KinEng", 1.0),
    "total_energy_eV": ("TotEng", 1.0),
    "volume_A3": ("Volume", 1.0),
    **{f"pressure_{c}_GPa": (f"P{c}", 1 / BAR_PER_GPA) for c in ("xx", "yy", "zz", "yz", "xz", "xy")},
    **{name: (title, 1.0) for name, title in zip(("lx_A", "ly_A", "lz_A"), ("Lx", "Ly", "Lz"), strict=True)},
    **{f"{c}_A": (c.capitalize(), 1.0) for c in ("xy", "xz", "yz")},
}
AVERAGED = ("temperature_K", "pressure_GPa", "potential_energy_eV", "total_energy_eV", "volume_A3")


def thermo_table(logs: list[LammpsLog], minimised: bool) -> dict[str, np.ndarray]:
    """Return the thermo output of all parts as one table.

    Args:
        logs: the run's logs, first to last; steps repeated after a restart are taken from the later one.
        minimised: the first part begins with a minimisation, which is left out.

    Returns:
        columns (n_rows,) by name and unit.
    """
    blocks = dynamics_blocks(logs, minimised)
    if not blocks or not any(block.rows for block in blocks):
        raise LammpsError("the run printed no thermo output yet.")
    whole = joined(blocks)
    return {name: whole[title] * factor for name, (title, factor) in _COLUMNS.items()}


def gaps(steps: np.ndarray, every: int) -> list[str]:
    """Return a warning where the table lacks steps, as after a log was deleted or damaged.

    Args:
        steps: (n_rows,) of the table, increasing.
        every: distance between rows at most.
    """
    before = np.concatenate([[-every], steps[:-1]])
    holes = [f"{b + every:g} to {s - 1:g}" for b, s in zip(before, steps, strict=True) if s - b > every]
    if not holes:
        return []
    return [
        f"the thermo output of steps {', '.join(holes)} is missing, its log is damaged or was deleted: table and averages "
        "leave these steps out."
    ]


def dynamics_blocks(logs: list[LammpsLog], minimised: bool) -> list[ThermoBlock]:
    """Return the thermo blocks of the dynamics, without that of the minimisation."""
    titles = {title for title, _ in _COLUMNS.values()}
    found = []
    for k, log in enumerate(logs):
        blocks = [block for block in log.blocks if titles <= set(block.names)]  # other text may look like one
        found += blocks[1 if minimised and k == 0 else 0 :]
    return found


def summarise(table: Mapping[str, np.ndarray], blocks: list[ThermoBlock], ensemble: str) -> dict[str, Any]:
    """Return averages over the second half, the drift of the energy where it is conserved, and the speed.

    Args:
        table: what ``thermo_table`` returned.
        blocks: blocks of rows from the dynamics.
        ensemble: the run's ensemble; the drift is given for nve.
    """
    done = [block for block in blocks if block.finished]
    n_atoms = done[-1].n_atoms if done else None
    second = slice(len(table["step"]) // 2, None)
    summary: dict[str, Any] = {
        "steps": int(table["step"][-1]),
        "time_ps": float(table["time_ps"][-1]),
        "n_atoms": n_atoms,
        "averages": {
            name: {"mean": float(table[name][second].mean()), "std": float(table[name][second].std())}
            for name in AVERAGED
        },
    }
    if n_atoms and ensemble == "nve" and len(table["step"]) > 2:
        slope = np.polyfit(table["time_ps"], table["total_energy_eV"], 1)[0]
        summary["energy_drift_meV_per_atom_ps"] = float(1000 * slope / n_atoms)
    seconds = sum(block.loop_seconds or 0.0 for block in done)
    work = sum(block.n_steps * block.n_atoms for block in done)
    if seconds > 0 and work > 0:
        summary["ranks"] = done[-1].n_ranks
        summary["atom_steps_per_second"] = work / seconds
        summary["loop_seconds"] = seconds
    return summary


def write_report(folder: Path, table: Mapping[str, np.ndarray], summary: Mapping[str, Any]) -> None:
    """Write ``summary.json`` and the figure ``thermo.png`` with ``thermo.csv`` beside it."""
    write_atomically(folder / "summary.json", json.dumps(summary, indent=2) + "\n")
    figure, axes = new_figure(3, width=4.0, height=3.0)
    per_atom = summary["n_atoms"] or 1
    unit = "eV/atom" if summary["n_atoms"] else "eV"
    time = table["time_ps"]
    axes[0].plot(time, table["temperature_K"])
    axes[0].set(xlabel="time [ps]", ylabel="temperature [K]")
    axes[1].plot(time, table["pressure_GPa"])
    axes[1].set(xlabel="time [ps]", ylabel="pressure [GPa]")
    axes[2].plot(time, table["potential_energy_eV"] / per_atom, label="potential")
    axes[2].plot(time, table["total_energy_eV"] / per_atom, label="total")
    axes[2].set(xlabel="time [ps]", ylabel=f"energy [{unit}]")
    axes[2].legend(frameon=False)
    save_figure(figure, folder / "thermo.png", table)
