"""Files of other programs: what they do not hold is not made up, and what they do not say is asked for."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import write
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.opening import open_structures
from unnp.data.readers import LeftBehind, ReadOptions, iterate_structures, read_structures
from unnp.data.readers.convergence import converged_steps
from unnp.data.statistics import statistics
from unnp.data.suspicions import suspect_stresses
from unnp.data.writing import write_structures
from unnp.errors import DataError

Write = Callable[..., Path]
ALLOW = ReadOptions(missing="allow")


def options(**settings: Any) -> ReadOptions:
    return from_dict({"missing": "allow", **settings}, ReadOptions)


def vasprun(*steps: list[float], nelm: int = 4) -> str:
    vectors = "<v>3.6 0 0</v><v>0 3.6 0</v><v>0 0 3.6</v>"
    structure = (
        f'<crystal><varray name="basis">{vectors}</varray></crystal><varray name="positions"><v>0 0 0</v></varray>'
    )
    text = '<?xml version="1.0"?><modeling><kpoints><generation param="Gamma"/><varray name="kpointlist"><v>0 0 0</v></varray>'
    text += '<varray name="weights"><v>1.0</v></varray></kpoints><parameters>'
    text += (
        f'<i type="int" name="NELM">{nelm}</i><i name="EDIFF">0.00001</i></parameters><atominfo><array name="atoms">'
    )
    text += (
        f'<set><rc><c>Cu</c><c>1</c></rc></set></array></atominfo><structure name="initialpos">{structure}</structure>'
    )
    for energies in steps:
        terms = [f'<energy><i name="e_fr_energy">{e}</i><i name="e_0_energy">{e}</i></energy>' for e in energies]
        text += "<calculation>" + "".join(f"<scstep>{term}</scstep>" for term in terms)
        text += (
            f'<structure>{structure}</structure><varray name="forces"><v>0.1 0 0</v></varray>{terms[-1]}</calculation>'
        )
    return text + "</modeling>"


OUTCAR_STEP = "Iteration      1(  {}){}\n  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n"
REACHED, GAVE_UP = "\n aborting loop because EDIFF is reached", "\n aborting loop EDIFF was not reached (unconverged)"
QE = "Program PWSCF\n{}\n!    total energy = 1 Ry\nATOMIC_POSITIONS\n{}\n!    total energy = 1 Ry\nATOMIC_POSITIONS\n"
QE_GOOD, QE_BAD = (
    "convergence has been achieved in 9 iterations",
    "convergence NOT achieved after 100 iterations: stopping",
)
GPAW = "x\npositions:\n{}\nEnergy contributions relative to reference atoms\npositions:\n{}\nEnergy contributions relative to\n"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("vasp-xml", vasprun([-1, -2, -2.1], [-1, -2, -2.1, -2.2], [-1, -2, -2.1, -2.100001]), [True, False, True]),
        ("vasp-xml", vasprun([-1, -2, -3, -4]).removesuffix("</calculation></modeling>"), [False]),
        ("vasp-out", "NELM = 60;\n" + OUTCAR_STEP.format(60, REACHED) + OUTCAR_STEP.format(60, GAVE_UP), [True, False]),
        ("vasp-out", "NELM = 60;\n" + OUTCAR_STEP.format(60, "") + OUTCAR_STEP.format(9, ""), [False, True]),
        ("espresso-out", QE.format(QE_GOOD, QE_BAD), [True, False]),
        ("espresso-out", QE.format(QE_BAD, QE_GOOD), [False, True]),
        ("gpaw-out", GPAW.format("Converged after 9 iterations.", "Did not converge!"), [True, False]),
        ("abinit-out", "nstep= 5 was not enough SCF cycles to converge;\n", [False]),
        ("castep-castep", "Final energy\nBFGS: starting iteration 1\nmax. SCF cycles performed but system has not reached "
         "the groundstate\nFinal energy\n", [True, False]),
        ("traj", "anything", []),
    ],
)  # fmt: skip
def test_convergence_of_each_step(tmp_path: Path, kind: str, text: str, expected: list[bool]) -> None:
    (tmp_path / "out").write_text(text)
    assert converged_steps(tmp_path / "out", kind) == expected


def test_unconverged_steps_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "vasprun.xml"
    path.write_text(vasprun([-1, -2, -2.1], [-1, -5, -7, -9], [-1, -2, -2.1, -2.100001]))
    with caplog.at_level(logging.WARNING):
        assert [s.energy for s in read_structures(path)] == [-2.1, -2.100001]
    assert "1 of 3 structures left out (frame 1)" in caplog.text
    assert [s.energy for s in read_structures(path, options(unconverged="keep"))] == [-2.1, -9.0, -2.100001]
    with pytest.raises(DataError, match="frame 1: the electronic steps did not converge"):
        read_structures(path, options(unconverged="error"))
    path.write_text(vasprun([-1, -5, -7, -9]))
    with pytest.raises(DataError, match="nothing is left of 1 structure"):
        read_structures(path)


HEAD = 'Lattice="3.6 0 0 0 3.6 0 0 0 3.6"'
COLUMNS = "Properties=species:S:1:pos:R:3:forces:R:3"


@pytest.mark.parametrize(
    ("comment", "key"),
    [
        (f"{HEAD} {COLUMNS} energy=-3.5 energy=-7.0", "energy"),
        (f'{HEAD} {COLUMNS} stress="1 0 0 0 1 0 0 0 1" energy=-1 stress="2 0 0 0 2 0 0 0 2"', "stress"),
        (f"{HEAD} {COLUMNS} energy = -3.5 energy=-3.5", "energy"),
        (f"{HEAD} {HEAD} {COLUMNS} energy=1", "Lattice"),
        (f"{HEAD} Properties=species:S:1:pos:R:3:forces:R:1:forces:R:2 energy=1", "forces"),
    ],
)
def test_doubled_keys(write_xyz: Write, comment: str, key: str) -> None:
    with pytest.raises(DataError, match=f"frame 0: .* gives {key} more than once"):
        read_structures(write_xyz((comment, ["Cu 0 0 0 0 0 0"])))


def test_words_that_stand_twice_are_no_keys(write_xyz: Write) -> None:
    path = write_xyz((f'{HEAD} {COLUMNS} step step energy=1 title="energy=2 energy=3"', ["Cu 0 0 0 0 0 0"]))
    assert read_structures(path)[0].energy == 1.0


def test_species_exponents_and_byte_order_marks(write_xyz: Write, tmp_path: Path) -> None:
    numbered = write_xyz(("Atoms. Timestep: 1000000", ["1 0.1 0.2 0.3", "2 1 1 1"]))
    with pytest.raises(DataError, match=r"numbers its species \(1, 2\)"):
        read_structures(numbered, ALLOW)
    np.testing.assert_array_equal(read_structures(numbered, options(elements=["Al", "Ni"]))[0].numbers, [13, 28])
    with pytest.raises(DataError, match=r"the species 'Cux' of atom 0 is no element. Did you mean 'Cu'"):
        read_structures(write_xyz((f"{HEAD} {COLUMNS}", ["Cux 0 0 0 0 0 0"])))
    (s,) = read_structures(write_xyz((f"{HEAD} {COLUMNS} energy=-0.1D+01", ["Cd 0 0 0 0.1D+00 0.2d-1 3"])))
    assert s.energy == -1.0
    np.testing.assert_allclose(s.forces, [[0.1, 0.02, 3.0]])
    good = f"1\n{HEAD} {COLUMNS} energy=-3.5\nCu 0 0 0 0 0 0\n"
    (tmp_path / "bom.xyz").write_text("\ufeff" + good + "\ufeff" + good, encoding="utf-8")
    assert [s.energy for s in read_structures(tmp_path / "bom.xyz")] == [-3.5, -3.5]


@pytest.mark.parametrize(
    ("properties", "rows"),
    [
        ("type:I:1:pos:R:3", ["1 0 0 0", "2 1.8 1.8 0"]),
        ("id:I:1:type:I:1:pos:R:3:type_of_site:S:1", ["1 1 0 0 0 a", "2 2 1.8 1.8 0 b"]),
    ],
)
def test_types_without_species(write_xyz: Write, properties: str, rows: list[str]) -> None:
    path = write_xyz((f"{HEAD} Properties={properties}", rows))
    with pytest.raises(DataError, match=r"numbers its species \(1, 2\).*--read elements="):
        read_structures(path, ALLOW)
    (s,) = read_structures(path, options(elements=["Al", "Ni"]))
    np.testing.assert_array_equal(s.numbers, [13, 28])
    np.testing.assert_allclose(s.positions, [[0, 0, 0], [1.8, 1.8, 0]])
    with pytest.raises(DataError, match="nothing of type 2"):
        read_structures(path, options(elements=["Al"]))


def test_types_beside_elements_are_no_species(write_xyz: Write) -> None:
    for properties, row in (("type:I:1:species:S:1:pos:R:3", "7 Cu 0 0 0"), ("type:I:1:Z:I:1:pos:R:3", "7 29 0 0 0")):
        (s,) = read_structures(write_xyz((f"{HEAD} Properties={properties}", [row])), ALLOW)
        assert list(s.numbers) == [29]


def test_stress_in_another_unit_is_suspected(write_xyz: Write, caplog: pytest.LogCaptureFixture) -> None:
    comment = f'{HEAD} {COLUMNS} energy=-3.5 stress="-251 13 73 13 -229 -11 73 -11 55"'
    with caplog.at_level(logging.WARNING):
        read_structures(write_xyz((comment, ["Cu 0 0 0 0 0 0"])), ReadOptions(stress_unit="kbar"))
        assert not caplog.text
        read_structures(write_xyz((comment, ["Cu 0 0 0 0 0 0"])))
    assert "stress_unit=kbar" in caplog.text


def test_zero_energies_are_suspected(write_xyz: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_structures(write_xyz((f"{HEAD} {COLUMNS} energy=0.0", ["Cu 0 0 0 1 0 0"])))
    assert "every energy is exactly 0" in caplog.text


def test_what_is_not_carried_over_is_said(tmp_path: Path) -> None:
    atoms = bulk("Al", cubic=True)
    atoms.set_initial_magnetic_moments([2.2] * 4)
    atoms.set_constraint(FixAtoms([0]))
    atoms.set_velocities(np.ones((4, 3)))
    write(tmp_path / "a.traj", [atoms, bulk("Al", cubic=True)])
    left_behind = LeftBehind()
    list(iterate_structures(tmp_path / "a.traj", ALLOW, left_behind=left_behind))
    for word in ("constraints (in 1 of 2)", "magnetic moments (in 1 of 2)", "velocities (in 1 of 2)"):
        assert word in left_behind.describe()
    assert "masses" not in left_behind.describe()


def test_own_trajectory_has_its_energy(write_xyz: Write) -> None:
    comment = f'Timestep=0 Time=0 pbc="T T T" {HEAD} Potential_energy=-131.2 Stress="1 0 0 0 1 0 0 0 1" {COLUMNS}'
    (s,) = read_structures(write_xyz((comment, ["Cu 0 0 0 0.1 0 0"])))
    assert (s.energy, s.stress) == (-131.2, None)


def test_frames_with_different_labels_are_read_where_any_will_do(write_xyz: Write) -> None:
    any_label = from_dict({"required": ["any"]}, ReadOptions)
    path = write_xyz((f"{HEAD} {COLUMNS} energy=1", ["Cu 0 0 0 0 0 0"]), (HEAD, ["Cu 0 0 0"]))
    assert [s.energy for s in read_structures(path, any_label)] == [1.0, None]
    with pytest.raises(DataError, match="has no energy"):
        read_structures(write_xyz((HEAD, ["Cu 0 0 0"])), any_label)


def test_stress_of_a_slab_does_not_count() -> None:
    atoms = Atoms("Cu", cell=np.eye(3), pbc=[True, True, False])
    structure = Structure.from_atoms(atoms)
    structure.stress = np.eye(3)
    result = statistics([structure])
    assert (result.uncounted_stress, result.rms.get("stress"), result.missing["stress"]) == (1, None, 0)


def test_the_carbon_of_dump_cfg_is_the_element_of_its_masses(tmp_path: Path) -> None:
    head = "Number of particles = 2\nA = 1 Angstrom\n" + "".join(
        f"H0({i},{j}) = {9 * (i == j)} A\n" for i in (1, 2, 3) for j in (1, 2, 3)
    )
    atoms = "{0}\nC\n0.1 0.2 0.3\n{1}\nC\n0.5 0.6 0.7\n"
    (tmp_path / "a.cfg").write_text(head + ".NO_VELOCITY.\nentry_count = 3\n" + atoms.format(58.693, 63.546))
    options = ReadOptions(required=[], missing="allow")
    (structure,) = read_structures(tmp_path / "a.cfg", options)
    assert [int(z) for z in structure.numbers] == [28, 29]
    (tmp_path / "b.cfg").write_text(head + ".NO_VELOCITY.\nentry_count = 3\n" + atoms.format(1.0, 3.3))
    with pytest.raises(DataError, match="elements"):
        read_structures(tmp_path / "b.cfg", options)
    named = ReadOptions(required=[], missing="allow", elements=["Al", "Ni"])
    assert [int(z) for z in read_structures(tmp_path / "b.cfg", named)[0].numbers] == [13, 28]


def test_a_dump_that_does_not_say_its_units_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dump = (
        "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
        "ITEM: ATOMS id type element x y z fx fy fz\n1 1 Cu 1 2 3 23.06 0 0\n"
    )
    options = ReadOptions(required=[], missing="allow")
    (tmp_path / "a.dump").write_text(dump)
    read_structures(tmp_path / "a.dump", options)
    assert "taken for `metal`" in caplog.text
    assert "dump_modify" in caplog.text
    caplog.clear()
    (tmp_path / "b.dump").write_text("ITEM: UNITS\nreal\n" + dump)
    (structure,) = read_structures(tmp_path / "b.dump", options)
    assert "taken for" not in caplog.text
    assert structure.forces is not None
    assert structure.forces[0, 0] == pytest.approx(1.0, rel=1e-3)


def test_a_pipe_is_no_structure_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xyz")
    with pytest.raises(DataError, match="is no ordinary file"):
        read_structures(tmp_path / "a.xyz")


def test_what_is_read_or_is_no_name_is_not_said_to_be_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1\nAtoms. Timestep: 0\nCu 0 0 0\n")
    behind = LeftBehind()
    list(iterate_structures(tmp_path / "a.xyz", ReadOptions(required=[], missing="allow"), left_behind=behind))
    assert behind.describe() == ""
    (tmp_path / "b.xyz").write_text(
        "1\nProperties=species:S:1:pos:R:3:forces:R:3:forces_weight:R:1\nCu 0 0 0 0 0 0 2\n"
    )
    list(iterate_structures(tmp_path / "b.xyz", ReadOptions(required=[], missing="allow"), left_behind=behind))
    assert "forces_weight" not in behind.describe()


@pytest.mark.parametrize(
    ("typical", "unit", "said"),
    [
        (0.3, "eV/A^3", "likely in GPa"),
        (3.0e9, "eV/A^3", "likely in Pa"),
        (3.0e15, "eV/A^3", "No unit that is known"),
        (0.3, None, "Check that virial_key"),
        (0.05, "eV/A^3", ""),
    ],
)
def test_a_likely_unit_is_named_only_where_there_is_one(typical: float, unit: str | None, said: str) -> None:
    found = suspect_stresses(np.full((5, 3, 3), typical), unit)
    assert said in found
    assert bool(found) == bool(said)


def test_large_stresses_that_were_computed_here_are_in_known_units(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pressed = Structure.from_atoms(bulk("Cu"))
    pressed = replace(pressed, energy=-3.0, forces=np.zeros((1, 3)), stress=0.4 * np.eye(3))
    write_structures([pressed], tmp_path / "converted")
    open_structures(tmp_path / "converted")
    assert "likely in GPa" in caplog.text
    caplog.clear()
    write_structures([pressed], tmp_path / "computed", origins=[{"name": "chgnet 0.3.0"}])
    open_structures(tmp_path / "computed")
    assert caplog.text == ""


def test_text_in_another_encoding_is_told_how_to_convert(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1\nenergy=1\nCu 0 0 0\n", encoding="utf-16")
    with pytest.raises(DataError, match="iconv"):
        read_structures(tmp_path / "a.xyz")


def test_a_vasprun_that_ends_early_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, whole = tmp_path / "vasprun.xml", vasprun([-1, -2, -2.1], [-1, -2, -2.1])
    options = ReadOptions(required=[], missing="allow")
    path.write_text(whole)
    read_structures(path, options)
    assert "ends early" not in caplog.text
    path.write_text(whole.removesuffix("</modeling>"))
    read_structures(path, options)
    assert "the file ends early: VASP was stopped" in caplog.text
