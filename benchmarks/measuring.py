"""What every benchmark needs: the crystal, models without training, isolated processes, and results that say where and when.

Imports only ase at the top, so that interpreters without unnp (those of other packages) can use it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ase
from ase.build import bulk

HERE = Path(__file__).resolve().parent
RESULTS = Path(os.environ.get("UNNP_RESULTS", HERE / "results"))
"""where results go; gpu_day.sh keeps its own apart"""
TRAINED = HERE.parent / "models" / "teanet-mlearn-Ni" / "model.pt"
NEIGHBORS = 50.0  # of an atom of warm fcc Ni within 5 A
Row = dict[str, Any]


def nickel(n_atoms: int, seed: int = 0) -> ase.Atoms:
    """Return a cube of fcc Ni (a = 3.52 A) with atoms displaced by 0.05 A; n_atoms is 4, 32, 108, 256, ..."""
    repeat = round((n_atoms / 4) ** (1 / 3))
    if 4 * repeat**3 != n_atoms:
        raise SystemExit(f"{n_atoms} atoms are no cube of fcc cells; take 4 n^3: 108, 256, 864, 2048, 6912, 16384.")
    atoms = bulk("Ni", "fcc", a=3.52, cubic=True) * repeat
    atoms.rattle(0.05, seed=seed)
    return atoms


def model_file(model: str, folder: Path) -> Path:
    """Return a model file: the one given, or one of random weights, exported into a folder.

    Args:
        model: a file, a preset of TeaNet (S, M, L), or ``ARCHITECTURE:PRESET``, the preset ``default`` or one of its own.
        folder: where to write it.
    """
    if Path(model).is_file():
        return Path(model).resolve()
    import torch
    from unnp.exported.export import export_model
    from unnp.models import Head, PotentialConfig, TrainingData, build_potential

    torch.manual_seed(0)
    config = PotentialConfig.model_validate(potential_settings(model))
    potential = build_potential(config, ["Ni"], [Head(1.0, {"Ni": 0.0})], TrainingData(NEIGHBORS))
    path = folder / f"{model.replace(':', '-')}.pt"
    export_model([potential], path, name=f"{model}, random weights")
    return path


def potential_settings(model: str) -> Row:
    """Return the settings of a potential called ``PRESET`` of TeaNet, or ``ARCHITECTURE:PRESET``."""
    architecture, _, preset = model.rpartition(":")
    return {"architecture": architecture or "teanet"} | ({} if preset == "default" else {"preset": preset})


def default_models() -> list[str]:
    """Return the smallest preset, and the trained Ni model or, where there is none, its preset."""
    return ["S", str(TRAINED) if TRAINED.is_file() else "M"]


def label(model: str) -> str:
    """Return how a model is called in tables."""
    if model.endswith(".pt"):
        return f"unnp {Path(model).parent.name}"
    return f"unnp {model.replace(':', ' ') if ':' in model else f'TeaNet {model}'}"


def isolated(script: str, case: Row, python: str = sys.executable) -> Row:
    """Run ``script --case JSON`` in a process of its own and return the row it prints, with the process's peak memory.

    A case that fails or whose package is missing gives a row with a note instead of numbers.

    Args:
        script: a benchmark; it prints one line of JSON last.
        case: what to measure; ``threads`` sets the number of threads.
        python: interpreter to run it.
    """
    threads = str(case.get("threads", 1))
    variables = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    command = [python, script, "--case", json.dumps(case)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or []))
    reader.start()
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode == 0:
        return {**case, **json.loads(output.strip().splitlines()[-1]), "peak_rss_mb": usage.ru_maxrss / 1024}
    reason = errors[-1].strip() if errors else f"exit code {process.returncode}"
    if process.returncode < 0:
        reason = f"killed by signal {-process.returncode}" + (", out of memory" if process.returncode == -9 else "")
    missing = reason.startswith("ModuleNotFoundError")
    return {**case, "note": "not installed" if missing else f"failed: {reason[:200]}"}


def cpu_name() -> str:
    """Return the model string of the CPU."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.is_file() else []
    return str(names[0]) if names else platform.processor() or platform.machine()


def machine_folder(gpu: str | None = None) -> Path:
    """Return the folder of the results of this kind of machine, named by its GPU, or by its CPU and number of cores."""
    words = gpu or re.sub(r"\(\w+\)", "", cpu_name()).split("@")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return RESULTS / (slug if gpu else f"{slug}-{os.cpu_count()}-cores")


def _machine(gpu: bool) -> Row:
    import torch

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = torch.cuda.get_device_name() if gpu and torch.cuda.is_available() else None
    capability = torch.backends.cpu.get_cpu_capability()
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "simd": capability, "memory_gib": round(memory, 1), "gpu": name}


class Report:
    """Collects the rows of a benchmark, prints each, and writes them after each, so that nothing is lost.

    Args:
        name: of the benchmark; results go to ``<name>.json``.
        settings: what was asked for.
    """

    def __init__(self, name: str, settings: Row) -> None:
        from unnp.evaluate.card import versions

        machine = _machine(settings.get("device", "cpu") != "cpu")
        self.path = machine_folder(machine["gpu"]) / f"{name}.json"
        self.rows: list[Row] = []
        self._head = {
            "benchmark": name,
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": machine,
            "versions": versions(),
            "settings": settings,
            "load_before": os.getloadavg()[0],
        }
        print(f"{name}: load average {self._head['load_before']:.2f} before the start", flush=True)

    def add(self, row: Row) -> Row:
        """Take in a row and return it."""
        from unnp.files.writing import write_atomically

        self.rows.append(row)
        shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()}
        print("  ".join(f"{k}={v}" for k, v in shown.items()), flush=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {**self._head, "load_after": os.getloadavg()[0], "rows": self.rows}
        write_atomically(self.path, json.dumps(whole, indent=1) + "\n")
        return row


def memory_per_atom(rows: list[Row]) -> float | None:
    """Return the growth of the peak memory with the number of atoms [MB/atom], between the two largest sizes measured."""
    sizes = sorted((row["n_atoms"], row["peak_rss_mb"]) for row in rows if row.get("peak_rss_mb"))
    if len(sizes) < 2:
        return None
    (n_small, small), (n_large, large) = sizes[-2:]
    return float((large - small) / (n_large - n_small))
