"""What the package says about itself."""

import re
from pathlib import Path

import unnp

ROOT = Path(__file__).parents[2]

VERSIONS = {
    "pyproject.toml": r'^version = "(.+)"$',
    "CMakeLists.txt": r"^project\(unnp VERSION (\S+) ",
    "CITATION.cff": r"^version: (\S+)$",
}


def test_the_version_is_the_same_everywhere() -> None:
    found = {name: re.findall(line, (ROOT / name).read_text(), re.MULTILINE) for name, line in VERSIONS.items()}
    assert found == {name: [unnp.__version__] for name in VERSIONS}


def test_its_types_are_for_others_too() -> None:
    assert any((Path(folder) / "py.typed").is_file() for folder in unnp.__path__)


def test_tools_that_build_it_are_named_alike() -> None:
    required = re.search(r"^requires = \[(.+)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert required is not None
    names = set(re.findall(r'"([a-z0-9-]+)', required[1])) - {"torch"}
    for page in ("Makefile", "README.md", "docs/installation.md"):
        line = re.search(r"scikit-build-core pybind11 .*", (ROOT / page).read_text(encoding="utf-8"))
        assert line is not None
        assert names <= set(line[0].split()), page
