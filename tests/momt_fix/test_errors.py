"""What cannot give a right answer is refused in one line that says what to do, on every number of ranks."""

from __future__ import annotations

from pathlib import Path

import pytest
from lammps_run import run_lammps
from momt_bad_input import NONE, NVE, OPES, RESTARTS, STATES, SYSTEMS, WORDS, cut_state, fix, good_state
from momt_decks import aluminium, eam, head, write_structure
from momt_refusals import refusals

TABLES = {"words": WORDS, "system": SYSTEMS, "state": STATES, "restart": RESTARTS}
EXPECTED = {f"{kind}_{name}": case[1] for kind, table in TABLES.items() for name, case in table.items()}


@pytest.fixture(scope="module")
def restart_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("restart")
    write_structure(folder, aluminium((2, 2, 2)))
    deck = head() + "velocity all create 900 1\n" + fix(f"{OPES} observe 1") + NVE + "run 20\nwrite_restart a.restart\n"
    run_lammps(folder, deck, timeout=60)
    return folder / "a.restart"


@pytest.fixture(scope="module", params=[1, 2], ids=["1rank", "2ranks"])
def messages(
    request: pytest.FixtureRequest, restart_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Return how LAMMPS stopped in every case."""
    folder = tmp_path_factory.mktemp("refused")
    write_structure(folder, aluminium((2, 2, 2)))
    decks = {f"words_{name}": head() + fix(words) for name, (words, _) in WORDS.items()}
    decks |= {f"system_{name}": head() + commands for name, (commands, _) in SYSTEMS.items()}
    for name, (write, _) in STATES.items():
        write(folder / f"{name}.json")
        decks[f"state_{name}"] = head() + fix(f"{NONE} start {name}.json") + NVE
    for name, (words, _) in RESTARTS.items():
        decks[f"restart_{name}"] = f"read_restart {restart_file}\n{eam()}" + fix(f"{words} observe 1") + NVE
    return refusals(folder, {name: deck + "run 5\n" for name, deck in decks.items()}, request.param)


@pytest.mark.parametrize("name", EXPECTED)
def test_refusal(name: str, messages: dict[str, str]) -> None:
    lines = [line for line in messages[name].splitlines() if line.startswith("ERROR")]
    assert len(lines) == 1, messages[name]
    assert "momt" in lines[0]
    assert EXPECTED[name] in lines[0]


def test_lmp_stops(tmp_path: Path) -> None:
    """What the library throws is one line and an exit code of `lmp`; also where only one rank meets the problem."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    cut_state(tmp_path / "cut.json")
    for words in (f"{NONE} start cut.json", f"{OPES} state nowhere/s.json 1", WORDS["mode"][0]):
        run = run_lammps(tmp_path, head() + fix(words) + NVE + "run 5\n", 2, check=False, timeout=60)
        assert run.code == 1
        errors = [line for line in run.output.splitlines() if line.startswith("ERROR")]
        assert len(errors) == 1
        assert "fix momt: " in errors[0]
        assert "Setting up" not in run.output  # before the first step


def test_what_is_allowed(tmp_path: Path) -> None:
    """The refusals above are not of everything: a thermostat behind the fix, P0 = 0 at constant volume."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    deck = head() + "velocity all create 900 1\n" + fix(f"{OPES} press 0") + "fix bath all langevin 900 900 0.1 7\n"
    run_lammps(tmp_path, deck + NVE + "run 5\n", 2, timeout=60)


def test_a_good_state_is_taken(tmp_path: Path) -> None:
    write_structure(tmp_path, aluminium((2, 2, 2)))
    good_state()(tmp_path / "s.json")
    run_lammps(tmp_path, head() + fix(f"{NONE} start s.json") + NVE + "run 5\n", timeout=60)
