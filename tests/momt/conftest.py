"""A small run of MOMT with real LAMMPS, and where it cannot be made."""

from __future__ import annotations

from pathlib import Path

import pytest
from momt_runs import make
from unnp.errors import LammpsError
from unnp.lammps.executables import find_executable
from unnp.lammps.plugin import find_plugin


@pytest.fixture(scope="session", autouse=True)
def lammps() -> None:
    """Skip where LAMMPS or the plugin is missing."""
    try:
        find_executable("lmp"), find_executable("mpirun")
    except LammpsError as error:
        pytest.skip(str(error))
    if find_plugin() is None:
        pytest.skip("needs the compiled plugin (make install)")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with two walkers."""
    from unnp.workflows.momt.run import run_momt

    folder = tmp_path_factory.mktemp("momt") / "run"
    run_momt(make(), folder.parent, folder)
    return folder
