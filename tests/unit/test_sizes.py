"""Functions stay small: nine of ten within 25 lines, none beyond 60, documentation not counted."""

import ast
from collections.abc import Iterator
from pathlib import Path

import unnp

PACKAGE = Path(unnp.__file__).parent
NINE_OF_TEN, LONGEST = 25, 60


def functions() -> Iterator[tuple[int, str]]:
    """Yield lines and name of each function of the package."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                text = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
                yield (node.end_lineno or 0) - node.lineno + 1 - text, f"{path.relative_to(PACKAGE)}:{node.name}"


def test_functions_are_small() -> None:
    found = sorted(functions())
    assert found[len(found) * 9 // 10][0] <= NINE_OF_TEN
    assert [function for function in found if function[0] > LONGEST] == []
