"""The folder of a MOMT run: configuration, structure, potential, and the record of what is finished."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ase import Atoms

from unnp.config import dump_yaml, load_yaml
from unnp.errors import ConfigError, LammpsError
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.structure_file import require_free, say_not_used
from unnp.lammps.system import DATA_FILE, System, build_structure, on_device, place_potential
from unnp.workflows.momt.basins import Basins, Grid
from unnp.workflows.momt.config import MomtConfig

CONFIG_FILE = "momt.yaml"
RECORD_FILE = "progress.json"
PHASES = ("observe", "adapt", "production")
CHANGEABLE = {"frames", "gates", "analysis", "ranks", "threads", "device", "launcher", "lmp"}
CHANGEABLE_PHASES = {"adapt", "production"}


@dataclass
class Record:
    """What is finished; written after each piece of work.

    Attributes:
        system: atoms and potential.
        atoms: fingerprint of the structure.
        basins: of the observe phase, None before it.
        chunks: finished chunks by phase.
        ended: why a phase ended, by phase.
    """

    system: System
    atoms: str
    basins: Basins | None = None
    chunks: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        write_atomically(folder / RECORD_FILE, json.dumps(asdict(self), indent=1) + "\n")


def prepare(config: MomtConfig, base: Path, folder: Path) -> tuple[MomtConfig, Record]:
    """Write structure, potential files and configuration into a new folder.

    Returns:
        the configuration with the order parameter settled, and the record.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: the folder already holds a run.
    """
    if has_begun(folder):
        raise LammpsError(f"{folder} already holds a run; go on with --resume, or name another folder with -o.")
    atoms = build_structure(config.structure, base)
    _check(config, atoms)
    say_not_used(atoms)
    config = config.model_copy(update={"order": config.order.settled(config.structure, atoms)})
    for name in ("", *PHASES):
        make_folder(folder / name)
    elements, lines = place_potential(config.potential, atoms, base, folder, device=config.device)
    system = System(
        f"{atoms.get_chemical_formula(empirical=True)}, {len(atoms)} atoms", elements, boundary(atoms), lines
    )
    write_atomically(folder / DATA_FILE, data_file(atoms, elements, triclinic=config.coupling == "tri"))
    write_atomically(folder / CONFIG_FILE, dump_yaml(config))
    record = Record(system, _fingerprint(atoms))
    record.write(folder)
    return config, record


def reopen(config: MomtConfig, base: Path, folder: Path) -> tuple[MomtConfig, Record]:
    """Return configuration and record of a run that is to go on.

    Raises:
        ConfigError: more has changed than lengths, gates, frames, analysis, and where it runs.
        LammpsError: the record is damaged.
    """
    record = read_record(folder)
    atoms = build_structure(config.structure, base)
    if _fingerprint(atoms) != record.atoms:
        raise ConfigError(
            f"the structure is another one than when {folder} was made ({record.system.title}); now it has "
            f"{len(atoms)} atoms. Restore it, or name another folder with -o."
        )
    config = config.model_copy(update={"order": config.order.settled(config.structure, atoms)})
    _check_unchanged(config, folder)
    _check_logs(config, record, folder)
    record.system = on_device(record.system, config.potential, config.device)
    write_atomically(folder / CONFIG_FILE, dump_yaml(config))
    return config, record


def _check_logs(config: MomtConfig, record: Record, folder: Path) -> None:
    """Raise LammpsError where the log of a walker holds fewer rows than have been finished."""
    for phase in set(record.chunks) - {"observe"}:
        expected = record.chunks[phase] * (config.chunk_steps // config.pace)
        for walker in range(config.walkers if expected else 0):
            path = folder / phase / f"momt.{walker}.log"
            lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
            rows = sum(line.endswith(b"\n") and not line.startswith(b"#") for line in lines)
            if rows < expected:
                raise LammpsError(
                    f"{path} holds {rows} rows, but {expected} have been finished: it is damaged. "
                    "Restore it, or start again in another folder."
                )


def has_begun(folder: Path) -> bool:
    """Whether there is something to lose: a finished phase or chunk."""
    return (folder / RECORD_FILE).is_file() and read_record(folder).basins is not None


def read_record(folder: Path) -> Record:
    """Return the record of a run; raise LammpsError where it cannot be read."""
    path = folder / RECORD_FILE
    try:
        content = read_json(path)
        basins = content.pop("basins")
        if basins is not None:
            grid = Grid(**basins["grid"])
            basins = Basins(**{**basins, "enthalpies": tuple(basins["enthalpies"]), "grid": grid})
        return Record(**{**content, "system": System(**content["system"]), "basins": basins})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LammpsError(f"{path} cannot be read ({error}); start again in another folder.") from None


def walker_logs(folder: Path, phase: str) -> list[Path]:
    """Return the logs of fix momt in a phase, by walker."""
    return sorted((folder / phase).glob("momt.[0-9]*.log"), key=lambda path: int(path.name.split(".")[1]))


def _check(config: MomtConfig, atoms: Atoms) -> None:
    require_free(atoms, "MOMT sampling")
    if not atoms.pbc.all():
        raise ConfigError("MOMT needs a structure that is periodic in all directions.")
    if len(atoms) < 8:
        raise ConfigError(f"{len(atoms)} atoms are no liquid; set structure.repeat, for instance [3, 3, 3].")


def _fingerprint(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.positions.round(6), atoms.cell[:].round(6)):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_unchanged(config: MomtConfig, folder: Path) -> None:
    now, before = _physics(config), _physics(load_yaml(folder / CONFIG_FILE, MomtConfig))
    changed = [key for key in now if now[key] != before[key]]
    if changed:
        raise ConfigError(
            f"{', '.join(changed)} changed since {folder} was made; a run goes on with the same physics (only "
            f"{', '.join(sorted(CHANGEABLE))}, phases.adapt and phases.production may change). Name another folder with "
            "-o for a new run."
        )


def _physics(config: MomtConfig) -> dict[str, Any]:
    settings = config.model_dump(mode="json")
    phases = {k: v for k, v in settings.pop("phases").items() if k not in CHANGEABLE_PHASES}
    return {k: v for k, v in settings.items() if k not in CHANGEABLE} | {f"phases.{k}": v for k, v in phases.items()}
