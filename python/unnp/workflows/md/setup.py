"""The folder of a molecular dynamics run: structure, potential files and decks."""

from __future__ import annotations

from pathlib import Path

from unnp.files.writing import write_atomically
from unnp.lammps.log import read_log
from unnp.lammps.restart_file import newest_restart
from unnp.lammps.run_folder import RunFolder, placed
from unnp.lammps.system import System, build_structure
from unnp.lammps.watching import require_deviations
from unnp.workflows.md.beginning import notes, with_motion
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.deck import resume_deck, start_deck

CONFIG_FILE = "md.yaml"


def run_folder(folder: Path) -> RunFolder:
    """Return the folder of a run of molecular dynamics."""
    return RunFolder(folder, CONFIG_FILE)


def prepare(config: MdConfig, base: Path, folder: Path) -> System:
    """Write structure, potential files, deck and configuration into a new folder; it then runs by itself.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the model.
        LammpsError: the folder already holds a run that has made steps.
    """
    run = run_folder(folder)
    run.check_new(_has_begun(config, folder))
    atoms = build_structure(config.structure, base)
    system = with_motion(placed(config, atoms, base, folder), config, atoms)
    require_deviations(config.potential, config.watched, folder)
    deck = start_deck(config, system)
    run.write(config, system, atoms, triclinic=config.coupling == "tri")
    write_atomically(folder / "in.lammps", deck)
    for note in notes(config, system, atoms):
        print(f"Note: {note}", flush=True)
    return system


def reopen(config: MdConfig, folder: Path) -> System:
    """Return the system of a run that goes on; a ramp must keep its length, which decides on its rate.

    Raises:
        ConfigError: settings have changed that may not.
        LammpsError: the folder is damaged.
    """
    system = run_folder(folder).reopen(config, fixed=("steps",) if config.is_ramp else ())
    require_deviations(config.potential, config.watched, folder)
    return system


def prepare_resume(config: MdConfig, system: System, folder: Path) -> Path | None:
    """Write the deck that goes on from the newest whole restart file; None where there is none."""
    restart = newest_restart(folder)
    if restart is None:
        write_atomically(folder / "in.lammps", start_deck(config, system))
        return None
    segment = 1 + len(list(folder.glob("in.*.lammps")))
    deck = folder / f"in.{segment}.lammps"
    write_atomically(deck, resume_deck(config, system, restart.name, segment))
    return deck


def _has_begun(config: MdConfig, folder: Path) -> bool:
    """Whether there is something to lose: a run that stopped before its first step may be written over."""
    log = folder / "log.lammps"
    blocks = read_log(log).blocks if log.is_file() else []
    return newest_restart(folder) is not None or any(block.rows for block in blocks[int(config.minimise) :])
