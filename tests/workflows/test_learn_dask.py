"""A loop computed by Dask: one cluster for all of it, and the numbers of one that is computed here."""

from pathlib import Path
from typing import Any

import pytest
from learn_runs import config, write_files
from unnp.workflows.learn.run import run_learning

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.long

EMT_LABELS = {"kind": "ase", "name": "emt"}
HERE = {"kind": "here"}
IN_THREADS = {"kind": "dask", "workers": 1, "settings": {"processes": False}}


def without_times(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in report["rounds"]]


def test_a_loop_has_one_cluster_and_the_numbers_of_one_that_is_computed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rounds of labels and trainings, in threads: those of Dask's workers are none that may take signals."""
    write_files(tmp_path)
    clusters: list[Any] = []
    start = distributed.LocalCluster
    monkeypatch.setattr(distributed, "LocalCluster", lambda **given: clusters.append(start(**given)) or clusters[-1])
    found = {
        kind["kind"]: run_learning(config(executor=kind, label=EMT_LABELS), tmp_path, tmp_path / kind["kind"])
        for kind in (HERE, IN_THREADS)
    }
    assert without_times(found["dask"]) == without_times(found["here"])
    assert [cluster.status.name for cluster in clusters] == ["closed"]
