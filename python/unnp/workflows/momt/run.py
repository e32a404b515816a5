"""`unnp sample momt`: all stages of a run, one after the other, each finished piece kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.errors import SamplingError
from unnp.files.locks import hold_folder
from unnp.files.writing import write_atomically
from unnp.lammps.captured import told
from unnp.sampling.report import analyse
from unnp.sampling.samples import Samples, production, read_samples
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck import ADAPT, PRODUCTION, observe_deck
from unnp.workflows.momt.folder import Run, prepare, reopen, run_folder, walker_logs
from unnp.workflows.momt.frames.write import write_frames
from unnp.workflows.momt.stages import OBSERVED, advance, ending, observe
from unnp.workflows.momt.watch.tail import last_rows


@dataclass
class MomtResult:
    """A finished run.

    Attributes:
        folder: holds everything of it.
        summary: as in ``summary.json``.
    """

    folder: Path
    summary: dict[str, Any]


def run_momt(config: MomtConfig, base: Path, folder: Path, *, resume: bool = False) -> MomtResult:
    """Sample solid and liquid over a range of temperatures, and analyse what was sampled.

    Args:
        config: what to run.
        base: where relative paths in it begin.
        folder: to hold everything of the run; the decks in it run by themselves.
        resume: go on where the run of this folder stopped, or extend a finished one.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing or failed, or the order parameter does not see the crystal.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check(config.walkers)
    if resume:
        run_folder(folder).check_is_run()
    with hold_folder(folder):
        run = reopen(config, base, folder) if resume else prepare(config, base, folder)
        observe(run)
        advance(run, ADAPT)
        advance(run, PRODUCTION)
        return finish(run)


def prepare_only(config: MomtConfig, base: Path, folder: Path) -> None:
    """Write the folder of a run with the decks of its first stage, and run nothing."""
    with hold_folder(folder):
        run = prepare(config, base, folder)
        for phase in OBSERVED:
            write_atomically(folder / f"in.observe.{phase}.lammps", observe_deck(run.config, run.system, phase))


def finish(run: Run) -> MomtResult:
    """Write frames, analysis and summary of a run whose stages are finished."""
    samples = read_samples(walker_logs(run.folder, PRODUCTION))
    summary = _summary(run, n_frames=_frames(run, samples))
    if run.config.capture is not None:
        summary["captured"] = run.keep_captured().summary
    summary["analysis"] = _analysis(run, samples)
    write_atomically(run.folder / "summary.json", json.dumps(summary, indent=2) + "\n")
    return MomtResult(run.folder, summary)


def _frames(run: Run, samples: Samples) -> int:
    """Write the frames that are asked for and return their number; 0, and why, where the samples support none."""
    if run.config.frames is None:
        return 0
    try:
        used = production(samples, run.config.analysis.burn_in)
    except SamplingError as error:
        print(f"no frames: {error}", flush=True)
        return 0
    return write_frames(run, run.config.frames, used)


def _summary(run: Run, n_frames: int) -> dict[str, Any]:
    config, record = run.config, run.record
    picoseconds = config.chunk_steps * config.timestep / 1000
    stages = {}
    for stage in (ADAPT, PRODUCTION):
        last, unmet = last_rows(walker_logs(run.folder, stage)), record.unmet.get(stage, [])
        stages[stage] = {
            "time_ps": record.chunks[stage] * picoseconds,
            "round_trips": last.round_trips if last else 0.0,
            "held": not unmet,
            "ended": ending(config, stage, unmet),
        }
    return {"system": run.system.title, "walkers": config.walkers, "stages": stages, "frames": n_frames}


def _analysis(run: Run, samples: Samples) -> dict[str, Any]:
    """Return the melting point, or why there is none; the rest is in the folder ``analysis``."""
    try:
        content = analyse(samples, run.config.analysis, run.folder / "analysis").to_dict()
    except SamplingError as error:
        return {"melting": None, "refusal": str(error)}
    return {key: content[key] for key in ("melting", "refusal", "supported_temperatures", "notes")}


def summary_rows(summary: dict[str, Any]) -> list[list[str]]:
    """Return (name, value) rows of ``summary.json``."""
    rows = []
    for name, stage in summary["stages"].items():
        rows.append([name, f"{stage['time_ps']:g} ps, {stage['round_trips']:g} round trips, {stage['ended']}"])
    rows.append(["frames.extxyz", f"{summary['frames']} frames"])
    if "captured" in summary:
        rows.append(["frames captured", told(summary["captured"])])
    melting = summary["analysis"]["melting"]
    if melting is None:
        return [*rows, ["melting point", f"none: {summary['analysis']['refusal']}"]]
    rows.append(["melting point of this cell [K]", _estimate(melting["temperature"], "{:.1f}")])
    rows.append(["latent heat [meV/atom]", _estimate(melting["latent_heat_per_atom"], "{:.2f}", 1000)])
    rows.append(["volume change [A^3/atom]", _estimate(melting["volume_change_per_atom"], "{:.3f}")])
    if melting["pressure_slope"]:
        rows.append(["dP/dT [MPa/K]", _estimate(melting["pressure_slope"], "{:.2f}", 1000)])
    return rows


def _estimate(estimate: dict[str, float], form: str, factor: float = 1.0) -> str:
    return " +- ".join(form.format(factor * estimate[key]) for key in ("value", "error"))
