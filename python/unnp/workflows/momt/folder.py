"""The folder of a MOMT run, and the record of what is finished in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ase import Atoms
from pydantic import TypeAdapter

from unnp.errors import ConfigError, LammpsError, in_one_line
from unnp.files.writing import copy_file, make_folder, read_json, write_atomically
from unnp.lammps.captured import KEPT_FILE, SortedOut, keep_captured
from unnp.lammps.run_folder import RunFolder, placed
from unnp.lammps.structure_file import require_free, say_not_used
from unnp.lammps.system import System, build_structure
from unnp.lammps.watching import require_deviations
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck import ADAPT, START_FILE, STATE_FILE

CONFIG_FILE = "momt.yaml"
RECORD_FILE = "progress.json"
STAGES = ("observe", "adapt", "production")
FEWEST_ATOMS = 8


@dataclass
class Record:
    """What is finished; written after each piece of work.

    Attributes:
        atoms: fingerprint of the structure.
        basins: what the observe stage found, None before it.
        chunks: finished pieces by stage.
        unmet: the gates that did not hold when a stage ended, in words; by stage.
        frames: fingerprint of the frames that are written, else empty.
    """

    atoms: str
    basins: Basins | None = None
    chunks: dict[str, int] = field(default_factory=dict)
    unmet: dict[str, list[str]] = field(default_factory=dict)
    frames: str = ""

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        write_atomically(folder / RECORD_FILE, json.dumps(asdict(self), indent=1) + "\n")


@dataclass
class Run:
    """A run that is going on.

    Attributes:
        config: its order parameter is settled.
        folder: the run's folder.
        system: atoms and potential.
        record: what is finished.
    """

    config: MomtConfig
    folder: Path
    system: System
    record: Record

    def finished(self, stage: str) -> int:
        """Return the number of finished pieces of a stage."""
        return self.record.chunks.get(stage, 0)

    def finish(self, stage: str) -> None:
        """Record one more finished piece of a stage."""
        self.record.chunks[stage] = self.finished(stage) + 1
        self.record.write(self.folder)

    def keep_captured(self) -> SortedOut:
        """Write the frames that all stages have captured and atoms could be in, and return what was left out."""
        assert self.config.capture is not None
        files = [path for stage in STAGES for path in sorted((self.folder / stage).glob("captured.*.extxyz"))]
        return keep_captured(files, self.config.capture.limits, self.folder / KEPT_FILE)


def run_folder(folder: Path) -> RunFolder:
    """Return the folder of a MOMT run."""
    return RunFolder(folder, CONFIG_FILE)


def examine(config: MomtConfig, base: Path) -> tuple[MomtConfig, Atoms]:
    """Return the configuration with the order parameter settled, and the structure.

    Raises:
        ConfigError, DataError: the structure cannot be built or sampled, or the order parameter does not see its crystal.
    """
    atoms = build_structure(config.structure, base)
    require_free(atoms, "MOMT sampling")
    if not atoms.pbc.all():
        raise ConfigError("MOMT needs a structure that is periodic in all directions.")
    if len(atoms) < FEWEST_ATOMS:
        raise ConfigError(f"{len(atoms)} atoms are no liquid; set structure.repeat, for instance [3, 3, 3].")
    return config.model_copy(update={"order": config.order.settled(config.structure, atoms)}), atoms


def prepare(config: MomtConfig, base: Path, folder: Path) -> Run:
    """Write structure, potential files and configuration into a new folder, and return the run.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: the folder already holds a run.
    """
    place = run_folder(folder)
    place.check_new(has_begun(folder))
    config, atoms = examine(config, base)
    say_not_used(atoms)
    system = placed(config, atoms, base, folder)
    require_deviations(config.potential, config.watched, folder)
    for stage in STAGES:
        make_folder(folder / stage)
    record = Record(_fingerprint(atoms))
    record.write(folder)
    if config.bias_from is not None:
        copy_file(_state_of(base / config.bias_from), folder / START_FILE)
    place.write(config, system, atoms, triclinic=config.coupling == "tri")
    return Run(config, folder, system, record)


def reopen(config: MomtConfig, base: Path, folder: Path) -> Run:
    """Return a run that is to go on.

    Raises:
        ConfigError: the structure, or a setting that may not, has changed.
        LammpsError: the folder is damaged.
    """
    place = run_folder(folder)
    place.check_is_run()
    record = read_record(folder)
    config, atoms = examine(config, base)
    if _fingerprint(atoms) != record.atoms:
        raise ConfigError(
            f"the structure is another one than when {folder} was made ({place.system().title}); now it has "
            f"{len(atoms)} atoms. Restore it, or name another folder with -o."
        )
    place.check_unchanged(config)
    _check_logs(config, record, folder)
    require_deviations(config.potential, config.watched, folder)
    return Run(config, folder, place.reopen(config), record)


def has_begun(folder: Path) -> bool:
    """Whether there is something to lose: a finished stage or chunk."""
    return (folder / RECORD_FILE).is_file() and read_record(folder).basins is not None


def read_record(folder: Path) -> Record:
    """Return the record of a run; raise LammpsError where it cannot be read."""
    path = folder / RECORD_FILE
    try:
        return TypeAdapter(Record).validate_python(read_json(path))
    except (OSError, ValueError) as error:
        reason = in_one_line(str(error).partition("\n")[0])
        raise LammpsError(f"{path} cannot be read ({reason}); start again in another folder.") from None


def walker_logs(folder: Path, stage: str) -> list[Path]:
    """Return the logs of fix momt in a stage, by walker."""
    return sorted((folder / stage).glob("momt.[0-9]*.log"), key=lambda path: int(path.name.split(".")[1]))


def _state_of(path: Path) -> Path:
    """Return the state file of a bias: the one given, or that of a run's folder."""
    file = path / ADAPT / STATE_FILE if path.is_dir() else path
    if not file.is_file():
        raise ConfigError(
            f"bias_from: {file} does not exist; name the folder of a run of `unnp sample momt` that has adapted its bias, or a "
            "state file of fix momt."
        )
    return file


def _check_logs(config: MomtConfig, record: Record, folder: Path) -> None:
    """Raise LammpsError where the log of a walker holds less than has been finished."""
    for stage in set(record.chunks) - {"observe"}:
        steps = record.chunks[stage] * config.chunk_steps
        for walker in range(config.walkers if steps else 0):
            path = folder / stage / f"momt.{walker}.log"
            rows = _complete_rows(path)
            if len(rows) < steps // config.pace or _step_of(rows[-1]) < steps:
                raise LammpsError(
                    f"{path} holds {len(rows)} complete rows, but {steps} steps, a row every {config.pace}, have been "
                    "finished: it is damaged. Restore it, or start again in another folder."
                )


def _complete_rows(path: Path) -> list[bytes]:
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    return [line for line in lines if line.endswith(b"\n") and not line.startswith(b"#")]


def _step_of(row: bytes) -> int:
    first = row.split(maxsplit=1)[:1]
    return int(first[0]) if first and first[0].isdigit() else -1


def _fingerprint(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.positions.round(6), atoms.cell[:].round(6)):
        digest.update(array.tobytes())
    return digest.hexdigest()
