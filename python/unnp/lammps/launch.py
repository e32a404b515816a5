"""How LAMMPS is started: settings that every configuration of a run inherits, and the command they make."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from unnp.config import Config
from unnp.config.resume import FREE
from unnp.config.texts import Device, Line
from unnp.errors import LammpsError
from unnp.lammps.executables import find_executable, split_launcher


def _launcher(text: str) -> str:
    try:
        split_launcher(text)
    except LammpsError as error:
        raise ValueError(str(error)) from None
    return text


Launcher = Annotated[Line, AfterValidator(_launcher)]
"""A command with the place for ``{ranks}``, or nothing."""


class Launch(Config):
    """How LAMMPS is started. A configuration that inherits these settings has them behind its own."""

    ranks: int = Field(default=1, ge=1, json_schema_extra=FREE)
    """MPI processes of each simulation"""
    threads: int = Field(default=1, ge=1, json_schema_extra=FREE)
    """threads of each process"""
    device: Device = Field(default="auto", json_schema_extra=FREE)
    """where a model runs: auto, cpu, cuda or cuda:N"""
    launcher: Launcher = Field(default="mpirun -n {ranks}", json_schema_extra=FREE)
    """command that starts the processes; on a cluster for instance `srun -n {ranks}`; empty starts LAMMPS alone"""
    lmp: Line = Field(default="lmp", json_schema_extra=FREE)
    """name or path of LAMMPS"""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Put what a configuration says itself before what it inherits from here, in files and tables."""
        for name in Launch.model_fields:
            cls.model_fields[name] = cls.model_fields.pop(name)
        cls.model_rebuild(force=True)

    def command(self, simulations: int = 1) -> list[str]:
        """Return the words that start LAMMPS for a number of simulations side by side.

        Raises:
            LammpsError: a program is not on this machine, or several processes are asked for without a launcher.
        """
        n_processes = simulations * self.ranks
        words = [word.replace("{ranks}", str(n_processes)) for word in split_launcher(self.launcher)]
        if not words and n_processes > 1:
            raise LammpsError("without a launcher LAMMPS runs on one rank; give `launcher: mpirun -n {ranks}`.")
        program = find_executable(self.lmp)
        return [find_executable(words[0]), *words[1:], program] if words else [program]

    def check(self, simulations: int = 1) -> None:
        """Raise LammpsError where LAMMPS cannot be started so: see ``command``."""
        self.command(simulations)

    def shown(self, simulations: int = 1) -> str:
        """Return the command as the head of a deck shows it, without the paths of this machine."""
        return f"{self.launcher.replace('{ranks}', str(simulations * self.ranks))} {self.lmp}".strip()
