"""What scripts may import: the faces offer what they say, and opening one does not cost what it does not need."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

FACES = ["unnp", "unnp.models", "unnp.nn", "unnp.data", "unnp.testing"]


@pytest.mark.parametrize("face", FACES)
def test_a_face_offers_what_it_lists_and_the_page_names_it(face: str) -> None:
    module = importlib.import_module(face)
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []
    page = Path(__file__).parents[2] / "docs/python-api.md"
    assert f"`{face}`" in page.read_text(encoding="utf-8")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        importlib.import_module("unnp").load_modle  # noqa: B018


@pytest.mark.parametrize("module", ["unnp", "unnp.cli", "unnp.exported.manifest"])
def test_neither_the_package_nor_the_command_line_loads_torch(module: str) -> None:
    code = f"import sys, {module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
