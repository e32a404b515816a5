"""The process that runs the command lines, and small inputs that are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runner import Server
from toys import TRAIN, make_store, succeeded


@pytest.fixture(scope="session")
def unnp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs command lines: ``unnp.run(folder, "data", "info", "store")``."""
    server = Server(tmp_path_factory.mktemp("output"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def toy_run(unnp: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the store ``data``, ``train.yaml``, the finished training ``run`` and its ``model.pt``."""
    folder = tmp_path_factory.mktemp("toy")
    make_store(unnp, folder)
    (folder / "train.yaml").write_text(TRAIN)
    succeeded(unnp.run(folder, "train", "train.yaml", "-o", "run"))
    succeeded(unnp.run(folder, "export", "run", "-o", "model.pt"))
    return folder
