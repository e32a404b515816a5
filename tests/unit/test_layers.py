"""Imports point one way: the layers of docs/design.md, read from the page and compared with the imports of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import unnp

PACKAGE = Path(unnp.__file__).parent
DESIGN = Path(__file__).parents[2] / "docs/design.md"
INSIDE_WORKFLOWS = {
    ("crystals", "elastic"),
    ("crystals", "relaxation"),
    ("elastic", "relaxation"),
    ("melt", "momt"),
    ("learn", "crystals"),
    ("learn", "md"),
    ("learn", "momt"),
    ("neb", "relaxation"),
    ("surfaces", "relaxation"),
    ("adsorption", "neb"),
    ("adsorption", "relaxation"),
    ("adsorption", "surfaces"),
}
FACES = {"__init__", "__main__"}
MOST_FILES_IN_THE_ROOT = 8


@cache
def layers() -> dict[str, int]:
    """Return the line of each room on the page, counted from the top."""
    section = DESIGN.read_text(encoding="utf-8").split("## Layers\n")[1].split("\n## ")[0]
    lines = [line.split() for line in section.splitlines() if line.startswith("    ")]
    return {room: number for number, rooms in enumerate(lines) for room in rooms}


@cache
def modules() -> dict[str, Path]:
    """Return the file of each module, by dotted name without ``unnp.``; the face of a room has the name of the room."""
    names = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


@cache
def imports(name: str) -> frozenset[str]:
    return frozenset(_imported(modules()[name]))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unnp."):
            module = str(node.module).removeprefix("unnp.")
            for alias in node.names:
                yield f"{module}.{alias.name}" if f"{module}.{alias.name}" in modules() else module
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("unnp.") for alias in node.names if alias.name.startswith("unnp."))


def room(name: str) -> str:
    return name.split(".")[0]


def test_every_room_has_a_layer_and_every_layer_a_room() -> None:
    assert {room(name) for name in modules()} - FACES == set(layers())


@pytest.mark.parametrize("name", sorted(set(map(room, modules())) - FACES))
def test_a_room_imports_only_rooms_above_its_line(name: str) -> None:
    own = [module for module in modules() if room(module) == name]
    upward = [
        f"{module} imports {other}"
        for module in own
        for other in imports(module)
        if room(other) != name and layers()[room(other)] >= layers()[name]
    ]
    assert upward == []


def test_workflows_use_each_other_only_as_the_page_says() -> None:
    used = {
        (module.split(".")[1], other.split(".")[1])
        for module in modules()
        for other in imports(module)
        if module.startswith("workflows.") and other.startswith("workflows.")
    }
    assert {pair for pair in used if pair[0] != pair[1]} == INSIDE_WORKFLOWS


def test_no_circles_between_modules() -> None:
    TopologicalSorter({name: imports(name) - {name} for name in modules()}).prepare()


def test_the_root_of_the_package_stays_small() -> None:
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__main__"}
    assert len(files) <= MOST_FILES_IN_THE_ROOT, sorted(files)
