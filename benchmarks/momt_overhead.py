"""What `fix momt` adds to a step: the same dynamics with and without it, in turn, for EAM and a model of unnp.

Dynamics at constant energy on one rank; the bias is adaptive (opes, temperatures 650 to 1400 K, umbrellas, an update every 25
steps), as in `unnp sample momt`. The bias needs the energy at every step, which LAMMPS otherwise leaves out between lines of
thermo output: a run that only asks for that energy is measured too. Times are those of the CPU, the shortest of several runs
that take turns, so that other work on the machine matters little.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from ase.build import bulk
from measuring import TRAINED, Report, Row

DECK = """units           metal
neighbor        1.0 bin
read_data       structure.data
{style}
velocity        all create 900 1 mom yes dist gaussian
{fix}
fix             dynamics all nve
timestep        0.001
thermo          {steps}
run             {warmup}
run             {steps} pre no
"""
FIX = "fix momt all momt T0 900 temps 650 1400 12 order {order} mode opes pace 25 observe 1"
VARIANTS = {
    "plain": "",
    "energy": "compute energy all pe\nfix energy all ave/time 1 1 1 c_energy",
    "none": FIX.format(order="none"),
    "sk": FIX.format(order="sk fcc {n} {n} {n}"),
    "q6": FIX.format(order="q6 3.0 4.2"),
}


@dataclass(frozen=True)
class Case:
    """A potential, a cube of fcc cells, and the largest overhead asked for [%]."""

    name: str
    lines: str
    element: str
    a: float
    cells: int
    steps: int
    asked: float | None = None

    @property
    def atoms(self) -> Atoms:
        return bulk(self.element, "fcc", a=self.a, cubic=True) * self.cells


EAM = "pair_style eam/fs\npair_coeff * * Al_mm.eam.fs Al"


def cases() -> list[Case]:
    """Return EAM at 108 and 4,000 atoms, and the trained model of nickel at 256 atoms where it is there."""
    eam = [Case("EAM (Al_mm)", EAM, "Al", 4.05, 10, 200, 5.0), Case("EAM (Al_mm)", EAM, "Al", 4.05, 3, 4000)]
    if not TRAINED.is_file():
        return eam
    model = f'pair_style unnp\npair_coeff * * "{TRAINED}" Ni'
    return [*eam, Case("unnp teanet-mlearn-Ni", model, "Ni", 3.52, 4, 100, 1.0)]


def cpu_time(case: Case, fix: str, folder: Path) -> float:
    """Return the CPU time of a step [ms]."""
    from unnp.lammps.data_file import data_file
    from unnp.lammps.run import run_lammps

    deck = DECK.format(style=case.lines, fix=fix, steps=case.steps, warmup=max(2, case.steps // 10))
    (folder / "in.lammps").write_text(deck)
    (folder / "structure.data").write_text(data_file(case.atoms, [case.element]))
    run_lammps(folder / "in.lammps")
    last = (folder / "log.lammps").read_text().rpartition("Loop time of ")[2]
    used = float(last.partition("% CPU use")[0].split()[-1]) / 100
    return 1e3 * float(last.split()[0]) * used / case.steps


def measure(case: Case, repeats: int, folder: Path, report: Report) -> None:
    """Report all variants of a case; they take turns."""
    fixes = {name: text.format(n=case.cells) for name, text in VARIANTS.items()}
    rounds = [{name: cpu_time(case, fix, folder) for name, fix in fixes.items()} for _ in range(repeats)]
    best = {name: min(times[name] for times in rounds) for name in fixes}
    for name, time in best.items():
        row: Row = {"style": case.name, "n_atoms": len(case.atoms), "variant": name, "cpu_ms_per_step": time}
        if name != "plain":
            row["overhead_percent"] = 100 * (time / best["plain"] - 1)
        if name not in ("plain", "energy"):
            row |= {"beyond_energy_percent": 100 * (time / best["energy"] - 1), "asked_percent": case.asked}
        report.add(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    report = Report("momt_overhead", vars(arguments))
    with tempfile.TemporaryDirectory() as name:
        for case in cases():
            measure(case, arguments.repeats, Path(name), report)


if __name__ == "__main__":
    main()
