"""These tests run LAMMPS."""

from pathlib import Path

import pytest
from lammps_run import installed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if installed():
        return
    skip = pytest.mark.skip(reason="needs the compiled plugin and the lammps and mpich packages (make install)")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)
