"""Opening exported models: what is wrong with a file is said before any of it is run."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path

import pytest
import torch
from unnp.core import model_files
from unnp.errors import ConfigError, ModelError
from unnp.exported.archive import read_manifest
from unnp.exported.loader import load_model
from unnp.exported.manifest import Manifest


def rewritten(source: Path, target: Path, change) -> Path:
    """Copy an archive entry by entry; ``change(name, content)`` returns the new content, or None to leave it out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = change(entry.filename, old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
    return target


def with_manifest(source: Path, target: Path, **fields) -> Path:
    def change(name, content):
        if not name.endswith("unnp.json"):
            return content
        return json.dumps({**json.loads(content), **fields}).encode()

    return rewritten(source, target, change)


def test_a_loaded_model_knows_its_manifest(small_model):
    loaded = load_model(small_model, device="cpu")
    assert loaded.manifest.elements == ["Al", "Ni"]
    assert loaded.manifest == read_manifest(small_model)
    assert loaded.dtype == torch.float64
    assert not any(p.requires_grad for p in loaded.module.parameters())


def test_reference_energies_keep_float64_in_a_float32_model(small_model):
    module = load_model(small_model, device="cpu", dtype="float32").module
    assert module.reference.dtype == torch.float64
    assert module.strength.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("reference", True),
        ("members.0.reference_energies", True),
        ("reference.weight", False),
        ("members.0.energy_heads.1.weight", False),
        ("preference", False),
        ("", False),
    ],
)
def test_one_rule_says_what_stays_float64(name, kept):
    assert model_files().keeps_float64(name) is kept


def test_manifest_survives_json():
    fields = {"name": "x", "architecture": "a", "elements": ["Al"], "cutoff": 5.0, "receptive_field": 10.0}
    fields |= {"halo": "exchange", "exchange_widths": [8, 8], "dtype": "float32"}
    fields |= {"heads": [{"name": "pbe", "reference_energies": {"Al": -1.5}}]}
    fields |= {"outputs": [{"name": "energy", "unit": "eV"}, {"name": "features", "shape": [4]}]}
    fields |= {"torch_version": "2.13.0+cpu", "n_parameters": 7}
    manifest = Manifest(**fields)
    assert Manifest.from_json(manifest.to_json(), "here") == manifest


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format_version": 2}, "has format 2; this unnp reads up to format 1. Upgrade unnp"),
        ({"format_version": "1"}, "format_version must be 1, got '1'"),
        ({"format_version": True}, "format_version must be 1"),
        ({"elements": ["Al", "Xx"]}, "'Xx' is not a chemical symbol"),
        ({"elements": ["Al", "Al"]}, "without repeats"),
        ({"cutoff": -1.0}, "cutoff: Input should be greater than 0"),
        ({"cutoff": float("nan")}, "cutoff"),
        ({"receptive_field": 1.0}, "receptive_field 1.0 A is shorter than cutoff"),
        ({"halo": "exchange"}, "needs exchange_widths"),
        ({"dtype": "float16"}, "dtype: Input should be 'float32' or 'float64'"),
        ({"units": {"energy": "Ry", "length": "angstrom"}}, "units.energy"),
        (
            {"heads": [{"name": "a", "reference_energies": {"Al": 0.0}}]},
            "reference_energies must name exactly the elements Al, Ni",
        ),
        ({"heads": [{"name": "a", "reference_energies": {"Al": 0.0, "Ni": float("inf")}}]}, "finite"),
        ({"heads": []}, "heads"),
        (
            {"heads": [{"name": "a", "reference_energies": {"Al": 0.0, "Ni": 0.0}}] * 2},
            "of the names a, a one stands twice",
        ),
        ({"heads": [{"name": "a b", "reference_energies": {"Al": 0.0, "Ni": 0.0}}]}, "heads.0.name"),
        ({"outputs": [{"name": "energy"}]}, "outputs must name energy and features"),
        ({"outputs": [{"name": "energy"}, {"name": "features", "per": "bond"}]}, "outputs.1.per"),
        ({"reference_energies": {"Al": 0.0, "Ni": 0.0}}, "reference_energies: unknown key"),
        ({"cutof": 3.0}, "cutof: unknown key. Did you mean 'cutoff'"),
        ({"n_members": 0}, "n_members"),
        ({"torch_supported": ["2", "new"]}, "is not a version"),
        ({"torch_supported": ["3.0", "3.2"]}, "runs with torch 3.0 to 3.2, but torch .* is installed"),
    ],
)
def test_wrong_manifests_are_refused(small_model, tmp_path, fields, message):
    path = with_manifest(small_model, tmp_path / "m.pt", **fields)
    with pytest.raises(ModelError, match=message):
        load_model(path, device="cpu")


def test_files_that_are_no_exported_model(small_model, tmp_path):
    text = tmp_path / "text.pt"
    text.write_text("not a model")
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save({"a": torch.zeros(3)}, checkpoint)
    foreign = rewritten(small_model, tmp_path / "foreign.pt", lambda n, c: None if n.endswith("unnp.json") else c)
    short = tmp_path / "short.pt"
    short.write_bytes(small_model.read_bytes()[:2000])
    empty = tmp_path / "empty.pt"
    empty.touch()
    for path, message in [
        (tmp_path / "absent.pt", "does not exist"),
        (tmp_path, "is a folder"),
        (text, "not a TorchScript file"),
        (empty, "not a TorchScript file"),
        (short, "not a TorchScript file"),
        (checkpoint, "looks like a checkpoint of torch.save"),
        (foreign, "without unnp.json"),
    ]:
        with pytest.raises(ModelError, match=message):
            load_model(path, device="cpu")


def test_flipped_bytes_are_an_error_of_ours_or_change_nothing(small_model, tmp_path):
    content = small_model.read_bytes()
    strength = load_model(small_model, device="cpu").module.strength
    path = tmp_path / "flipped.pt"
    for at in range(0, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        with contextlib.suppress(ModelError):
            assert torch.equal(load_model(path, device="cpu").module.strength, strength)


def test_archives_no_export_writes_are_refused(small_model, tmp_path):
    outside = tmp_path / "outside.pt"
    outside.write_bytes(small_model.read_bytes())
    with zipfile.ZipFile(outside, "a") as archive:
        archive.writestr("../../escape", "x")
    with pytest.raises(ModelError, match="entry named"):
        load_model(outside, device="cpu")
    bomb = tmp_path / "bomb.pt"
    bomb.write_bytes(small_model.read_bytes())
    with zipfile.ZipFile(bomb, "a", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small/data/9", b"\0" * 2**25)
    with pytest.raises(ModelError, match="unpacks to"):
        load_model(bomb, device="cpu")


def test_a_manifest_that_is_no_json(small_model, tmp_path):
    for text in (b"{", b"[1]", b"\xff\xfe", b"[" * 100_000):
        path = rewritten(small_model, tmp_path / "m.pt", lambda n, c, text=text: text if n.endswith("unnp.json") else c)
        with pytest.raises(ModelError, match="manifest"):
            load_model(path, device="cpu")


@pytest.mark.parametrize(("device", "dtype"), [("gpu", "model"), ("cuda:99", "model"), ("cpu", "double")])
def test_unknown_or_absent_devices_and_types(small_model, device, dtype):
    with pytest.raises(ConfigError, match=f"'{device if device != 'cpu' else dtype}'"):
        load_model(small_model, device=device, dtype=dtype)
