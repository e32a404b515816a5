"""Exported files: what is refused, what is checked, and that nothing is left behind."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.errors import ModelError, UnnpError
from unnp.exported import export
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential

SYMBOLS = ["Al", "Ni"]
SETTINGS = {"layer_cutoffs": [3.0, 4.0], "scalars": 4, "vectors": 2, "tensors": 2, "hidden": 4}


def build(seed: int = 0, references: tuple[float, float] = (-3.1, 2.7), **settings: object) -> Potential:
    torch.manual_seed(seed)
    config = PotentialConfig(settings={**SETTINGS, **settings}, add={"zbl": {}})
    head = Head(1.5, dict(zip(SYMBOLS, references, strict=True)))
    return build_potential(config, SYMBOLS, [head], TrainingData(20.0))


def crystal(cutoff: float) -> Graph:
    cell = np.diag([3.1, 3.3, 3.6])
    structure = Structure(np.array([13, 28]), np.array([[0, 0, 0], [1.2, 1.6, 1.4]]), cell, np.ones(3, dtype=bool))
    return Graph.of(structure, Elements(SYMBOLS), cutoff)


def test_committee(tmp_path: Path):
    members = [build(seed, references=(-3.1 - seed, 2.7)) for seed in range(3)]
    manifest = export_model(
        members, tmp_path / "new" / "m.pt", name="three", licence="CC0", data={"n": 1}, metrics={"m": 2}
    )
    assert (manifest.n_members, manifest.dtype, manifest.halo) == (3, "float32", "exchange")
    assert manifest.exchange_widths == [4 + 3 * 2 + 6 * 2] * 3 == members[0].communication().exchanges * 3
    assert manifest.n_parameters == 3 * members[0].n_parameters
    assert manifest.heads[0].reference_energies["Al"] == pytest.approx(-4.1)
    assert (manifest.licence, manifest.data, manifest.metrics) == ("CC0", {"n": 1}, {"m": 2})
    loaded = load_model(tmp_path / "new" / "m.pt", device="cpu")
    assert loaded.manifest == manifest
    graph = crystal(loaded.cutoff)
    energy, forces = loaded.members(graph)
    for k, member in enumerate(members):
        expected = predict(member, graph.to("cpu", torch.float32))
        assert energy[k].item() == pytest.approx(expected.energy.item(), abs=1e-5)
        np.testing.assert_allclose(forces[k], expected.forces, atol=1e-4)
    mean = loaded.predict(graph)
    assert mean.energy.item() == pytest.approx(energy.mean().item(), abs=1e-6)
    np.testing.assert_allclose(mean.forces, forces.mean(0), atol=1e-4)


def test_what_is_exported_stays_as_it_was(tmp_path: Path):
    potential = build().train()
    before = {name: value.clone() for name, value in potential.state_dict().items()}
    export_model([potential], tmp_path / "m.pt", name="one")
    assert potential.training
    assert all(p.requires_grad for p in potential.parameters())
    assert all(torch.equal(before[name], value) for name, value in potential.state_dict().items())


@pytest.mark.parametrize(
    "other",
    [
        {"layer_cutoffs": [3.0, 4.1]},
        {"scalars": 5},
        {"layer_cutoffs": [3.0, 3.0, 4.0]},
    ],
)
def test_members_that_do_not_fit_together(tmp_path: Path, other):
    with pytest.raises(ModelError, match="member 1 of the committee differs from member 0"):
        export_model([build(), build(**other)], tmp_path / "m.pt", name="mixed")
    with pytest.raises(ModelError, match="number type"):
        export_model([build(), build().double()], tmp_path / "m.pt", name="mixed")
    assert not list(tmp_path.iterdir())


def test_nothing_to_export(tmp_path: Path):
    with pytest.raises(ModelError, match="no potential was given"):
        export_model([], tmp_path / "m.pt", name="none")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(tmp_path: Path, bad):
    potential = build()
    with torch.no_grad():
        potential.representation.layers[1].bond.bias[0] = bad
    with pytest.raises(
        ModelError, match=r"weights of representation.layers.1.bond.bias are not finite; export an earlier"
    ):
        export_model([potential], tmp_path / "m.pt", name="broken")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("references", [(-3.1, 2.7), (-3e5, -4e5)])
def test_a_file_that_computes_something_else_is_not_written(tmp_path: Path, monkeypatch, references):
    """Also where the energies are large: the interactions are what is compared."""
    save = torch.jit.save

    def save_changed(module, *args, **kwargs):
        with torch.no_grad():
            next(module.parameters())[0, 0] += 0.3
        save(module, *args, **kwargs)
        with torch.no_grad():
            next(module.parameters())[0, 0] -= 0.3

    older = tmp_path / "m.pt"
    older.write_bytes(b"what was there before")
    monkeypatch.setattr(export.torch.jit, "save", save_changed)
    with pytest.raises(ModelError, match="the exported file gives another"):
        export_model([build(references=references)], older, name="other")
    assert older.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [older]


def test_all_elements_are_compared():
    from ase.data import chemical_symbols

    symbols = chemical_symbols[1:90]
    config, head = PotentialConfig(settings=SETTINGS, add={"zbl": {}}), Head(1.0, dict.fromkeys(symbols, 0.0))
    probe = export._probe(build_potential(config, symbols, [head], TrainingData(20.0)))
    assert set(probe.numbers) == set(range(1, 90))
    graph = Graph.of(probe, Elements(symbols), 4.0)
    lengths = graph.bond_vector.norm(dim=1)
    assert 1.0 < lengths.min() < 2.0  # within the switching of zbl


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch):
    path = tmp_path / "m.pt"
    path.write_bytes(b"older")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnnpError, match=r"cannot write .*m\.pt: No space left on device"):
        export_model([build()], path, name="one")
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    export_model([build()], path, name="one")
    assert load_model(path, device="cpu").manifest.name == "one"


def test_destinations_that_are_no_files(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").touch()
    for name, message in {
        "pipe": "is no ordinary file",
        "folder": "is a folder",
        "link": "links to nothing",
        "file/m.pt": "cannot write .*file",
    }.items():
        with pytest.raises(UnnpError, match=message) as error:
            export_model([build()], tmp_path / name, name="one")
        assert "\n" not in str(error.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "link", "pipe"]
