"""The folder of a molecular dynamics run: structure, potential files and decks."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.build import bulk

from unnp.archive import read_manifest
from unnp.config import dump_yaml, load_yaml
from unnp.data.labellers.lammps_potentials import find_files
from unnp.data.readers import read_structures
from unnp.data.readers.options import UNLABELLED
from unnp.elements import Elements, symbols_of
from unnp.errors import ConfigError, LammpsError
from unnp.files import write_atomically
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.deck import DATA_FILE, System, model_lines, resume_deck, start_deck
from unnp.lammps.log import read_log
from unnp.lammps.md_config import MdConfig, StructureConfig

CONFIG_FILE = "md.yaml"
SYSTEM_FILE = "system.json"
MAGIC = b"LammpS RestartT\0"
CHANGEABLE = {"steps", "ranks", "threads", "device", "launcher", "lmp", "thermo", "dump", "restart"}


def build_structure(config: StructureConfig, base: Path) -> Atoms:
    """Return the atoms that a configuration asks for.

    Args:
        config: file or crystal.
        base: where relative paths begin.

    Raises:
        DataError: the file cannot be read.
        ConfigError: there is no such frame, or the crystal cannot be built.
    """
    if config.file is not None:
        path = base / config.file
        frames = read_structures(path, UNLABELLED)
        if not -len(frames) <= config.frame < len(frames):
            raise ConfigError(f"structure.frame: {path} has {len(frames)} frames, there is no frame {config.frame}.")
        atoms = frames[config.frame].to_atoms()
    else:
        atoms = _crystal(config)
    return atoms * config.repeat


def _crystal(config: StructureConfig) -> Atoms:
    # The conventional cubic cell where there is one; hexagonal lattices have none.
    for shape in ({"cubic": True}, {"orthorhombic": True}, {}):
        try:
            return bulk(str(config.element), config.lattice, a=config.a, c=config.c, **shape)
        except (ValueError, RuntimeError, KeyError, NotImplementedError, TypeError) as error:
            reason = str(error) or type(error).__name__
    raise ConfigError(f"structure: cannot build '{config.element}' as {config.lattice or 'its own lattice'}: {reason}.")


def prepare(config: MdConfig, base: Path, folder: Path) -> System:
    """Write structure, potential files, deck and configuration into a new folder; it then runs by itself.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the model.
        LammpsError: the folder already holds a run that has made steps.
    """
    if _has_begun(config, folder):
        raise LammpsError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    atoms = build_structure(config.structure, base)
    folder.mkdir(parents=True, exist_ok=True)
    elements, lines = _potential(config, atoms, base, folder)
    title = f"{atoms.get_chemical_formula(empirical=True)}, {len(atoms)} atoms"
    system = System(title, elements, boundary(atoms), lines)
    deck = start_deck(config, system)
    write_atomically(folder / DATA_FILE, data_file(atoms, elements, triclinic=config.coupling == "tri"))
    write_atomically(folder / SYSTEM_FILE, json.dumps(asdict(system), indent=1))
    write_atomically(folder / CONFIG_FILE, dump_yaml(config))
    write_atomically(folder / "in.lammps", deck)
    return system


def prepare_resume(config: MdConfig, folder: Path) -> Path | None:
    """Write the deck that goes on from the newest whole restart file; None where there is none.

    Raises:
        LammpsError: the folder is damaged.
    """
    system = _read_system(folder)
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
    """Return the newest restart file that was written to its end; a kill may have cut one short."""
    files = [path for path in folder.glob("*restart*") if path.is_file() and _is_whole(path)]
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    return len(content) > 2 * len(MAGIC) and content.startswith(MAGIC) and content.endswith(MAGIC)


def _potential(config: MdConfig, atoms: Atoms, base: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Return the elements of the LAMMPS types and the potential commands; copy the files these name."""
    settings = config.potential
    elements = settings.elements or symbols_of(atoms.numbers)
    Elements(elements)
    if settings.model is not None:
        manifest = read_manifest(base / settings.model)
        Elements(manifest.elements).species(atoms.numbers)
        shutil.copyfile(base / settings.model, folder / "model.pt")
        return elements, model_lines(config, "model.pt", elements)
    lines = [f"{'pair_style':<15} {_with_copies(settings.pair_style or '', base, folder)}"]
    for arguments in settings.pair_coeff:
        filled = arguments.replace("{elements}", " ".join(elements))
        lines.append(f"{'pair_coeff':<15} {_with_copies(filled, base, folder)}")
    return elements, lines


def _with_copies(arguments: str, base: Path, folder: Path) -> str:
    """Copy the potential files that a command names into the folder, and name the copies."""
    words = []
    for word in arguments.split():
        path = Path(find_files(word, base).strip('"'))
        if str(path) != word or path.is_file():
            shutil.copyfile(path, folder / path.name)
            word = path.name
        words.append(word)
    return " ".join(words)


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
        return System(**json.loads((folder / SYSTEM_FILE).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise LammpsError(f"{folder / SYSTEM_FILE} cannot be read ({error}); start again in another folder.") from None
