"""The process that runs the command lines, and small inputs that are damaged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from outcome import Ended
from runner import Server


@pytest.fixture(scope="session")
def unnp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs command lines: ``unnp.run(folder, "data", "info", "store")``."""
    server = Server(tmp_path_factory.mktemp("output"))
    yield server
    server.close()


def succeeded(ended: Ended) -> str:
    """Return the output of a command that had to end well."""
    assert ended.code == 0, ended.output
    return ended.output
