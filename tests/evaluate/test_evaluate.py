"""`unnp evaluate` and `unnp info` end to end."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.stress import voigt_6_to_full_3x3_stress
from typer.testing import CliRunner
from unnp.adapters.ase import UnnpCalculator
from unnp.cli import build_app
from unnp.data.opening import open_structures
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.evaluate.evaluation import Limits, evaluate
from unnp.exported.loader import load_model
from unnp.units import GPA_PER_EV_PER_A3

ENERGY_ERROR, FORCE_ERROR, STRESS_ERROR = 0.01, 0.02, 0.003
"""per atom [eV], per component [eV/A] and [eV/A^3]"""


def structures() -> list[Atoms]:
    frames = []
    for k in range(6):
        atoms = bulk("AlNi", "cesiumchloride", a=2.9) * (1 + k % 2, 1, 1) if k % 3 else bulk("Al", cubic=True)
        atoms.rattle(0.1, seed=k)
        atoms.info["group"] = "alloy" if k % 3 else "pure"
        frames.append(atoms)
    frames.append(Atoms("Al2", positions=[[0, 0, 0], [0, 0, 2.5]], info={"group": "dimer"}))
    return frames


@pytest.fixture(scope="module")
def data(small_model, tmp_path_factory) -> Path:
    """Labels that are the model's own plus known errors: larger by a constant for the group of pure Al."""
    calculator = UnnpCalculator(small_model, device="cpu")
    frames = structures()
    for atoms in frames:
        factor = 2.0 if atoms.info["group"] == "pure" else 1.0
        energy = calculator.get_potential_energy(atoms)
        forces = calculator.get_forces(atoms)
        atoms.info["energy"] = energy - factor * ENERGY_ERROR * len(atoms)
        atoms.arrays["forces"] = forces + factor * FORCE_ERROR
        if atoms.pbc.all():
            atoms.info["stress"] = voigt_6_to_full_3x3_stress(calculator.get_stress(atoms)) - STRESS_ERROR
    path = tmp_path_factory.mktemp("data") / "labelled.xyz"
    ase.io.write(path, frames, format="extxyz", write_results=False)
    return path


def run(*arguments: object):
    return CliRunner().invoke(build_app(), [str(a) for a in arguments], catch_exceptions=False)


def test_known_errors_are_found_overall_by_group_and_by_element(small_model, data, tmp_path):
    result = run("evaluate", small_model, data, "-o", tmp_path / "out", "--read", "missing=allow", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "energy MAE [meV/atom]" in " ".join(result.output.split())
    errors = json.loads((tmp_path / "out/errors.json").read_text())
    frames = structures()
    n_atoms = [len(a) for a in frames]
    pure = [a.info["group"] == "pure" for a in frames]
    factor = np.where(pure, 2.0, 1.0)
    assert errors["overall"]["energy"]["mae"] == pytest.approx(1000 * ENERGY_ERROR * factor.mean(), rel=1e-4)
    assert errors["overall"]["energy"]["n"] == len(frames)
    force_mae = FORCE_ERROR * np.average(factor, weights=n_atoms)
    assert errors["overall"]["forces"]["mae"] == pytest.approx(force_mae, rel=1e-4)
    assert errors["overall"]["forces"]["n"] == 3 * sum(n_atoms)
    assert errors["overall"]["stress"]["rmse"] == pytest.approx(STRESS_ERROR * GPA_PER_EV_PER_A3, rel=1e-4)
    assert errors["overall"]["stress"]["n"] == 9 * (len(frames) - 1)
    assert errors["groups"]["pure"]["forces"]["rmse"] == pytest.approx(2 * FORCE_ERROR, rel=1e-4)
    assert errors["groups"]["dimer"].keys() == {"energy", "forces"}
    assert errors["elements"]["Ni"]["forces"]["mae"] == pytest.approx(FORCE_ERROR, rel=1e-4)
    with (tmp_path / "out/errors.csv").open() as file:
        rows = {(r["scope"], r["name"], r["quantity"]): r for r in csv.DictReader(file)}
    assert float(rows["group", "alloy", "energy"]["mae"]) == pytest.approx(1000 * ENERGY_ERROR, rel=1e-4)
    assert rows["group", "alloy", "energy"]["unit"] == "meV/atom"
    for quantity in ("energy", "forces", "stress"):
        assert (tmp_path / f"out/parity-{quantity}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"out/parity-{quantity}.csv").is_file()


def test_predictions_stand_beside_the_labels_in_the_order_of_the_data(small_model, data, tmp_path):
    evaluate(load_model(small_model, "cpu"), open_allowing(data), tmp_path)
    calculator = UnnpCalculator(small_model, device="cpu")
    frames = ase.io.read(tmp_path / "predictions.xyz", ":")
    assert [f.get_chemical_formula() for f in frames] == [s.get_chemical_formula() for s in structures()]
    for frame in frames:
        assert frame.info["unnp_energy"] == pytest.approx(calculator.get_potential_energy(frame), abs=1e-6)
        assert np.allclose(frame.arrays["unnp_forces"], calculator.get_forces(frame), atol=1e-6)
        assert ("unnp_stress" in frame.info) == bool(frame.pbc.all())
    written, given = open_allowing(tmp_path / "predictions.xyz"), open_allowing(data)
    for a, b in zip(written, given, strict=True):
        assert a.energy == pytest.approx(b.energy, abs=1e-7)
        assert np.allclose(a.forces, b.forces, atol=1e-7)
        assert (a.stress is None and b.stress is None) or np.allclose(a.stress, b.stress, atol=1e-9)
        assert a.group == b.group


@pytest.mark.parametrize("limits", [Limits(1, 1), Limits(8, 100), Limits(10_000, 10_000_000)])
def test_the_size_of_batches_does_not_matter(small_model, data, tmp_path, limits):
    potential, frames = load_model(small_model, "cpu"), open_allowing(data)
    expected = evaluate(potential, frames, tmp_path / "a")
    got = evaluate(potential, frames, tmp_path / "b", limits)
    assert got["overall"]["energy"]["rmse"] == pytest.approx(expected["overall"]["energy"]["rmse"], rel=1e-9)
    assert got["overall"]["forces"]["n"] == expected["overall"]["forces"]["n"]
    one, other = (ase.io.read(tmp_path / name / "predictions.xyz", ":") for name in "ab")
    assert [len(a) for a in one] == [len(a) for a in other]
    for a, b in zip(one, other, strict=True):
        assert a.info["unnp_energy"] == pytest.approx(b.info["unnp_energy"], abs=1e-10)
        assert np.allclose(a.arrays["unnp_forces"], b.arrays["unnp_forces"], atol=1e-7)


def open_allowing(path: Path):
    from unnp.data.readers import ReadOptions

    return open_structures(path, ReadOptions(missing="allow"))


def test_bad_input(small_model, data, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ModelError, match="does not exist"):
        run("evaluate", tmp_path / "no.pt", data, "-o", out)
    with pytest.raises(DataError, match="does not exist"):
        run("evaluate", small_model, tmp_path / "no.xyz", "-o", out)
    copper = tmp_path / "cu.xyz"
    ase.io.write(copper, bulk("Cu"), format="extxyz")
    with pytest.raises(DataError, match="has no energy"):
        run("evaluate", small_model, copper, "-o", out)
    with pytest.raises(ModelError, match="contains Cu, but the model knows only Al, Ni"):
        run("evaluate", small_model, copper, "-o", out, "--read", "missing=allow", "--read", "required=[]")
    assert not (out / "predictions.xyz").exists()
    with pytest.raises(ConfigError, match="at least one atom"):
        Limits(0, 5)


def test_structures_without_labels_get_predictions_and_a_message(small_model, tmp_path):
    ase.io.write(tmp_path / "al.xyz", bulk("Al"), format="extxyz")
    arguments = ["--read", "missing=allow", "--read", "required=[]"]
    with pytest.raises(DataError, match="no labels to compare"):
        run("evaluate", small_model, tmp_path / "al.xyz", "-o", tmp_path / "out", *arguments)
    assert "unnp_energy" in ase.io.read(tmp_path / "out/predictions.xyz").info


def test_info_prints_the_manifest(small_model):
    text = run("info", small_model).output
    for part in ("embedded atoms", "Al Ni", "4.5 A", "wide", "3 members", "Al -3 eV, Ni -4 eV"):
        assert part in text
    assert json.loads(run("info", small_model, "--json").output)["elements"] == ["Al", "Ni"]


def test_outputs_that_cannot_be_written_are_one_line(small_model, data, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    potential, frames = load_model(small_model, "cpu"), open_allowing(data)
    for name in ("file", "file/below", "link"):
        with pytest.raises(UnnpError, match=f"cannot write .*{name}: (File exists|Not a directory)"):
            evaluate(potential, frames, tmp_path / name)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnnpError, match=r"cannot write .*predictions\.xyz: No space left on device"):
        evaluate(potential, frames, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.undo()
    assert evaluate(potential, frames, tmp_path / "out")["overall"]
