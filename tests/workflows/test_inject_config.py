"""The file of an injection: potentials in it, or in a file of their own."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from unnp.errors import ConfigError
from unnp.workflows.inject.config import load_injection

POTENTIALS: dict[str, Any] = {"emt": {"kind": "ase", "name": "emt"}, "morse": "morse.yaml"}


def write(folder: Path, potentials: Any) -> Path:
    content = {
        "data": {"labelled": ["a.xyz"], "test": 0.2, "pool": ["b.xyz"]},
        "potentials": potentials,
        "architectures": {"SchNet": {"potential": {"architecture": "schnet"}}},
    }
    path = folder / "inject.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_potentials_in_a_file_count_as_if_they_stood_in_the_configuration(tmp_path: Path) -> None:
    given = load_injection(write(tmp_path, POTENTIALS))
    (tmp_path / "potentials.yaml").write_text(yaml.safe_dump(POTENTIALS))
    path = write(tmp_path, "potentials.yaml")
    assert load_injection(path) == given
    assert load_injection(write(tmp_path, {"a": "a.yaml", "b": "b.yaml"}), ["potentials=potentials.yaml"]) == given
    changed = load_injection(write(tmp_path, "potentials.yaml"), ["potentials.morse=other.yaml"])
    assert changed.potentials == {**POTENTIALS, "morse": "other.yaml"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"potentials\.yaml"),
        ("- emt\n- morse\n", r"potentials\.yaml must hold `key: value` lines"),
        ("emt: emt.yaml\n", r"(?s)inject\.yaml.*potentials.*at least 2"),
    ],
)
def test_a_file_that_holds_no_potentials_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "potentials.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_injection(write(tmp_path, "potentials.yaml"))
