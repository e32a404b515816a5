"""The page of fix momt: its table has all keywords, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lammps_run import run_lammps
from momt_decks import aluminium, head, write_structure
from unnp.workflows.momt.bias_modes import BIAS_MODES
from unnp.workflows.momt.order_parameters import ORDER_PARAMETERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/fix_momt.md").read_text(encoding="utf-8")
STEPS = 10


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def examples() -> list[str]:
    """Return the inputs of the page, one for each `fix momt` in them."""
    blocks = re.findall(r"^```text\n(.*?)^```", section("Examples"), re.MULTILINE | re.DOTALL)
    return [example for block in blocks for example in block.split("\n\n")]


def test_table_of_keywords(tmp_path: Path) -> None:
    """The keywords of the table are those that the fix names."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    run = run_lammps(tmp_path, head() + "fix bias all momt nonsense 1\n", check=False, timeout=30)
    known = re.search(r"unknown keyword 'nonsense'; (.*?) are known", run.output)
    assert known
    cells = re.findall(r"^\| (`[^|]*`) \|", section("Syntax"), re.MULTILINE)
    described = [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]
    assert sorted(described) == sorted(known[1].split(", "))


@pytest.mark.parametrize(
    ("keyword", "kinds"), [("order", ORDER_PARAMETERS), ("mode", BIAS_MODES)], ids=["order", "mode"]
)
def test_what_the_fix_has_is_what_a_run_may_ask_for(keyword: str, kinds: dict[str, type], tmp_path: Path) -> None:
    """An unknown word is refused with a list of those that there are, which are the kinds of the settings."""
    write_structure(tmp_path, aluminium((2, 2, 2)))
    run = run_lammps(tmp_path, head() + f"fix bias all momt {keyword} nonsense\n", check=False, timeout=30)
    known = re.search(r"there is no [a-z ]+ 'nonsense'; there are (.*?)\.", run.output)
    assert known
    assert sorted(known[1].split(", ")) == list(kinds)
    assert all(f"`{word}" in section("Syntax") for word in kinds)


def test_every_example_has_one_fix() -> None:
    assert [example.count("fix bias all momt") for example in examples()] == [1] * 6


def _deck(example: str) -> str:
    """Return an input around an example; some leave out what moves the atoms."""
    moves = re.search(r"^fix \w+ +all n(ve|ph|pt)\b", example, re.MULTILINE)
    rest = "" if moves else "fix box all nph iso 0.0 0.0 1.0\nfix heat all temp/csvr 1000 1000 0.1 4711\n"
    motion = "velocity all create 1000 4711\n"
    return f"clear\n{head()}{motion}{example}\n{rest}run {STEPS}\n"


def test_examples_of_one_walker(tmp_path: Path) -> None:
    """One after the other, as on the page: the third begins with the state that the first has written."""
    write_structure(tmp_path, aluminium((3, 3, 3)))
    alone = [example for example in examples() if "-partition" not in example]
    run = run_lammps(tmp_path, "".join(map(_deck, alone)), timeout=60)
    assert run.output.count("Loop time") == len(alone) == 5
    assert "f_bias[8]" in run.output


def test_example_of_the_readme(tmp_path: Path) -> None:
    write_structure(tmp_path, aluminium((3, 3, 3)))
    lines = re.findall(r"^    (fix .*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 3
    run_lammps(tmp_path, _deck("\n".join(lines)), timeout=60)
    assert (tmp_path / "momt.0.log").exists()


def test_example_of_several_walkers(tmp_path: Path) -> None:
    """As many walkers as the page has, of one rank each."""
    write_structure(tmp_path, aluminium((3, 3, 3)))
    [example] = [example for example in examples() if "-partition" in example]
    run_lammps(tmp_path, _deck(example).removeprefix("clear\n"), 4, ("-partition", "4x1"), timeout=60)
    for walker in range(4):
        rows = (tmp_path / f"momt.{walker}.log").read_text().splitlines()
        assert [int(row.split()[0]) for row in rows[3:]] == [0]
    assert (tmp_path / "state.json").exists()
