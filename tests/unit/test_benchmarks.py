"""The scripts of benchmarks/ find what they import from unnp, also what they import only once they run."""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


def imports(script: Path) -> list[tuple[str, str]]:
    """Return modules of unnp and the names that a script takes from them, wherever it does."""
    nodes = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.ImportFrom)]
    return [(n.module, alias.name) for n in nodes if n.module and n.module.startswith("unnp") for alias in n.names]


def submodule(module: str, name: str) -> bool:
    return hasattr(importlib.import_module(module), "__path__") and find_spec(f"{module}.{name}") is not None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_exists(script):
    missing = [
        f"{module}.{name}"
        for module, name in imports(script)
        if not hasattr(importlib.import_module(module), name) and not submodule(module, name)
    ]
    assert missing == []


def test_there_are_scripts_that_import_something():
    assert sum(len(imports(script)) for script in SCRIPTS) > 20
