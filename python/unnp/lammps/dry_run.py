"""What can be known of a run before LAMMPS is started: its programs, and the pair styles they have."""

from __future__ import annotations

import re
import subprocess

from unnp.errors import ConfigError, LammpsError, unknown
from unnp.lammps.executables import environment, find_executable
from unnp.lammps.system_config import RunConfig

ANSWER_SECONDS = 60


def check_programs(config: RunConfig) -> None:
    """Say which programs are not on this machine, where a run is prepared that may be made for another one.

    Raises:
        ConfigError: LAMMPS is there, and does not know the pair style.
    """
    try:
        config.check()
    except LammpsError as error:
        print(f"Note: {error}", flush=True)
    style = (config.potential.pair_style or "").split()
    known = pair_styles(config.lmp)
    if style and known and style[0] not in known and config.potential.plugin is None:
        raise ConfigError(f"potential.{_short(unknown('pair_style', style[0], known))}")


def pair_styles(lmp: str) -> set[str]:
    """Return the pair styles that a LAMMPS program has built in or loads by itself; none where it does not say."""
    try:
        answer = subprocess.run(
            [find_executable(lmp), "-h"],
            env=environment(1),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
        )
    except (LammpsError, OSError, subprocess.TimeoutExpired):
        return set()
    listed = re.search(r"^\* Pair styles:\n(.*?)^\*", answer.stdout, re.MULTILINE | re.DOTALL)
    return {*listed[1].split(), "unnp"} if listed else set()


def _short(message: str) -> str:
    """Leave out the hundreds of styles that are allowed."""
    return re.sub(r"; allowed: .*?\.(?= Did you mean|$)", "; `lmp -h` lists those it has.", message)
