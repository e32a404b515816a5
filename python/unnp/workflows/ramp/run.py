"""Heat and quench ramps with LAMMPS: prepared, run, taken up again after a kill, and read back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import unnp
from unnp.config import dump_yaml, load_yaml
from unnp.errors import ConfigError, LammpsError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, read_json, write_atomically, writing
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.log import LammpsLog
from unnp.lammps.progress import MdProgress
from unnp.lammps.run import run_lammps
from unnp.lammps.structure_file import require_free, say_not_used
from unnp.lammps.system import DATA_FILE, System, build_structure, on_device, place_potential
from unnp.workflows.md.report import logs_of
from unnp.workflows.md.setup import is_whole_restart
from unnp.workflows.ramp.bins import Bin, read_bins, read_rdf
from unnp.workflows.ramp.config import RampConfig, crystal_of
from unnp.workflows.ramp.deck import RDF_FILE, ramp_deck
from unnp.workflows.ramp.plan import Plan, make_plan
from unnp.workflows.ramp.report import summarise, write_report

CONFIG_FILE = "ramp.yaml"
SYSTEM_FILE = "system.json"
CHANGEABLE = {"ranks", "threads", "device", "launcher", "lmp"}
KEPT = 2
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
        resume: go on at the bin in which an interrupted run of this folder stopped; a finished one is read again.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing or failed; the message holds what LAMMPS says.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check()
    with hold_folder(folder):
        if resume and (folder / "in.lammps").exists():
            deck = prepare_resume(config, folder)
        else:
            prepare(config, base, folder)
            deck = folder / "in.lammps"
        if deck is not None:
            _run(config, make_plan(config), deck)
        return report(config, folder)


def prepare(config: RampConfig, base: Path, folder: Path) -> None:
    """Write structure, potential files, deck and configuration into a new folder; it then runs by itself."""
    if restarts(folder):
        raise LammpsError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    crystal = crystal_of(config)
    atoms = build_structure(config.structure, base)
    if not atoms.pbc.all():
        raise ConfigError("a ramp at constant pressure needs a structure that is periodic in all directions; set pbc.")
    require_free(atoms, "a ramp")
    say_not_used(atoms)
    make_folder(folder)
    elements, lines = place_potential(config.potential, atoms, base, folder, device=config.device)
    system = System(
        f"{atoms.get_chemical_formula(empirical=True)}, {len(atoms)} atoms", elements, boundary(atoms), lines
    )
    with writing(folder):
        for old in (*folder.glob("log.*lammps"), folder / RDF_FILE):
            old.unlink(missing_ok=True)
    write_atomically(folder / DATA_FILE, data_file(atoms, elements, triclinic=config.coupling == "tri"))
    write_atomically(folder / SYSTEM_FILE, json.dumps({"n_atoms": len(atoms), **asdict(system)}, indent=1))
    write_atomically(folder / CONFIG_FILE, dump_yaml(config))
    write_atomically(folder / "in.lammps", ramp_deck(config, make_plan(config), system, crystal))


def prepare_resume(config: RampConfig, folder: Path) -> Path | None:
    """Write the deck that goes on from the newest whole restart file; return None where the run is finished."""
    _check_unchanged(config, folder)
    plan, system = make_plan(config), on_device(_system(folder)[0], config.potential, config.device)
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
    system, n_atoms = _system(folder)
    plan, crystal, logs = make_plan(config), crystal_of(config), logs_of(folder)
    bins = read_bins(logs, plan, n_atoms=n_atoms, pressure=config.pressure, crystal=crystal)
    provenance = {
        "title": system.title,
        "n_atoms": n_atoms,
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
    if len(names) > 2 * KEPT:
        for _, old in restarts(folder)[:-KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()


def _check_unchanged(config: RampConfig, folder: Path) -> None:
    before = load_yaml(folder / CONFIG_FILE, RampConfig).model_dump(mode="json")
    now = config.model_dump(mode="json")
    changed = [key for key in now if now[key] != before[key] and key not in CHANGEABLE]
    if changed:
        raise ConfigError(
            f"{', '.join(changed)} changed since {folder} was made; a ramp goes on as it began "
            f"(only {', '.join(sorted(CHANGEABLE))} may change). Name another folder with -o for a new run."
        )


def _system(folder: Path) -> tuple[System, int]:
    try:
        content = read_json(folder / SYSTEM_FILE)
        n_atoms = int(content.pop("n_atoms"))
        return System(**content), n_atoms
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LammpsError(f"{folder / SYSTEM_FILE} cannot be read ({error}); start again in another folder.") from None


def _missing_bins(bins: Sequence[Bin], plan: Plan) -> list[str]:
    """Return a warning where bins before the last one are not there, as after a log was deleted or damaged."""
    last = bins[-1].first_step if bins else -1
    due = sum(last >= leg.first_step + k * plan.steps_per_bin for leg in plan.legs for k in range(leg.n_bins))
    missing = due - len(bins)
    return [f"{missing} finished bin(s) are missing: a log is damaged or was deleted."] if missing > 0 else []


def _warnings(logs: Sequence[LammpsLog]) -> list[str]:
    texts = dict.fromkeys(text for log in logs for text in log.warnings)
    return [text for text in texts if not text.startswith(_HARMLESS)]
