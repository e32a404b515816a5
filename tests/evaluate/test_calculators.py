"""`unnp evaluate` of potentials that are no models: calculator files, and energies that count from other zeros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.stress import voigt_6_to_full_3x3_stress
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.units import GPA_PER_EV_PER_A3

ZEROS = {"Cu": 2.5, "Au": -7.25, "N": 0.5}
"""[eV]"""


def frames(shifted: bool = False) -> list[Atoms]:
    """Return alloys and a molecule with the labels of EMT, if shifted, with energies from other zeros."""
    found = []
    for k in range(5):
        atoms = bulk("Cu", cubic=True, a=3.8)
        atoms.symbols[:k] = "Au"
        atoms.rattle(0.1, seed=k)
        atoms.info["group"] = "alloy" if k else "pure"
        found.append(atoms)
    found.append(molecule("N2"))
    for atoms in found:
        atoms.calc = EMT()
        zero = sum(ZEROS[symbol] for symbol in atoms.symbols) if shifted else 0.0
        labels: dict[str, Any] = {"energy": atoms.get_potential_energy() + zero}
        atoms.arrays["forces"] = atoms.get_forces()
        if atoms.pbc.all():
            labels["stress"] = voigt_6_to_full_3x3_stress(atoms.get_stress())
        atoms.calc = None
        atoms.info |= labels
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "emt.yaml").write_text("kind: ase\nname: emt\n")
    for name, shifted in {"own.xyz": False, "shifted.xyz": True}.items():
        ase.io.write(tmp_path / name, frames(shifted), format="extxyz", write_results=False)
    return tmp_path


def run(folder: Path, *arguments: object, data: str = "own.xyz", potential: str | Path = "emt.yaml") -> str:
    words = ["evaluate", folder / potential, folder / data, "-o", folder / "out", "--read", "missing=allow", *arguments]
    result = CliRunner().invoke(build_app(), [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def errors(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out/errors.json").read_text())


def test_a_calculator_has_no_errors_on_its_own_labels(folder: Path) -> None:
    said = run(folder)
    assert "Errors of" in said
    assert "evaluating: 6 of 6" in said
    found = errors(folder)
    assert found["overall"].keys() == {"energy", "forces", "stress"}
    assert found["overall"]["energy"]["n"] == 6
    assert found["overall"]["stress"]["n"] == 9 * 5
    assert all(row["rmse"] < 1e-5 for row in found["overall"].values())
    assert found["elements"].keys() == {"N", "Cu", "Au"}
    assert found["groups"]["pure"]["forces"]["n"] == 12
    for frame, given in zip(ase.io.read(folder / "out/predictions.xyz", ":"), frames(), strict=True):
        assert frame.info["unnp_energy"] == pytest.approx(given.info["energy"], abs=1e-7)
        np.testing.assert_allclose(frame.arrays["unnp_forces"], given.arrays["forces"], atol=1e-7)
        assert ("unnp_stress" in frame.info) == bool(given.pbc.all())
    assert (folder / "out/errors.csv").is_file()
    for name in ("energy", "forces", "stress"):
        assert (folder / f"out/parity-{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / f"out/parity-{name}.csv").is_file()


def test_errors_that_are_known_are_found(folder: Path) -> None:
    changed = frames()
    for atoms in changed:
        atoms.info["energy"] += 0.01 * len(atoms)
        atoms.arrays["forces"] -= 0.02
        if "stress" in atoms.info:
            atoms.info["stress"] = atoms.info["stress"] + 0.003
    ase.io.write(folder / "changed.xyz", changed, format="extxyz", write_results=False)
    run(folder, data="changed.xyz")
    found = errors(folder)["overall"]
    assert found["energy"]["mae"] == pytest.approx(10, rel=1e-5)
    assert found["forces"]["rmse"] == pytest.approx(0.02, rel=1e-5)
    assert found["stress"]["mae"] == pytest.approx(0.003 * GPA_PER_EV_PER_A3, rel=1e-5)


def test_other_zeros_are_errors_until_energies_are_aligned(folder: Path) -> None:
    run(folder, data="shifted.xyz")
    assert errors(folder)["overall"]["energy"]["mae"] > 1000
    assert "alignment" not in errors(folder)
    said = run(folder, "--align", data="shifted.xyz")
    found = errors(folder)
    assert found["overall"]["energy"]["rmse"] < 1e-4
    assert found["overall"]["forces"]["rmse"] < 1e-5
    assert found["alignment"]["energies"] == pytest.approx(ZEROS, abs=1e-6)
    assert (found["alignment"]["n"], found["alignment"]["rank"]) == (6, 3)
    assert "by least squares of 6 energies: N +0.5 eV, Cu +2.5 eV, Au -7.25 eV." in said
    assert "say nothing" not in said
    first, expected = ase.io.read(folder / "out/predictions.xyz", 0), frames(shifted=True)[0]
    assert first.info["unnp_energy"] == pytest.approx(expected.info["energy"], abs=1e-6)


def test_as_many_constants_as_energies_are_said(folder: Path) -> None:
    ase.io.write(folder / "one.xyz", frames(shifted=True)[0], format="extxyz", write_results=False)
    assert "1 energies fix 1 constants: their errors say nothing" in run(folder, "--align", data="one.xyz")


def test_energies_of_a_model_are_aligned_too(folder: Path, small_model: Path) -> None:
    shifted = []
    for k in range(3):
        atoms = bulk("AlNi", "cesiumchloride", a=2.9) * (1, 1, 1 + k)
        atoms.rattle(0.1, seed=k)
        atoms.symbols[:k] = "Al"
        shifted.append(atoms)
    ase.io.write(folder / "bare.xyz", shifted, format="extxyz")
    any_label = ["--read", "required=[]"]
    with pytest.raises(DataError, match="no labels to compare"):
        run(folder, *any_label, data="bare.xyz", potential=small_model)
    for atoms, predicted in zip(shifted, ase.io.read(folder / "out/predictions.xyz", ":"), strict=True):
        atoms.info["energy"] = predicted.info["unnp_energy"] + sum({"Al": 3.0, "Ni": -1.0}[s] for s in atoms.symbols)
    ase.io.write(folder / "labelled.xyz", shifted, format="extxyz")
    run(folder, "--align", data="labelled.xyz", potential=small_model)
    assert errors(folder)["alignment"]["energies"] == pytest.approx({"Al": 3.0, "Ni": -1.0}, abs=1e-5)
    assert errors(folder)["overall"]["energy"]["rmse"] < 0.01
    with pytest.raises(DataError, match="no structure has one; leave out --align"):
        run(folder, "--align", *any_label, data="bare.xyz", potential=small_model)


def test_what_a_calculator_cannot_compute(folder: Path) -> None:
    atoms = bulk("W")
    atoms.info["energy"] = -1.0
    ase.io.write(folder / "w.xyz", [bulk("Cu"), atoms], format="extxyz")
    words = ("--read", "required=[]")
    with pytest.raises(
        UnnpError, match=r"w\.xyz frame 1: .*emt failed \(NotImplementedError: No EMT-potential for W\)"
    ):
        run(folder, *words, data="w.xyz")
    assert not (folder / "out/predictions.xyz").exists()
    eam = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}
    (folder / "eam.yaml").write_text(json.dumps(eam))
    with pytest.raises(ModelError, match=r"w\.xyz frame 0 contains Cu, but .*eam\.yaml knows only Al\."):
        run(folder, *words, data="w.xyz", potential="eam.yaml")
    with pytest.raises(ConfigError, match="is a calculator file; only a model has heads"):
        run(folder, "--head", "pbe")
    with pytest.raises(ConfigError, match="only a model has a choice"):
        run(folder, "--dtype", "float64")


def test_what_was_computed_before_a_kill_is_not_computed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    calculate = EMT.calculate

    def counted(self: EMT, atoms: Atoms, *rest: Any) -> None:
        calls.append(len(calls))
        if len(calls) == 4:
            raise KeyboardInterrupt
        calculate(self, atoms, *rest)

    run(folder)
    whole = (folder / "out/errors.json").read_text()
    monkeypatch.setattr(EMT, "calculate", counted)
    words = ["evaluate", folder / "emt.yaml", folder / "own.xyz", "-o", folder / "out", "--read", "missing=allow"]
    CliRunner().invoke(build_app(), [str(word) for word in words])
    assert len(calls) == 4
    assert (folder / "out.unfinished/journal.jsonl").is_file()
    (folder / "other.yaml").write_text("# another\nkind: ase\nname: emt\n")
    with pytest.raises(DataError, match=r"out\.unfinished holds unfinished work of another configuration"):
        run(folder, potential="other.yaml")
    run(folder)
    assert len(calls) == 4 + 3
    assert not (folder / "out.unfinished").exists()
    assert (folder / "out/errors.json").read_text() == whole
