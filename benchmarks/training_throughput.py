"""Training of TeaNet and others on synthetic cells of fcc Ni (108 atoms, EMT labels): time per step and peak memory."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Report, Row, isolated, nickel, potential_settings

N_ATOMS = 108


class Clock:
    """Observer of a training that notes when batches are done."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._last: float | None = None

    def batch(self, done: int, n_batches: int, fraction: float) -> None:
        """Note the time since the last batch of the same epoch."""
        now = time.monotonic()
        if self._last is not None and done > 1:
            self.times.append(now - self._last)
        self._last = now

    def epoch(self, record: Row) -> None:
        """The first epoch was the warm-up."""
        if record["epoch"] == 1:
            self.times.clear()


def write_cells(path: Path, n_structures: int) -> None:
    """Write rattled cells of Ni with EMT energies, forces and stresses."""
    from ase.calculators.emt import EMT
    from ase.io import write

    frames = []
    for k in range(n_structures):
        atoms = nickel(N_ATOMS, seed=k)
        atoms.calc = EMT()
        atoms.get_stress()
        frames.append(atoms)
    write(path, frames, format="extxyz")


def trainer(case: Row, folder: Path, clock: Clock) -> Any:
    """Return a trainer as ``unnp train`` makes it, that reports to a clock."""
    import torch
    from unnp.train.building import build
    from unnp.train.config import TrainConfig
    from unnp.train.datasets import open_sources
    from unnp.train.distributed import join
    from unnp.train.memory import keep_freed_memory
    from unnp.train.run_folder import RunFolder
    from unnp.train.signals import StopRequest
    from unnp.train.trainer import Task, Trainer

    torch.set_num_threads(case["threads"])
    keep_freed_memory()
    write_cells(folder / "cells.extxyz", case["batch_size"] * case["steps"])
    write_cells(folder / "few.extxyz", 1)
    config = TrainConfig.model_validate(
        {
            "data": {"train": [str(folder / "cells.extxyz")], "validation": [str(folder / "few.extxyz")]},
            "potential": potential_settings(case["preset"]),
            "loss": {"energy": {"weight": 10}, "forces": {"weight": 1}, "stress": {"weight": 1000}},
            "batch_size": case["batch_size"],
            "epochs": 2,
            "device": case["device"],
        }
    )
    processes, device = join(config.device)
    potential, datasets = build(config, open_sources(config.data, config.seed))
    description = {"potential": potential.describe(), "data": {}}
    potential.to(device)
    run = RunFolder(folder / "run")
    run.create()
    task = Task(config, potential, datasets["train"], datasets["validation"], description, processes, device)
    return Trainer(task, run, clock, StopRequest())


def run_case(case: Row) -> Row:
    """Train for two epochs and return the median step of the second, and the memory before the first step."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        training = trainer(case, Path(name), clock)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
        training.run(None)
    step, potential = median(clock.times), training.task.potential
    return {
        "n_parameters": potential.n_parameters,
        "steps_timed": len(clock.times),
        "ms_per_step": 1e3 * step,
        "structures_per_s": case["batch_size"] / step,
        "us_per_atom": 1e6 * step / (case["batch_size"] * N_ATOMS),
        "rss_before_mb": resident,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=["S", "M", "L"], help="of TeaNet, or ARCHITECTURE:PRESET")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[4], help="cells per batch")
    parser.add_argument("--steps", type=int, default=12, help="steps per epoch; the first of two epochs is the warm-up")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(run_case(json.loads(arguments.case))))
        return
    shared = {"steps": arguments.steps, "device": arguments.device}
    report = Report("training_throughput", {**shared, "n_atoms_per_structure": N_ATOMS})
    for preset, threads, size in product(arguments.presets, arguments.threads, arguments.batch_sizes):
        report.add(isolated(__file__, {"preset": preset, "threads": threads, "batch_size": size, **shared}))


if __name__ == "__main__":
    main()
