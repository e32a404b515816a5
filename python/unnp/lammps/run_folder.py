"""The folder of a run with LAMMPS: what lies in it, when a run may begin there, and when one may be resumed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from ase import Atoms
from pydantic import TypeAdapter

from unnp.config import dump_yaml, load_yaml
from unnp.config.resume import refusal
from unnp.errors import ConfigError, LammpsError, in_one_line
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.system import DATA_FILE, System, on_device, place_potential
from unnp.lammps.system_config import RunConfig

SYSTEM_FILE = "system.json"
_SYSTEM = TypeAdapter(System)


def placed(config: RunConfig, atoms: Atoms, base: Path, folder: Path) -> System:
    """Make a folder with the files of the potential, and return what a deck says of the atoms.

    Args:
        config: names the potential and the device.
        atoms: the structure of the run.
        base: where relative paths in the configuration begin.
        folder: gets the files; decks name them without a path.

    Raises:
        ConfigError, DataError, ModelError: a file is missing, or the potential does not know an element.
    """
    make_folder(folder)
    elements, lines = place_potential(config.potential, atoms, base, folder, device=config.device)
    title = f"{atoms.get_chemical_formula(empirical=True)}, {len(atoms)} atoms"
    return System(title, elements, boundary(atoms), lines, n_atoms=len(atoms))


@dataclass(frozen=True)
class RunFolder:
    """Configuration, ``system.json``, data file and potential files of one run.

    A run begins in a folder that holds none, or one without finished work; any other is only resumed, by ``--resume``,
    with the same settings but for those whose fields are marked as free.

    Attributes:
        path: the folder.
        config_file: name of the file in it with the resolved configuration.
    """

    path: Path
    config_file: str

    def check_new(self, has_begun: bool) -> None:
        """Raise LammpsError where the run in the folder has finished work that a new one would overwrite."""
        if has_begun:
            raise LammpsError(f"{self.path} already holds a run; go on with --resume, or name another folder with -o.")

    def check_is_run(self) -> None:
        """Raise LammpsError where there is no run to resume."""
        if not (self.path / self.config_file).is_file():
            raise LammpsError(
                f"{self.path} holds no run that could be resumed (no {self.config_file}); leave out --resume, or name "
                "the folder of the run with -o."
            )

    def write(self, config: RunConfig, system: System, atoms: Atoms, *, triclinic: bool = False) -> None:
        """Write structure, system and configuration.

        Args:
            config: resolved settings.
            system: what ``placed`` returned.
            atoms: the structure.
            triclinic: whether the box may tilt.

        Raises:
            DataError: the structure fits no data file.
        """
        data = data_file(atoms, system.elements, triclinic=triclinic, velocities=system.velocities)
        write_atomically(self.path / DATA_FILE, data)
        write_atomically(self.path / SYSTEM_FILE, json.dumps(asdict(system), indent=1) + "\n")
        self.write_config(config)

    def write_config(self, config: RunConfig) -> None:
        """Write the resolved configuration."""
        write_atomically(self.path / self.config_file, dump_yaml(config))

    def reopen(self, config: RunConfig, fixed: Collection[str] = ()) -> System:
        """Return the system of a run that is resumed, on the device asked for, and write what has changed.

        Args:
            config: settings now.
            fixed: settings that may not change although their fields are marked as free.

        Raises:
            ConfigError: other settings have changed than may.
            LammpsError: there is no run, or its system cannot be read.
        """
        self.check_unchanged(config, fixed)
        system = on_device(self.system(), config.potential, config.device)
        self.write_config(config)
        return system

    def check_unchanged(self, config: RunConfig, fixed: Collection[str] = ()) -> None:
        """Raise ConfigError where a setting has changed that may not when a run is resumed."""
        self.check_is_run()
        before = load_yaml(self.path / self.config_file, type(config))
        if reason := refusal(config, before, self.path, fixed):
            raise ConfigError(reason)

    def system(self) -> System:
        """Return the system of the run; raise LammpsError where it cannot be read."""
        path = self.path / SYSTEM_FILE
        try:
            return _SYSTEM.validate_python(read_json(path))
        except (OSError, ValueError) as error:
            reason = in_one_line(str(error).partition("\n")[0])
            raise LammpsError(f"{path} cannot be read ({reason}); start again in another folder.") from None
