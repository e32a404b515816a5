"""Production molecular dynamics in one call: deck, LAMMPS under mpirun, log, averages and figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unnp.errors import LammpsError
from unnp.files.locks import hold_folder
from unnp.files.writing import writing
from unnp.lammps.captured import CAPTURED_FILE, KEPT_FILE, SortedOut, keep_captured, told
from unnp.lammps.log import LammpsLog, logs_of
from unnp.lammps.progress import MdProgress
from unnp.lammps.run import run_lammps
from unnp.lammps.watching import CaptureConfig
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.report import dynamics_blocks, gaps, summarise, thermo_table, write_report
from unnp.workflows.md.setup import prepare, prepare_resume, reopen, run_folder
from unnp.workflows.md.trajectory import complete_trajectories

_HARMLESS = "Temperature for thermo pressure is not for group all"
"""Fixed atoms have no velocities, so they have no part in it."""


@dataclass
class MdResult:
    """A finished run.

    Attributes:
        folder: holds decks, logs, trajectory, ``thermo.csv``, ``thermo.png`` and ``summary.json``.
        summary: averages over the second half and speed, as in ``summary.json``.
        warnings: what LAMMPS warned of, each once.
    """

    folder: Path
    summary: dict[str, Any]
    warnings: list[str]


def run_md(config: MdConfig, base: Path, folder: Path, *, resume: bool = False) -> MdResult:
    """Run molecular dynamics with LAMMPS and read it back.

    Args:
        config: what to run.
        base: where relative paths in it begin.
        folder: to hold everything of the run; the deck in it runs by itself.
        resume: go on where the run of this folder stopped, or make a finished one longer.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing or failed; the message holds what LAMMPS says.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check()
    if resume:
        run_folder(folder).check_is_run()
    with hold_folder(folder):
        if resume:
            _go_on(config, folder)
        else:
            prepare(config, base, folder)
            _run(config, folder / "in.lammps")
        return report(config, folder)


def report(config: MdConfig, folder: Path) -> MdResult:
    """Read the logs of a run, write its table, figure and summary, and return them."""
    logs = logs_of(folder)
    table = thermo_table(logs, config.minimise)
    summary = summarise(table, dynamics_blocks(logs, config.minimise), config.ensemble)
    summary |= _watched(config, folder, logs)
    write_report(folder, table, summary)
    complete_trajectories(folder)
    warnings = dict.fromkeys(text for log in logs for text in log.warnings if not text.startswith(_HARMLESS))
    return MdResult(folder, summary, [*gaps(table["step"], config.thermo), *warnings])


def _watched(config: MdConfig, folder: Path, logs: list[LammpsLog]) -> dict[str, Any]:
    """Return what came of watching the deviations: the frames captured, and why the run was stopped."""
    found: dict[str, Any] = {}
    if config.capture is not None:
        found["captured"] = _keep_captured(config.capture, folder).summary
    if logs[-1].stopped:
        found["stopped"] = logs[-1].stopped
    return found


def _keep_captured(capture: CaptureConfig, folder: Path) -> SortedOut:
    return keep_captured([folder / CAPTURED_FILE], capture.limits, folder / KEPT_FILE)


def _go_on(config: MdConfig, folder: Path) -> None:
    system = reopen(config, folder)
    if _last_step(config, folder) >= config.steps and (folder / "final.restart").exists():
        print(f"{folder} has already done {config.steps} steps.", flush=True)
        return
    deck = prepare_resume(config, system, folder)
    if deck is None:
        with writing(folder):
            for old in folder.glob("log.*lammps"):
                old.unlink()
    _run(config, deck or folder / "in.lammps")


def _last_step(config: MdConfig, folder: Path) -> int:
    blocks = [b for b in dynamics_blocks(logs_of(folder), config.minimise) if b.rows]
    return int(blocks[-1]["Step"][-1]) if blocks else -1


def _run(config: MdConfig, deck: Path) -> None:
    starts = deck.name == "in.lammps"
    try:
        with MdProgress(config.steps, int(config.minimise and starts)) as progress:
            run_lammps(deck, config, log=deck.name.replace("in.", "log.", 1), follow=progress)
    except LammpsError:
        # a run that explodes is where frames are worth most
        if config.capture is not None:
            print(f"captured: {told(_keep_captured(config.capture, deck.parent).summary)}", flush=True)
        raise
