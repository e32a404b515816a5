"""Parity needs LAMMPS, MPI and the compiled plugin."""

from pathlib import Path

import pytest
from lammps_run import BIN
from unnp.core import is_available
from unnp.lammps.plugin import find_plugin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if is_available() and find_plugin() and (BIN / "lmp").exists() and (BIN / "mpirun").exists():
        return
    skip = pytest.mark.skip(reason="needs the compiled plugin and the lammps and mpich packages (make install)")
    for item in items:
        if here in item.path.parents:
            item.add_marker(skip)
