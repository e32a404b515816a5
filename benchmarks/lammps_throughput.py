"""Molecular dynamics of fcc Ni in LAMMPS: time and memory per atom of ``pair_style unnp``, EAM, SNAP and DeePMD."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measuring import HERE, Report, Row, default_models, label, memory_per_atom, model_file, nickel

DECK = """units           metal
atom_style      atomic
neighbor        1.0 bin
read_data       structure.data
{style}
velocity        all create 300 1 mom yes dist gaussian
fix             dynamics all nve
timestep        {timestep}
thermo          {steps}
run             {warmup}
run             {steps} pre no
"""
PARTS = ["edges", "forward", "backward", "exchange", "forces"]


@dataclass(frozen=True)
class Style:
    """A pair style: the lines of the deck, how many atom-steps make a measurement, the LAMMPS that knows it, the timestep,
    whether a rank may use several threads."""

    name: str
    lines: str
    atom_steps: int
    lmp: str = "lmp"
    timestep: float = 0.001  # ps
    threaded: bool = False


def styles(models: list[str], folder: Path, arguments: argparse.Namespace) -> list[Style]:
    """Return ours and, on the CPU, EAM and SNAP of the LAMMPS distribution, and DeePMD where a model is given."""
    device = f" device {arguments.device}"
    atom_steps = 30_000 if arguments.device == "cpu" else 500_000
    ours = [
        Style(
            label(m), f'pair_style unnp{device}\npair_coeff * * "{model_file(m, folder)}" Ni', atom_steps, threaded=True
        )
        for m in models
    ]
    if arguments.device != "cpu":  # the others run on the CPU and are measured there
        return ours
    stock = [
        Style("EAM (Ni_u3)", "pair_style eam\npair_coeff * * Ni_u3.eam", 2_000_000),
        Style("SNAP (Zuo 2020)", snap("Ni_Zuo_JPCA2020"), 30_000),
        Style("qSNAP (Zuo 2020)", snap("Ni_Zuo_JPCA2020.quadratic"), 30_000),
    ]
    if arguments.deepmd is None:
        return [*ours, *stock]
    lines = f'pair_style deepmd "{arguments.deepmd.resolve()}"\npair_coeff * * Ni'
    return [*ours, *stock, Style("DeePMD se_e2_a", lines, 30_000, arguments.deepmd_lmp)]


def snap(name: str) -> str:
    """Return the lines of a SNAP potential of the LAMMPS distribution."""
    return f"pair_style snap\npair_coeff * * {name}.snapcoeff {name}.snapparam Ni"


def measure(style: Style, n_atoms: int, ranks: int, threads: int, folder: Path) -> Row:
    """Run one deck and return its row."""
    from unnp.lammps.data_file import data_file
    from unnp.lammps.launch import Launch
    from unnp.lammps.run import run_lammps

    steps = max(5, min(500, style.atom_steps // n_atoms))
    deck = DECK.format(style=style.lines, steps=steps, warmup=max(1, steps // 10), timestep=style.timestep)
    (folder / "in.lammps").write_text(deck)
    (folder / "structure.data").write_text(data_file(nickel(n_atoms), ["Ni"]))
    for file in folder.glob("rank-*.mb"):
        file.unlink()
    wrapper = shlex.join([sys.executable, str(HERE / "rank_memory.py"), str(folder)])
    launch = Launch(ranks=ranks, threads=threads, launcher=f"mpirun -n {{ranks}} {wrapper}", lmp=style.lmp)
    run_lammps(folder / "in.lammps", launch)
    peak = sum(float(file.read_text()) for file in folder.glob("rank-*.mb"))
    row: Row = {"style": style.name, "ranks": ranks, "threads": threads, "n_atoms": n_atoms, "steps": steps}
    row["peak_rss_mb"] = peak
    return row | _times((folder / "log.lammps").read_text(), n_atoms * steps, ranks, threads)


def _times(log: str, atom_steps: int, ranks: int, threads: int) -> Row:
    """Return the times of the last run in a log [us/atom/step/thread] and the share of the CPU that it got."""
    last = log.rpartition("Loop time of ")[2]
    loop, used = float(last.split()[0]), re.search(r"([\d.]+)% CPU use", last)
    scale = 1e6 * ranks * threads / atom_steps
    row: Row = {"us_per_atom_step_thread": scale * loop, "atom_steps_per_s": atom_steps / loop}
    row |= {"cpu_use_percent": float(used[1]) / threads} if used else {}
    seconds = dict(re.findall(r"^  (\w+) +(\S+)  \S+$", last.partition("pair_style unnp: time")[2], re.MULTILINE))
    return row | {f"us_{part}": scale * float(seconds[part]) for part in PARTS if part in seconds}


def measure_all(style: Style, ranks: int, threads: int, sizes: list[int], folder: Path, report: Report) -> None:
    """Report a pair style at all sizes on a number of ranks with some threads each, or why it does not run here."""
    from unnp.errors import LammpsError

    shared: Row = {"style": style.name, "ranks": ranks, "threads": threads}
    try:
        rows = [report.add(measure(style, n, ranks, threads, folder)) for n in sizes]
    except LammpsError as error:
        report.add({**shared, "note": f"failed: {str(error).splitlines()[0][:120]}"})
        return
    report.add({**shared, "mb_per_atom": memory_per_atom(rows)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=default_models(), help="model files, or presets of random weights")
    parser.add_argument("--atoms", type=int, nargs="+", default=[256, 2048, 16384])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="of one rank of pair_style unnp, beside 1")
    parser.add_argument("--device", default="cpu", help="of pair_style unnp")
    parser.add_argument("--deepmd", type=Path, help="DeePMD model of Ni")
    parser.add_argument("--deepmd-lmp", default="lmp", help="a LAMMPS that knows pair_style deepmd")
    arguments = parser.parse_args()
    os.environ |= {
        "DP_INTRA_OP_PARALLELISM_THREADS": "1",
        "DP_INTER_OP_PARALLELISM_THREADS": "1",
    }  # else DeePMD takes all
    settings = {"atoms": arguments.atoms, "ranks": arguments.ranks, "device": arguments.device}
    report = Report("lammps_throughput", settings)
    with tempfile.TemporaryDirectory() as name:
        for style in styles(arguments.models, Path(name), arguments):
            cases = [(ranks, 1) for ranks in arguments.ranks]
            if style.threaded and arguments.device == "cpu":
                cases += [(1, threads) for threads in arguments.threads]
            for ranks, threads in cases:
                measure_all(style, ranks, threads, arguments.atoms, Path(name), report)
    if arguments.deepmd is None and arguments.device == "cpu":
        report.add({"style": "DeePMD", "note": "not measured (--deepmd)"})


if __name__ == "__main__":
    main()
