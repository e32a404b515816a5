"""Solid aluminium at several temperatures and pressures from one multithermal run each, against direct NPT runs.

One run of `fix momt` per pressure (108 atoms, T0 600 K, 400 to 900 K, no order parameter) is reweighted to each temperature.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from measuring import Report, Row
from unnp.lammps.launch import Launch
from unnp.lammps.run import run_lammps
from unnp.sampling.reweighting import log_weights
from unnp.sampling.samples import production, read_samples

TEMPERATURES = (420.0, 600.0, 850.0)
PRESSURES = (0.0, 5.0)  # GPa
T0, LOWEST, HIGHEST = 600.0, 400.0, 900.0
N_ATOMS, TIMESTEP, STRIDE = 108, 0.002, 20
BAR_PER_GPA = 1e4
N_BLOCKS = 20

DECK = """units metal
boundary p p p
lattice fcc 4.09
region box block 0 3 0 3 0 3
create_box 1 box
create_atoms 1 box
mass 1 26.9815
pair_style eam/fs
pair_coeff * * Al_mm.eam.fs Al
timestep {timestep}
velocity all create {temperature} {seed} mom yes dist gaussian
{bias}
fix box all nph iso {pressure} {pressure} 1.0
fix heat all temp/csvr {temperature} {temperature} 0.1 {seed}
thermo_style custom step temp pe vol
thermo_modify format float %.12g
thermo {stride}
run {steps}
"""


def run(folder: Path, steps: int, temperature: float, pressure: float, bias: str = "", seed: int = 4711) -> np.ndarray:
    """Run a deck and return energy [eV] and volume [A^3] per atom, (n, 2), without the first tenth."""
    folder.mkdir(parents=True, exist_ok=True)
    text = DECK.format(
        timestep=TIMESTEP,
        temperature=temperature,
        seed=seed,
        bias=bias,
        pressure=pressure * BAR_PER_GPA,
        stride=STRIDE,
        steps=steps,
    )
    (folder / "in.lammps").write_text(text)
    block = run_lammps(folder / "in.lammps", Launch(launcher="")).blocks[-1]
    rows = np.column_stack([block["PotEng"], block["Volume"]]) / N_ATOMS
    return rows[len(rows) // 10 :]


def reweighted(folder: Path, steps: int, adapt: int, pressure: float) -> Mapping[float, np.ndarray]:
    """Return mean and standard error of energy and volume per atom, (2, 2), at each temperature, from one run."""
    bias = (
        f"fix bias all momt T0 {T0} temps {LOWEST} {HIGHEST} 8 press {pressure * BAR_PER_GPA} "
        f"pace 25 freeze {adapt} log momt.log {STRIDE}"
    )
    run(folder, adapt + steps, T0, pressure, bias)
    samples = production(read_samples([folder / "momt.log"]), 0.0)
    values = np.column_stack([samples.energy, samples.volume]) / N_ATOMS
    results = {}
    for temperature in TEMPERATURES:
        weights = np.exp((log := log_weights(samples, temperature)) - log.max())
        mean = np.average(values, axis=0, weights=weights)
        blocks = [
            w @ (v - mean) / weights.mean() / len(w)
            for w, v in zip(np.array_split(weights, N_BLOCKS), np.array_split(values, N_BLOCKS), strict=True)
        ]
        results[temperature] = np.array([mean, np.std(blocks, axis=0, ddof=1) / np.sqrt(N_BLOCKS)])
    return results


def direct(folder: Path, steps: int, temperature: float, pressure: float) -> np.ndarray:
    """Return mean and standard error of energy and volume per atom, (2, 2), from an unbiased run."""
    rows = run(folder, steps, temperature, pressure)
    means = np.array([block.mean(0) for block in np.array_split(rows, N_BLOCKS)])
    return np.array([rows.mean(0), means.std(0, ddof=1) / np.sqrt(N_BLOCKS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps",
        type=int,
        default=2_000_000,
        help="of every multithermal run, after adaptation; a direct one has a third",
    )
    parser.add_argument("--adapt", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, default=Path("runs/momt-multithermal"))
    arguments = parser.parse_args()
    settings = {"T0_K": T0, "range_K": [LOWEST, HIGHEST], "n_atoms": N_ATOMS, "timestep_fs": 1000 * TIMESTEP}
    report = Report("momt_multithermal", {**settings, "steps": arguments.steps, "adapt": arguments.adapt})
    for pressure in PRESSURES:
        from_one = reweighted(arguments.folder / f"momt-{pressure:g}", arguments.steps, arguments.adapt, pressure)
        for temperature in TEMPERATURES:
            plain = direct(
                arguments.folder / f"npt-{pressure:g}-{temperature:g}", arguments.steps // 3, temperature, pressure
            )
            report.add(compared(pressure, temperature, from_one[temperature], plain))


def compared(pressure: float, temperature: float, one: np.ndarray, plain: np.ndarray) -> Row:
    """Return a row of the table."""
    return {
        "pressure_GPa": pressure,
        "temperature_K": temperature,
        "energy_eV": {"momt": float(one[0, 0]), "npt": float(plain[0, 0])},
        "volume_A3": {"momt": float(one[0, 1]), "npt": float(plain[0, 1])},
        "energy_difference_meV": float(1000 * (one[0, 0] - plain[0, 0])),
        "energy_error_meV": float(1000 * np.hypot(one[1, 0], plain[1, 0])),
        "volume_difference_percent": float(100 * (one[0, 1] / plain[0, 1] - 1)),
        "volume_error_percent": float(100 * np.hypot(one[1, 1], plain[1, 1]) / plain[0, 1]),
    }


if __name__ == "__main__":
    main()
