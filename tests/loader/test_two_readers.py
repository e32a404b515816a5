"""The readers of Python and C++ accept the same manifests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_archive import Archive
from mutants import FIELDS
from unnp.core import model_files
from unnp.errors import ModelError
from unnp.exported.manifest import Manifest

NI = Path(__file__).parents[2] / "models" / "teanet-mlearn-Ni" / "model.pt"


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive(NI.read_bytes())


@pytest.mark.parametrize(("key", "value"), FIELDS)
def test_both_readers_give_the_same_verdict_on_a_manifest(key, value, archive):
    text = json.dumps(json.loads(archive.read("extra/unnp.json")) | {key: value})
    verdicts = []
    try:
        Manifest.from_json(text, "m.pt")
        verdicts.append(True)
    except ModelError:
        verdicts.append(False)
    try:
        model_files().check_manifest(text.encode(), "m.pt")
        verdicts.append(True)
    except RuntimeError:
        verdicts.append(False)
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": 1, "format_version": 1}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 01}',
        "\ufeff{}",
        '{"name": "\\ud800"}',
        "",
    ],
)
def test_what_is_no_strict_json_is_refused_by_both(text):
    with pytest.raises(ModelError):
        Manifest.from_json(text, "m.pt")
    with pytest.raises(RuntimeError):
        model_files().check_manifest(text.encode(), "m.pt")
