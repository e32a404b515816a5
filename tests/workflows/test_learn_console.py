"""What a loop shows: every number whole on a terminal of 80 columns, and those that a loop is stopped by among them."""

import re
from typing import Any

import pytest
from unnp.cli.tables import print_table
from unnp.workflows.learn.console import Judges, say_round, tables
from unnp.workflows.learn.judges.crystals import Crystals
from unnp.workflows.learn.judges.files import Files
from unnp.workflows.learn.judges.new import New
from unnp.workflows.learn.judges.pool import Pool
from unnp.workflows.learn.rounds import AFTER, LABEL, SELECT, Round

JUDGES: Judges = {"pool": Pool, "held-back": Files, "new": New, "crystals": Crystals}
ERRORS = {"energy_mae": 1234.5678, "energy_rmse": 777.0, "forces_mae": 0.0123456, "stress_mae": -0.00012345}
AT_REST = {"wrong": 0.0, "ordered": 1.0, "energy_mae": 555.0, "energy_worst": 12.3456, "bond_worst": 0.0123456}


def a_round(number: int, crystals: dict[str, float]) -> Round:
    judged: dict[str, Any] = {"pool": ERRORS, "held-back": ERRORS, "crystals": crystals}
    steps = {
        SELECT: {"result": {"chosen": [{}], "given": 0}, "seconds": 30.0},
        LABEL: {"result": {"labelled": 40}, "seconds": 30.0},
        AFTER: {"result": {**judged, **({"new": ERRORS} if number else {})}, "seconds": 0.0},
    }
    return Round(number, steps)


ROUNDS = [a_round(0, {"wrong": 2.0, "ordered": 0.0}), a_round(1, AT_REST)]


@pytest.mark.parametrize("columns", [80, 100])
def test_no_number_is_cut_on_a_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    for table in tables(ROUNDS, 20000, JUDGES):
        print_table(*table)
    printed = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)  # without styles
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= columns
    assert printed.count(" 1235 ") == printed.count(" 0.01235 ") - 1 == 5  # of three judges, one of them in one round
    assert [word in printed for word in ("12.35", "worst energy [meV/atom]", "worst bond [A]")] == [True] * 3
    assert "555" not in printed
    assert "777" not in printed


def test_tables_of_judges_have_the_rounds_in_which_they_said_something() -> None:
    found = {title: (header, rows) for title, header, rows in tables(ROUNDS, 20000, JUDGES)}
    assert found["Rounds"] == (
        ["round", "new", "learnt", "of the pool", "min"],
        [["0", "40", "40", "0.2%", "1.0"], ["1", "40", "80", "0.4%", "1.0"]],
    )
    assert found["Judge new"] == (
        ["round", "energy MAE [meV/atom]", "forces MAE [eV/A]", "stress MAE [GPa]"],
        [["1", "1235", "0.01235", "-0.0001234"]],
    )
    assert found["Judge crystals"][1] == [["0", "2", "0", "-", "-"], ["1", "0", "1", "12.35", "0.01235"]]
    assert "of the pool" not in next(tables(ROUNDS, 0, {}))[1]


def test_a_round_is_a_line_and_one_for_each_judge(capsys: pytest.CaptureFixture[str]) -> None:
    say_round(ROUNDS, 20000, JUDGES)
    errors = "energy MAE 1235 meV/atom  forces MAE 0.01235 eV/A  stress MAE -0.0001234 GPa"
    assert capsys.readouterr().out.splitlines() == [
        "round 1  new 40  learnt 80  of the pool 0.4%  min 1.0",
        f"  pool       {errors}",
        f"  held-back  {errors}",
        f"  new        {errors}",
        "  crystals   wrong 0  ordered 1  worst energy 12.35 meV/atom  worst bond 0.01235 A",
    ]
    say_round(ROUNDS[:1], 0, {"new": New})
    assert capsys.readouterr().out.splitlines() == ["round 0  new 40  learnt 40  min 1.0"]


def test_a_judge_that_names_nothing_to_show_shows_all_it_says() -> None:
    class Other(Files):
        """Says numbers of its own."""

    steps = {**ROUNDS[0].steps, AFTER: {"result": {"other": {"melting": 900.0}}, "seconds": 0.0}}
    assert list(tables([Round(0, steps)], 0, {"other": Other}))[1] == (
        "Judge other",
        ["round", "melting"],
        [["0", "900"]],
    )
