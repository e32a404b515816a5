"""Melting point of the Lennard-Jones crystal at zero pressure, by `unnp melt`: an independent check of its routes.

The literature's value for the full potential is T* = kT/epsilon = 0.69. Here the potential is cut, not
shifted, at 4 sigma without tail corrections, with epsilon and sigma of argon. What lies beyond the cutoff,
``u = (8/3) pi rho [ 1/(3 rc^9) - 1/rc^3 ]`` per atom in reduced units, is deeper in the denser crystal; to first order it moves
the melting point by ``(u_liquid - u_solid) / dS``, with the entropy of fusion from the slope of interface pinning.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from measuring import Report, Row
from unnp.config import from_dict
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.report import MeltReport
from unnp.workflows.melt.run import CONFIG_FILE, run_melt

KELVIN = 119.8  # epsilon / k of argon
SIGMA = 3.405  # A
LITERATURE = 0.69


def configuration(arguments: argparse.Namespace) -> MeltConfig:
    """Return the configuration: argon-like atoms, longer times than for a metal, and the melt not so hot that it boils."""
    epsilon = KELVIN * BOLTZMANN_EV_PER_K
    cutoff = arguments.cutoff * SIGMA
    return from_dict(
        {
            "structure": {"element": "Ar", "lattice": "fcc", "a": 1.62 * SIGMA},
            "potential": {"pair_style": f"lj/cut {cutoff:g}", "pair_coeff": [f"* * {epsilon:.9g} {SIGMA:g}"]},
            "temperatures": [0.6 * KELVIN, 0.78 * KELVIN],
            "timestep": 8.0,
            "cell": {
                "atoms": arguments.atoms,
                "equilibration": 8,
                "averaging": 16,
                "melting": 24,
                "cooling": 12,
                "melt_temperature": 0.88 * KELVIN,
            },
            "coexistence": {"duration": arguments.picoseconds},
            "pinning": {"duration": arguments.picoseconds / 3},
            "ranks": arguments.ranks,
        },
        MeltConfig,
    )


def tail(density: float, cutoff: float) -> float:
    """Return the energy per atom beyond the cutoff, all in reduced units."""
    return 8 / 3 * np.pi * density * (1 / (3 * cutoff**9) - 1 / cutoff**3)


def densities(report: MeltReport, folder: Path) -> tuple[float, float]:
    """Return reduced densities of crystal and melt: of the averaged box, and of the layers that are all melt."""
    cell = folder / "cells" / report.results["coexistence"].details["folder"]
    lengths = json.loads((cell / "solid.json").read_text())["result"]["lengths"]
    with (folder / "coexistence-profile.csv").open() as file:
        rows = list(csv.DictReader(file))
    melt = [float(row["density_per_A3"]) for row in rows if float(row["solid_share"]) < 0.02]
    return report.results["coexistence"].n_atoms / float(np.prod(lengths)) * SIGMA**3, float(np.mean(melt)) * SIGMA**3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--atoms", type=int, default=2000, help="at least as many")
    parser.add_argument("--cutoff", type=float, default=4.0, help="[sigma]")
    parser.add_argument("--picoseconds", type=float, default=240.0, help="of the run at constant enthalpy")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/lj-melting"), help="of the run; gone on with if it is there"
    )
    arguments = parser.parse_args()
    settings = {"cutoff_sigma": arguments.cutoff, "literature": LITERATURE, "ranks": arguments.ranks}
    output = Report("lj_melting", settings)
    resume = (arguments.folder / CONFIG_FILE).is_file()
    report = run_melt(configuration(arguments), Path(), arguments.folder, resume=resume)
    if report.failures:
        raise SystemExit("; ".join(report.failures.values()))
    solid, liquid = densities(report, arguments.folder)
    pinning = report.results["pinning"]
    assert pinning.latent_heat is not None
    entropy = pinning.latent_heat.value / pinning.melting_point.value / BOLTZMANN_EV_PER_K
    shift = (tail(liquid, arguments.cutoff) - tail(solid, arguments.cutoff)) / entropy
    for name, result in report.results.items():
        row: Row = {
            "route": name,
            "n_atoms": result.n_atoms,
            "T*": result.melting_point.value / KELVIN,
            "error": result.melting_point.error / KELVIN,
            "shift_by_the_tail": shift,
            "T*_full_potential": result.melting_point.value / KELVIN + shift,
            "entropy_of_fusion_k": entropy,
            "density_solid": solid,
            "density_liquid": liquid,
            "warnings": result.warnings,
        }
        output.add(row)


if __name__ == "__main__":
    main()
