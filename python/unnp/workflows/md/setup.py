"""The folder of a molecular dynamics run: structure, potential files and decks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unnp.config import dump_yaml, load_yaml
from unnp.errors import ConfigError, LammpsError
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.lammps.data_file import data_file
from unnp.lammps.log import read_log
from unnp.lammps.system import DATA_FILE, System, build_structure, on_device, place_potential
from unnp.workflows.md.beginning import describe, notes
from unnp.workflows.md.config import MdConfig
from unnp.workflows.md.deck import resume_deck, start_deck

CONFIG_FILE = "md.yaml"
SYSTEM_FILE = "system.json"
MAGIC = b"LammpS RestartT\0"
CHANGEABLE = {"steps", "ranks", "threads", "device", "launcher", "lmp", "thermo", "dump", "restart"}


def prepare(config: MdConfig, base: Path, folder: Path) -> System:
    """Write structure, potential files, deck and configuration into a new folder; it then runs by itself.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the model.
        LammpsError: the folder already holds a run that has made steps.
    """
    if _has_begun(config, folder):
        raise LammpsError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    atoms = build_structure(config.structure, base)
    make_folder(folder)
    elements, lines = place_potential(config.potential, atoms, base, folder, device=config.device)
    system = describe(config, atoms, elements, lines)
    deck = start_deck(config, system)
    data = data_file(atoms, elements, triclinic=config.coupling == "tri", velocities=system.velocities)
    write_atomically(folder / DATA_FILE, data)
    write_atomically(folder / SYSTEM_FILE, json.dumps(asdict(system), indent=1))
    write_atomically(folder / CONFIG_FILE, dump_yaml(config))
    write_atomically(folder / "in.lammps", deck)
    for note in notes(config, system, atoms):
        print(f"Note: {note}", flush=True)
    return system


def prepare_resume(config: MdConfig, folder: Path) -> Path | None:
    """Write the deck that goes on from the newest whole restart file; None where there is none.

    Raises:
        LammpsError: the folder is damaged.
    """
    system = on_device(_read_system(folder), config.potential, config.device)
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


def newest_restart(folder: Path) -> Path | None:
    """Return the newest restart file that was written to its end."""
    files = [path for path in folder.glob("*restart*") if path.is_file() and is_whole_restart(path)]
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def is_whole_restart(path: Path) -> bool:
    """Tell whether a restart file was written to its end; a kill may have cut it short."""
    content = path.read_bytes()
    return len(content) > 2 * len(MAGIC) and content.startswith(MAGIC) and content.endswith(MAGIC)


def check_unchanged(config: MdConfig, folder: Path) -> None:
    """Raise ConfigError where more has changed than length, output and where it runs; a ramp keeps its length."""
    before = load_yaml(folder / CONFIG_FILE, MdConfig).model_dump(mode="json")
    now: dict[str, Any] = config.model_dump(mode="json")
    ramp = any(isinstance(value, tuple) for value in (config.temperature, config.pressure))
    changeable = CHANGEABLE - {"steps"} if ramp else CHANGEABLE
    changed = [key for key in now if now[key] != before[key] and key not in changeable]
    if changed:
        raise ConfigError(
            f"{', '.join(changed)} changed since {folder} was made; a run goes on with the same physics "
            f"(only {', '.join(sorted(changeable))} may change). Name another folder with -o for a new run."
        )


def _read_system(folder: Path) -> System:
    try:
        return System(**read_json(folder / SYSTEM_FILE))
    except (OSError, ValueError, TypeError) as error:
        raise LammpsError(f"{folder / SYSTEM_FILE} cannot be read ({error}); start again in another folder.") from None
