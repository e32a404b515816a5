"""Loops of `unnp learn` beside each other: which can be compared, and the curves."""

import shutil
from pathlib import Path

import pytest
import yaml
from learn_runs import finished_loop, rows, settings, write_files
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import DataError
from unnp.workflows.learn.figures import Point, _curve
from unnp.workflows.learn.report import write_comparison


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_files(folder)
    return folder


@pytest.fixture(scope="module")
def finished(files: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A loop of two committees, and what it printed."""
    return finished_loop(files, tmp_path_factory.mktemp("learn") / "out")


def test_loops_that_differ_in_their_seed_are_one_curve_with_bars(finished: tuple[Path, str], tmp_path: Path) -> None:
    folder, select = finished[0], settings()["select"]
    for name, given in (("twin", select), ("random", {"kind": "random", "most": 3})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text((folder / "report.json").read_text())
        (tmp_path / name / "learn.yaml").write_text(yaml.safe_dump(settings(select=given)))
    write_comparison(folder, [str(tmp_path / "twin"), str(tmp_path / "random"), f"by chance={tmp_path / 'random'}"])
    compared = rows(folder / "compare.csv")
    found = {(row["name"], row["loop"]) for row in compared}
    deviation = "deviation, most 3, over all, sigmas 1.0"
    assert found == {(deviation, "0"), (deviation, "1"), ("random, most 3", "0"), ("by chance", "0")}
    kinds = {name: judge["kind"] for name, judge in settings()["judge"].items()}
    assert {kinds[row["judge"]] for row in compared} == set(kinds.values()) - {"new", "crystals"}
    assert {row["measure"] for row in compared} == {"mae", "rmse"}
    (tmp_path / "random/report.json").unlink()
    with pytest.raises(DataError, match="holds no report of a loop"):
        write_comparison(folder, [str(tmp_path / "random")])


def test_loops_that_cannot_be_compared_are_said_before_this_one_runs(
    finished: tuple[Path, str], files: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished[0], other, ignore=shutil.ignore_patterns("round-*"))
    judges = settings()["judge"]
    (other / "learn.yaml").write_text(yaml.safe_dump(settings(judge={"held": judges["test"], "new": judges["new"]})))
    words = ["learn", str(files / "learn.yaml"), "-o", str(tmp_path / "out"), "--compare"]
    nowhere = CliRunner().invoke(build_app(), [*words, str(tmp_path / "nowhere")])
    assert isinstance(nowhere.exception, DataError), nowhere.output
    with_others = CliRunner().invoke(build_app(), [*words, f"held={other}"])
    assert "has the judges held, this one pool, test" in str(with_others.exception)
    assert not (tmp_path / "out").exists()


def test_the_table_is_shown_before_loops_are_compared(
    finished: tuple[Path, str], files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished[0], folder)

    def gone(*_: object) -> None:
        raise DataError("gone meanwhile")

    monkeypatch.setattr("unnp.workflows.learn.report.write_comparison", gone)
    words = ["learn", str(files / "learn.yaml"), "-o", str(folder), "--resume", "--compare", str(finished[0])]
    result = CliRunner().invoke(build_app(), words)
    assert str(result.exception) == "gone meanwhile"
    assert "Rounds " in result.output


def test_means_and_bars_by_hand() -> None:
    points = [
        Point("a", loop, "pool", "energy", "mae", k, 0.1 * k, mae)
        for loop, k, mae in ((0, 0, 4.0), (1, 0, 6.0), (0, 1, 1.0))
    ]
    x, mean, spread = _curve(points)
    assert spread is not None
    assert (x.tolist(), mean.tolist()) == ([0.0], [5.0])
    assert spread == pytest.approx([2**0.5])
    assert _curve(points[:1])[2] is None


def test_loops_of_one_round_are_points_of_a_curve() -> None:
    points = [
        Point("a", loop, "pool", "energy", "mae", 0, x, mae)
        for loop, (x, mae) in enumerate([(0.2, 1.0), (0.1, 4.0), (0.1, 6.0)])
    ]
    x, mean, spread = _curve(points)
    assert spread is not None
    assert (x.tolist(), mean.tolist()) == ([0.1, 0.2], [5.0, 1.0])
    assert spread == pytest.approx([2**0.5, 0.0])
