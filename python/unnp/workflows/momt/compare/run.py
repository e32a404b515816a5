"""`unnp sample compare`: what plain dynamics sees in as many steps as a MOMT run made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from unnp.config import load_yaml
from unnp.errors import ConfigError, LammpsError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically, writing
from unnp.lammps.run import run_lammps
from unnp.sampling.samples import Samples, read_samples
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.compare.deck import n_stairs, plain_deck, ramp_deck
from unnp.workflows.momt.compare.figure import QUANTITIES, draw
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck import ADAPT, PRODUCTION
from unnp.workflows.momt.folder import CONFIG_FILE, Run, read_record, run_folder, walker_logs
from unnp.workflows.momt.watch.progress import MomtProgress

METHODS = ("solid", "liquid", "ramp")
TITLES = {"solid": "from solid", "liquid": "from liquid", "ramp": "ramp", "momt": "MOMT"}
COVERAGE_BINS = 20


def compare(folder: Path, temperature: float | None = None) -> dict[str, Any]:
    """Run plain dynamics from the solid, from the liquid, and a temperature ramp, each with the steps of a MOMT run.

    The steps are those of adaptation and production of all walkers; of the MOMT run, production is shown. Finished
    methods are not run again. The folder ``compare`` gets decks, logs, ``compare.json`` and ``histograms.png`` with its data.

    Args:
        folder: folder in which a MOMT run has finished its production.
        temperature: temperature for the plain runs [K]; None: the run's T0.

    Returns:
        the content of ``compare.json``.

    Raises:
        LammpsError: the run is not finished, or LAMMPS failed.
        ConfigError: the temperature lies outside the range of the run.
    """
    config, record = load_yaml(folder / CONFIG_FILE, MomtConfig), read_record(folder)
    run = Run(config, folder, run_folder(folder).system(), record)
    if record.basins is None or not record.chunks.get(PRODUCTION):
        raise LammpsError(
            f"{folder} has no production yet; finish it with `unnp sample momt CONFIG -o {folder} --resume`."
        )
    low, high = config.temperatures
    temperature = temperature or config.reference_temperature
    if not low <= temperature <= high:
        raise ConfigError(f"--temperature {temperature:g} must lie within {low:g} to {high:g} K, the range of the run.")
    with hold_folder(folder):
        return _compare(run, temperature)


def _compare(run: Run, temperature: float) -> dict[str, Any]:
    config, folder, record = run.config, run.folder, run.record
    steps = config.walkers * config.chunk_steps * (record.chunks[ADAPT] + record.chunks[PRODUCTION])
    make_folder(folder / "compare")
    samples = {method: _run(run, method, temperature, steps) for method in METHODS}
    momt = read_samples(walker_logs(folder, PRODUCTION))
    samples["momt"] = _columns([momt])
    basins = record.basins
    assert basins is not None  # the run is finished
    result = {
        "temperature": temperature,
        "steps": steps,
        "n_atoms": momt.n_atoms,
        "methods": {name: _seen(values, basins, samples) for name, values in samples.items()},
    }
    write_atomically(folder / "compare/compare.json", json.dumps(result, indent=2) + "\n")
    draw(samples, TITLES, momt.n_atoms, folder / "compare/histograms.png")
    return result


def table_rows(result: dict[str, Any]) -> list[list[str]]:
    """Return the rows of the comparison for the terminal."""
    return [
        [
            TITLES[name],
            f"{100 * seen['solid']:.0f} %",
            f"{100 * seen['liquid']:.0f} %",
            f"{seen['passages']}",
            f"{seen['bins']}",
        ]
        for name, seen in result["methods"].items()
    ]


def _run(run: Run, method: str, temperature: float, steps: int) -> dict[str, np.ndarray]:
    config, folder = run.config, run.folder
    deck = folder / f"in.compare.{method}.lammps"
    if method == "ramp":
        content = ramp_deck(config, run.system, steps)
    else:
        content = plain_deck(config, run.system, method, temperature, steps)
    logs = [folder / f"compare/momt.{method}.{k}.log" for k in range(n_stairs(config, method))]
    stamp = folder / f"compare/{method}.done"
    if not (stamp.exists() and stamp.read_text() == content):
        with writing(folder / "compare"):
            for log in logs:
                log.unlink(missing_ok=True)
        write_atomically(deck, content)
        with MomtProgress(f"compare {TITLES[method]}", logs[-1:], config, 0, steps) as progress:
            run_lammps(deck, config, log=f"log.compare.{method}.lammps", follow=progress)
        write_atomically(stamp, content)
    return _columns([read_samples([log]) for log in logs])


def _columns(parts: list[Samples]) -> dict[str, np.ndarray]:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*QUANTITIES, "enthalpy")}
    columns["walker"] = np.concatenate([part.walker for part in parts])
    return columns


def _seen(
    values: dict[str, np.ndarray], basins: Basins, everything: dict[str, dict[str, np.ndarray]]
) -> dict[str, Any]:
    """Return shares of the phases, passages between them, and how many bins of (H, s) were visited."""
    order = values["order"]
    phase = np.where(order > basins.solid, 1, np.where(order < basins.liquid, -1, 0))
    known = phase != 0
    passages = (np.diff(phase[known]) != 0) & (np.diff(values["walker"][known]) == 0)
    edges = []
    for name in ("enthalpy", "order"):
        together = np.concatenate([columns[name] for columns in everything.values()])
        edges.append(np.linspace(together.min(), together.max(), COVERAGE_BINS + 1))
    counts = np.histogram2d(values["enthalpy"], order, bins=edges)[0]
    return {
        "solid": float((phase == 1).mean()),
        "liquid": float((phase == -1).mean()),
        "passages": int(passages.sum()),
        "bins": int((counts > 0).sum()),
    }
