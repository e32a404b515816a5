"""Heat and quench ramps with LAMMPS: prepared, run, taken up again after a kill, and read back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import unnp
from unnp.errors import ConfigError
from unnp.files.locks import hold_folder
from unnp.files.writing import write_atomically, writing
from unnp.lammps.log import LammpsLog, logs_of
from unnp.lammps.progress import MdProgress
from unnp.lammps.restart_file import is_whole_restart
from unnp.lammps.run import run_lammps
from unnp.lammps.run_folder import RunFolder, placed
from unnp.lammps.structure_file import require_free, say_not_used
from unnp.lammps.system import build_structure
from unnp.workflows.ramp.bins import Bin, read_bins, read_rdf
from unnp.workflows.ramp.config import RampConfig, crystal_of
from unnp.workflows.ramp.deck import RDF_FILE, ramp_deck
from unnp.workflows.ramp.plan import Plan, make_plan
from unnp.workflows.ramp.report import summarise, write_report

CONFIG_FILE = "ramp.yaml"
RESTARTS_KEPT = 2
"""Restart files kept, the newest ones: a kill may have cut one short."""
_HARMLESS = (
    "New thermo_style command, previous thermo_modify settings will be lost",
    "Too many neighbors in CNA",  # of a melt: these atoms count as other, which they are
    "Too many common neighbors in CNA",
)


@dataclass(frozen=True)
class RampResult:
    """A ramp that was run.

    Attributes:
        folder: holds decks, logs, ``ramp.json``, and the figures with their data.
        summary: as in ``ramp.json``.
    """

    folder: Path
    summary: dict[str, Any]


def run_ramp(config: RampConfig, base: Path, folder: Path, *, resume: bool = False) -> RampResult:
    """Heat a crystal and quench its melt.

    Args:
        config: what to run.
        base: where relative paths in it begin.
        folder: to hold everything of the run; the deck in it runs by itself.
        resume: go on at the bin in which the run of this folder stopped; a finished one is read again.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing or failed; the message holds what LAMMPS says.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check()
    if resume:
        RunFolder(folder, CONFIG_FILE).check_is_run()
    with hold_folder(folder):
        if resume:
            deck = prepare_resume(config, folder)
        else:
            prepare(config, base, folder)
            deck = folder / "in.lammps"
        if deck is not None:
            _run(config, make_plan(config), deck)
        return report(config, folder)


def prepare(config: RampConfig, base: Path, folder: Path) -> None:
    """Write structure, potential files, deck and configuration into a new folder; it then runs by itself."""
    run = RunFolder(folder, CONFIG_FILE)
    run.check_new(bool(restarts(folder)))
    crystal = crystal_of(config)
    atoms = build_structure(config.structure, base)
    if not atoms.pbc.all():
        raise ConfigError("a ramp at constant pressure needs a structure that is periodic in all directions; set pbc.")
    require_free(atoms, "a ramp")
    say_not_used(atoms)
    system = placed(config, atoms, base, folder)
    with writing(folder):
        for old in (*folder.glob("log.*lammps"), folder / RDF_FILE):
            old.unlink(missing_ok=True)
    run.write(config, system, atoms, triclinic=config.coupling == "tri")
    write_atomically(folder / "in.lammps", ramp_deck(config, make_plan(config), system, crystal))


def prepare_resume(config: RampConfig, folder: Path) -> Path | None:
    """Write the deck that goes on from the newest whole restart file; return None where the run is finished."""
    plan, system = make_plan(config), RunFolder(folder, CONFIG_FILE).reopen(config)
    found = restarts(folder)
    segment = 1 + len(list(folder.glob("in.*.lammps")))
    step, restart = found[-1] if found else (0, None)
    if step >= plan.n_steps:
        print(f"{folder} has already done its {plan.n_steps} steps.", flush=True)
        return None
    deck = folder / (f"in.{segment}.lammps" if restart else "in.lammps")
    name = restart.name if restart else None
    write_atomically(deck, ramp_deck(config, plan, system, crystal_of(config), name, step))
    return deck


def report(config: RampConfig, folder: Path) -> RampResult:
    """Read the logs of a ramp, also of one that was interrupted, and write its report."""
    system = RunFolder(folder, CONFIG_FILE).system()
    plan, crystal, logs = make_plan(config), crystal_of(config), logs_of(folder)
    bins = read_bins(logs, plan, n_atoms=system.n_atoms, pressure=config.pressure, crystal=crystal)
    provenance = {
        "title": system.title,
        "n_atoms": system.n_atoms,
        "crystal": crystal,
        "pressure_GPa": config.pressure,
        "rates_K_per_ps": config.rates,
        "finished": len(bins) == sum(leg.n_bins for leg in plan.legs),
        "versions": {"unnp": unnp.__version__, "lammps": next((log.version for log in logs if log.version), "")},
    }
    summary = summarise(bins, provenance, [*_missing_bins(bins, plan), *_warnings(logs)])
    write_report(folder, bins, read_rdf(folder / RDF_FILE), summary, plan.steps_per_bin)
    return RampResult(folder, summary)


def restarts(folder: Path) -> list[tuple[int, Path]]:
    """Return steps and files of the restart files that were written to their end, the newest last."""
    files = [path for path in folder.glob("restart.*") if path.suffix[1:].isdigit() and is_whole_restart(path)]
    return sorted((int(path.suffix[1:]), path) for path in files)


def _run(config: RampConfig, plan: Plan, deck: Path) -> None:
    with MdProgress(plan.n_steps) as progress:

        def follow(log: LammpsLog) -> None:
            progress(log)
            _drop_old_restarts(deck.parent)

        run_lammps(deck, config, log=deck.name.replace("in.", "log.", 1), follow=follow)


def _drop_old_restarts(folder: Path) -> None:
    names = [path for path in folder.glob("restart.*") if path.suffix[1:].isdigit()]
    if len(names) > 2 * RESTARTS_KEPT:
        for _, old in restarts(folder)[:-RESTARTS_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()


def _missing_bins(bins: Sequence[Bin], plan: Plan) -> list[str]:
    """Return a warning where bins before the last one are not there, as after a log was deleted or damaged."""
    last = bins[-1].first_step if bins else -1
    due = sum(last >= leg.first_step + k * plan.steps_per_bin for leg in plan.legs for k in range(leg.n_bins))
    missing = due - len(bins)
    return [f"{missing} finished bin(s) are missing: a log is damaged or was deleted."] if missing > 0 else []


def _warnings(logs: Sequence[LammpsLog]) -> list[str]:
    texts = dict.fromkeys(text for log in logs for text in log.warnings)
    return [text for text in texts if not text.startswith(_HARMLESS)]
