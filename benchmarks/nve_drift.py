"""Drift of the total energy in NVE molecular dynamics of aluminium in LAMMPS: 20 ps at 600 K with a timestep of 1 fs.

Takes the model that `make demo` leaves. The drift is the slope of a straight line through the total energy.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measuring import HERE, Report, Row
from unnp.config import from_dict
from unnp.exported.archive import read_manifest
from unnp.plots import new_figure, save_figure
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.run import run_md

MODEL = HERE.parent / "demo-output/model.pt"
ALLOWED = 0.1  # meV/atom/ps


def measure(arguments: argparse.Namespace, folder: Path) -> tuple[Row, dict[str, np.ndarray]]:
    """Return drift and speed of a run, and its thermo output, which it leaves in a folder."""
    config = from_dict(
        {
            "structure": {"element": "Al", "lattice": "fcc", "a": 4.09, "repeat": [arguments.cells] * 3},
            "potential": {"model": str(arguments.model.resolve())},
            "ensemble": "nve",
            "temperature": 2 * arguments.temperature,  # half of it goes into the displacements
            "steps": round(1000 * arguments.picoseconds / arguments.timestep),
            "timestep": arguments.timestep,
            "thermo": 20,
            "dump": None,
            "ranks": arguments.ranks,
        },
        MdConfig,
    )
    summary = run_md(config, folder, folder).summary
    table = np.genfromtxt(folder / "thermo.csv", delimiter=",", names=True)
    per_atom = 1000 * table["total_energy_eV"] / summary["n_atoms"]
    line = np.polyfit(table["time_ps"], per_atom, 1)
    row = {
        "n_atoms": summary["n_atoms"],
        "picoseconds": float(table["time_ps"][-1]),
        "timestep_fs": arguments.timestep,
        "temperature_K": summary["averages"]["temperature_K"]["mean"],
        "drift_meV_per_atom_ps": float(line[0]),
        "allowed_meV_per_atom_ps": ALLOWED,
        "fluctuation_meV_per_atom": float(np.std(per_atom - np.polyval(line, table["time_ps"]))),
        "atom_steps_per_second": summary["atom_steps_per_second"],
        "ranks": summary["ranks"],
    }
    return row, {"time_ps": table["time_ps"], "total_energy_meV_per_atom": per_atom - per_atom[0]}


def draw(path: Path, series: dict[str, np.ndarray], drift: float) -> None:
    """Plot the total energy over time."""
    figure, (ax,) = new_figure(width=5.6)
    ax.plot(series["time_ps"], series["total_energy_meV_per_atom"], lw=0.6)
    ax.set(xlabel="time [ps]", ylabel="total energy [meV/atom]", title=f"drift {drift:.2g} meV/atom/ps")
    save_figure(figure, path, series)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL, help="exported model of Al; default: that of make demo")
    parser.add_argument("--cells", type=int, default=4, help="fcc cells along each edge")
    parser.add_argument("--temperature", type=float, default=600.0, help="[K]")
    parser.add_argument("--timestep", type=float, default=1.0, help="[fs]")
    parser.add_argument("--picoseconds", type=float, default=20.0)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("runs/nve-drift"), help="of the run")
    arguments = parser.parse_args()
    if not arguments.model.is_file():
        parser.error(f"there is no {arguments.model}; run `make demo` first, or give --model.")
    manifest = read_manifest(arguments.model)
    settings = {"model": manifest.name, "n_parameters": manifest.n_parameters, "dtype": manifest.dtype}
    report = Report("nve_drift", {**settings, "errors": manifest.metrics})
    row, series = measure(arguments, arguments.folder)
    report.add(row)
    draw(report.path.with_suffix(".png"), series, row["drift_meV_per_atom_ps"])


if __name__ == "__main__":
    main()
