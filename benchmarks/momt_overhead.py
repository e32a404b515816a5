"""What `fix momt` adds to a step: the same dynamics with and without it, in turn, for EAM and a model of unnp.

Both runs integrate at constant energy; the bias is adaptive (opes, temperatures 650 to 1400 K, umbrellas of `sk`, an update
every 25 steps), as in `unnp sample momt`. Every ratio is that of the shortest loops of several pairs of runs.
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
ORDERS = {"sk": "sk fcc {n} {n} {n}", "q6": "q6 3.0 4.2"}


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


def seconds(case: Case, fix: str, ranks: int, folder: Path) -> tuple[float, float]:
    """Return the time of a loop [s] and the share of the CPU that it got [%]."""
    from unnp.lammps.data_file import data_file
    from unnp.lammps.run import run_lammps

    deck = DECK.format(style=case.lines, fix=fix, steps=case.steps, warmup=max(2, case.steps // 10))
    (folder / "in.lammps").write_text(deck)
    (folder / "structure.data").write_text(data_file(case.atoms, [case.element]))
    run_lammps(folder / "in.lammps", ranks=ranks)
    last = (folder / "log.lammps").read_text().rpartition("Loop time of ")[2]
    return float(last.split()[0]), float(last.partition("% CPU use")[0].split()[-1])


def measure(case: Case, order: str, ranks: int, repeats: int, folder: Path) -> Row:
    """Return the overhead of an order parameter; runs with and without the fix alternate, so that both meet the same load."""
    fix = FIX.format(order=ORDERS[order].format(n=case.cells))
    pairs = [[seconds(case, words, ranks, folder) for words in ("", fix)] for _ in range(repeats)]
    plain, biased = (min(pair[k][0] for pair in pairs) for k in (0, 1))
    return {
        "style": case.name,
        "order": order,
        "n_atoms": len(case.atoms),
        "ranks": ranks,
        "ms_per_step": 1e3 * plain / case.steps,
        "ms_per_step_with_fix": 1e3 * biased / case.steps,
        "overhead_percent": 100 * (biased / plain - 1),
        "asked_percent": case.asked,
        "cpu_use_percent": min(run[1] for pair in pairs for run in pair),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1])
    parser.add_argument("--orders", nargs="+", choices=list(ORDERS), default=list(ORDERS))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    report = Report("momt_overhead", vars(arguments))
    with tempfile.TemporaryDirectory() as name:
        for case in cases():
            for ranks in arguments.ranks:
                for order in arguments.orders:
                    report.add(measure(case, order, ranks, arguments.repeats, Path(name)))


if __name__ == "__main__":
    main()
