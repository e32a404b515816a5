"""What this machine has of what unnp needs, whether it fits together, and what to do where it does not."""

from __future__ import annotations

import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from unnp import __version__
from unnp.core import core
from unnp.errors import LammpsError, UnnpError
from unnp.exported.manifest import TORCH_SUPPORTED, release
from unnp.lammps.executables import environment, find_executable
from unnp.lammps.launch import Launch
from unnp.lammps.plugin import plugin_path
from unnp.lammps.run import run_lammps
from unnp.workflows.doctor.ten_steps import ten_steps, write_model

Verdict = Literal["ok", "note", "failed", "skipped"]
TOLERANCE = 1e-8
"""Largest difference [eV, eV/A] between LAMMPS and ASE; both compute in float64."""
SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked at.
        verdict: ``note`` is no fault, ``skipped`` could not be tried because of an earlier failure.
        text: what was found.
        advice: what to do, where there is something to do.
    """

    name: str
    verdict: Verdict
    text: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Yield the findings one by one, as they are made; the last ones run LAMMPS."""
    failed = False
    for name, check in CHECKS.items():
        finding = _guarded(name, check)
        failed |= finding.verdict == "failed"
        yield finding
    if failed:
        yield Finding("10-step check", "skipped", "not tried", "Mend what failed above, then run `unnp doctor` again.")
        return
    yield from _ten_steps()


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UnnpError as error:
        return Finding(name, "failed", str(error))
    except Exception as error:  # the doctor reports what breaks, it does not break
        return Finding(name, "failed", f"{type(error).__name__}: {error}", "This is not expected; please report it.")


def _python() -> Finding:
    return Finding("unnp", "ok", f"{__version__}, Python {platform.python_version()}, {platform.machine()}")


def _torch() -> Finding:
    text = f"{torch.__version__}, {torch.get_num_threads()} threads"
    oldest, newest = TORCH_SUPPORTED
    if not release(oldest) <= release(torch.__version__) <= release(newest):
        return Finding("torch", "failed", text, f"Install torch {oldest} to {newest}, then unnp again.")
    return Finding("torch", "ok", text)


def _gpus() -> Finding:
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
        return Finding("GPU", "ok", f"{', '.join(names)} (CUDA {torch.version.cuda})")
    if torch.version.cuda is None:
        return Finding(
            "GPU", "note", "none used: this torch is built for the CPU", "For GPUs install a CUDA build of torch."
        )
    return Finding(
        "GPU", "note", f"none found (torch is built for CUDA {torch.version.cuda})", "`nvidia-smi` shows drivers."
    )


def _compiled_part() -> Finding:
    info = core().build_info()
    text = f"built with torch {info['torch_built']} and g++ {info['compiler']}, runs with torch {info['torch_running']}"
    return Finding("compiled part", "ok", text)


def _mpi() -> Finding:
    program = find_executable("mpirun")
    lines = _output(program, "--version") or ["version unknown"]
    hydra = next((line.partition(":")[2].strip() for line in lines if line.startswith("Version:")), None)
    return Finding("MPI", "ok", f"{f'MPICH {hydra}' if hydra else lines[0]} ({program})")


def _lammps() -> Finding:
    program = find_executable("lmp")
    lines = _output(program, "-h")
    title = next((line for line in lines if "Massively Parallel Simulator" in line), "")
    if not title:
        raise LammpsError(f"{program} -h does not answer like LAMMPS; check which program that is.")
    packages = _packages(lines)
    mpi = next((line for line in lines if line.startswith("MPI v")), "MPI unknown")
    text = f"{title.partition(' - ')[2]}, {len(packages)} packages, {' '.join(mpi.split())} ({program})"
    if "PLUGIN" not in packages:
        return Finding("LAMMPS", "failed", text, "It cannot load plugins; take one built with the package PLUGIN.")
    return Finding("LAMMPS", "ok", text)


def _packages(lines: list[str]) -> list[str]:
    """Return the words between the titles of two sections of ``lmp -h``."""
    text = "\n".join(lines).partition("Installed packages:")[2]
    return text.partition("List of individual style options")[0].split()


def _plugin() -> Finding:
    path = plugin_path()
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "in.lammps"
        deck.write_text("units metal\nregion box block 0 9 0 9 0 9\ncreate_box 1 box\nplugin list\npair_style unnp\n")
        try:
            run_lammps(deck, Launch(launcher=""))
        except LammpsError as error:
            advice = "Install unnp again, beside the LAMMPS and the torch it is to run with."
            return Finding("pair_style unnp", "failed", f"{path}: {error}", advice)
        printed = (Path(folder) / "log.lammps.out").read_text()
    if "pair style plugin unnp" not in printed:
        return Finding("pair_style unnp", "failed", f"{path} is there, but LAMMPS did not load it by itself")
    return Finding("pair_style unnp", "ok", f"{path}, loaded by LAMMPS, same release of LAMMPS and torch")


CHECKS: dict[str, Callable[[], Finding]] = {
    "unnp": _python,
    "torch": _torch,
    "GPU": _gpus,
    "compiled part": _compiled_part,
    "MPI": _mpi,
    "LAMMPS": _lammps,
    "pair_style unnp": _plugin,
}


def _ten_steps() -> Iterator[Finding]:
    runs = [("1 rank", 1, "cpu"), ("2 ranks", 2, "cpu")]
    runs += [("1 rank, GPU", 1, "cuda")] if torch.cuda.is_available() else []
    with tempfile.TemporaryDirectory(prefix="unnp-doctor-") as name:
        folder = Path(name)
        exported = _guarded("export", lambda: _exported(write_model(folder)))
        yield exported
        if exported.verdict == "failed":
            return
        for title, ranks, device in runs:
            yield _guarded(f"10 steps, {title}", partial(_steps, title, folder, ranks, device))


def _exported(model: Path) -> Finding:
    return Finding("export", "ok", f"a model with random weights, {model.stat().st_size / 1024:.0f} KiB")


def _steps(title: str, folder: Path, ranks: int, device: str) -> Finding:
    difference = ten_steps(folder, ranks, device)
    text = f"LAMMPS and ASE differ by {difference:.1e} eV, eV/A"
    if difference <= TOLERANCE:
        return Finding(f"10 steps, {title}", "ok", text)
    return Finding(f"10 steps, {title}", "failed", text, "Do not trust results of this machine; please report it.")


def _output(*command: str) -> list[str]:
    """Return the lines a program prints."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=SECONDS, env=environment(1)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LammpsError(f"{' '.join(command)} does not run: {error}.") from None
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
