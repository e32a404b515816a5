"""The documentation is complete and builds without a warning."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import unnp.cli
from unnp.models import architectures

DOCS = Path(__file__).parents[2] / "docs"


def headings(page: str) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE))


def verbs() -> list[str]:
    """Return the modules with a command or a group of them; the others are what these share."""
    names = [module.name for module in pkgutil.iter_modules(unnp.cli.__path__)]
    modules = {name: importlib.import_module(f"unnp.cli.{name}") for name in names}
    return sorted(name.replace("_", "-") for name, m in modules.items() if hasattr(m, "command") or hasattr(m, "app"))


def own_architectures() -> list[str]:
    return sorted(name for name, kind in architectures().items() if kind.__module__.startswith("unnp."))


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_its_section(verb: str) -> None:
    found = headings("cli.md")
    assert f"unnp {verb}" in found
    module = importlib.import_module(f"unnp.cli.{verb.replace('-', '_')}")
    for command in module.app.registered_commands if hasattr(module, "app") else []:
        name = command.name or command.callback.__name__.replace("_", "-")
        assert f"unnp {verb} {name}" in found


@pytest.mark.parametrize("name", own_architectures())
def test_every_architecture_has_its_page_and_its_settings(name: str) -> None:
    assert (DOCS / f"architectures/{name}.md").is_file()
    assert f"Architecture: {name}" in headings("configuration.md")


def test_every_keyword_of_the_pair_style_is_described() -> None:
    source = (DOCS.parent / "lammps_plugin/pair_settings.cpp").read_text(encoding="utf-8")
    keywords = re.findall(r'\{"(\w+)", \d+, set_\w+\}', source)
    page = (DOCS / "pair_unnp.md").read_text(encoding="utf-8")
    assert keywords
    for keyword in keywords:
        assert re.search(rf"^`{keyword}`\n: ", page, re.MULTILINE), keyword


def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("sphinx", "furo", "myst_parser"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}: make docs installs it")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-4000:]
    configuration = (tmp_path / "configuration.html").read_text(encoding="utf-8")
    assert "optimizer.average_decay" in configuration
    assert "--keep-together" in (tmp_path / "cli.html").read_text(encoding="utf-8")
