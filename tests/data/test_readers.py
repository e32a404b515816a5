"""Reading files: right values from good ones, an error that names file, frame and label from bad ones."""

import bz2
import gzip
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import write
from unnp.config import from_dict
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions, read_structures, readers
from unnp.errors import ConfigError, DataError

CELL = 'Lattice="4 0 0 0 4 0 0 0 5"'
COLUMNS = "Properties=species:S:1:pos:R:3:forces:R:3"
GOOD = (
    f'{CELL} {COLUMNS} energy=-3.5 stress="1 2 3 2 4 5 3 5 6" group=a',
    ["Al 0 0 0 .1 .2 .3", "Ni 2 2 2 -.1 -.2 -.3"],
)
ALLOW = ReadOptions(missing="allow")

Write = Callable[..., Path]


def with_comment(comment: str) -> tuple[str, list[str]]:
    return f"{CELL} {COLUMNS} {comment}", GOOD[1]


def test_extxyz_values(write_xyz: Write) -> None:
    first, second = read_structures(write_xyz(GOOD, GOOD))
    assert first.energy == -3.5
    assert first.group == "a"
    assert second.source.endswith("test.xyz frame 1")
    np.testing.assert_array_equal(first.numbers, [13, 28])
    np.testing.assert_array_equal(first.forces, [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
    np.testing.assert_array_equal(first.stress, [[1, 2, 3], [2, 4, 5], [3, 5, 6]])
    np.testing.assert_array_equal(first.cell, np.diag([4.0, 4.0, 5.0]))
    assert first.pbc.all()


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed(write_xyz: Write, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    plain = write_xyz(GOOD)
    packed = plain.with_name(plain.name + suffix)
    packed.write_bytes(compress(plain.read_bytes()))
    assert read_structures(packed)[0].energy == -3.5


def test_names_and_units(write_xyz: Write) -> None:
    frame = (
        f'{CELL} Properties=species:S:1:pos:R:3:f:R:3 E=2 S="1 2 3 4 5 6" kind=7',
        ["Al 0 0 0 1 0 0", "Al 2 2 2 -1 0 0"],
    )
    settings = {"energy_key": "E", "forces_key": "f", "stress_key": "S", "group_key": "kind"}
    units = {"energy_unit": "Hartree", "length_unit": "Bohr", "stress_unit": "GPa", "stress_sign": "compression"}
    (s,) = read_structures(write_xyz(frame), from_dict({**settings, **units, "voigt_order": "vasp"}, ReadOptions))
    assert s.energy == pytest.approx(2 * 27.211386245988)
    assert s.forces is not None
    assert s.stress is not None
    assert s.forces[0, 0] == pytest.approx(27.211386245988 / 0.529177210903)
    assert s.cell[2, 2] == pytest.approx(5 * 0.529177210903)
    np.testing.assert_allclose(s.stress * 160.2176634, -np.array([[1, 4, 6], [4, 2, 5], [6, 5, 3]]))
    assert s.group == "7"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ase", [[1, 6, 5], [6, 2, 4], [5, 4, 3]]),
        ("vasp", [[1, 4, 6], [4, 2, 5], [6, 5, 3]]),
        ("lammps", [[1, 4, 5], [4, 2, 6], [5, 6, 3]]),
    ],
)
def test_voigt_orders(write_xyz: Write, order: Any, expected: list[list[int]]) -> None:
    (s,) = read_structures(write_xyz(with_comment('energy=1 stress="1 2 3 4 5 6"')), ReadOptions(voigt_order=order))
    np.testing.assert_array_equal(s.stress, expected)


def test_virial_is_minus_volume_times_stress(write_xyz: Write) -> None:
    frame = with_comment('energy=1 virial="80 0 0 0 160 0 0 0 -80"')
    (s,) = read_structures(write_xyz(frame), ReadOptions(virial_key="virial"))
    np.testing.assert_allclose(s.stress, np.diag([-1.0, -2.0, 1.0]))


def test_forces_unit_alone(write_xyz: Write) -> None:
    (s,) = read_structures(write_xyz(GOOD), ReadOptions(forces_unit="meV/A"))
    assert s.forces is not None
    assert s.forces[0, 0] == pytest.approx(1e-4)
    assert s.energy == -3.5


BAD_FRAMES = {
    "no energy": (with_comment(""), "frame 1 has no energy"),
    "other name": (with_comment("dft_energy=1"), "Did you mean 'dft_energy'"),
    "NaN energy": (with_comment("energy=nan"), r"frame 1: energy \('energy'\) is not finite"),
    "text energy": (with_comment("energy=abc"), "frame 1: energy .* is not a number: 'abc'"),
    "logical energy": (with_comment("energy=T"), "frame 1: energy .* is not a number"),
    "two energies": (with_comment('energy="1 2"'), "energy must be one number, 'energy' has 2"),
    "stress of four": (with_comment('energy=1 stress="1 2 3 4"'), "stress must be 6, 9 or 3x3"),
    "asymmetric stress": (with_comment('energy=1 stress="1 2 3 4 5 6 7 8 9"'), "frame 1: stress .* not symmetric"),
    "NaN stress": (with_comment('energy=1 stress="nan 0 0 0 1 0 0 0 1"'), "frame 1: stress .* is not finite"),
    "no stress": (with_comment("energy=1"), "mixed labels: .*frame 0 has stress, .*frame 1 has not"),
    "group of two": (with_comment('energy=1 group="1 2"'), "group .* must be one word"),
    "infinite force": ((GOOD[0], ["Al 0 0 0 0 0 inf", GOOD[1][1]]), "frame 1: forces .* is not finite"),
    "missing column": ((GOOD[0], ["Al 0 0 0 0 0", GOOD[1][1]]), "frame 1 atom 0: 7 columns expected, found 6"),
    "extra column": ((GOOD[0], [GOOD[1][0], "Al 0 0 0 0 0 1 2"]), "frame 1 atom 1: 7 columns expected, found 8"),
    "no number": ((GOOD[0], ["Al 0 0 ***** 0 0 1", GOOD[1][1]]), "frame 1 is not extended XYZ"),
    "no element": ((GOOD[0], ["Zz 0 0 0 0 0 1", GOOD[1][1]]), "frame 1 is not extended XYZ: .*Zz"),
    "element X": ((GOOD[0], ["X 0 0 0 0 0 1", GOOD[1][1]]), "frame 1 has atoms that are no chemical element"),
    "NaN position": ((GOOD[0], ["Al nan 0 0 0 0 1", GOOD[1][1]]), "frame 1: positions or cell are not finite"),
    "no atoms": ((GOOD[0], []), "frame 1 has no atoms"),
    "flat cell": ((GOOD[0].replace(CELL, 'Lattice="4 0 0 4 0 0 0 0 5"'), GOOD[1]), "frame 1 .* no volume"),
    "bad Properties": ((GOOD[0].replace("forces:R:3", "forces:Q:3"), GOOD[1]), "frame 1 is not extended XYZ"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frame_behind_a_good_one(write_xyz: Write, name: str) -> None:
    frame, message = BAD_FRAMES[name]
    with pytest.raises(DataError, match=r"test\.xyz frame") as caught:
        read_structures(write_xyz(GOOD, frame))
    assert caught.match(message)


def test_forces_of_two_columns(write_xyz: Write) -> None:
    frame = (f"{CELL} Properties=species:S:1:pos:R:3:forces:R:2 energy=1", ["Al 0 0 0 1 1", "Al 1 1 1 1 1"])
    with pytest.raises(DataError, match=r"frame 0: forces must have the shape \(2, 3\)"):
        read_structures(write_xyz(frame))


def test_missing_and_mixed_labels_can_be_allowed(write_xyz: Write) -> None:
    first, second = read_structures(write_xyz(GOOD, with_comment("")), ALLOW)
    assert first.energy == -3.5
    assert second.energy is None
    assert second.stress is None


def test_required_group(write_xyz: Write) -> None:
    with pytest.raises(DataError, match="frame 0 has no group"):
        read_structures(write_xyz(with_comment("energy=1")), ReadOptions(required=("group",)))


def test_labels_mixed_over_two_files(write_xyz: Write) -> None:
    files = [write_xyz(GOOD, name="a.xyz"), write_xyz(with_comment("energy=1"), name="b.xyz")]
    with pytest.raises(DataError, match=r"a\.xyz frame 0 has stress, .*b\.xyz frame 0 has not"):
        open_structures(files)
    assert len(open_structures(files, ALLOW)) == 2


def test_virial_without_volume(write_xyz: Write) -> None:
    frame = with_comment('energy=1 pbc="T T F" virial="1 0 0 0 1 0 0 0 1"')
    with pytest.raises(DataError, match="frame 0: a virial gives a stress only where"):
        read_structures(write_xyz(frame), ReadOptions(virial_key="virial"))


@pytest.mark.parametrize("lines_left", [1, 2, 3])
def test_truncated_frame(write_xyz: Write, lines_left: int) -> None:
    path = write_xyz(GOOD, GOOD)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[: 4 + lines_left]))
    with pytest.raises(DataError, match=r"frame 1 \(line 5\) is cut short"):
        read_structures(path)


def test_truncated_inside_the_last_line(write_xyz: Write) -> None:
    path = write_xyz(GOOD, GOOD)
    path.write_text(path.read_text()[:-9])
    with pytest.raises(DataError, match="frame 1 atom 1: 7 columns expected"):
        read_structures(path)


def test_truncated_gz(write_xyz: Write) -> None:
    path = write_xyz(*[GOOD] * 200)
    packed = path.with_name("cut.xyz.gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:-30])
    with pytest.raises(DataError, match=r"cut\.xyz\.gz is truncated"):
        read_structures(packed)


def test_blank_line_between_frames_is_not_the_end(write_xyz: Write) -> None:
    path = write_xyz(GOOD, GOOD)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:4], "\n", *lines[4:]]))
    with pytest.raises(DataError, match=r"after frame 0 \(line 5\): a blank line"):
        read_structures(path)
    path.write_text("".join([*lines, "\n", "\n"]))
    assert len(read_structures(path)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no structures"),
        (b"hello\nworld\n", "expected the number of atoms, found 'hello'"),
        (b"-2\n\n", "expected the number of atoms"),
        (b"\xff\xfe\x00\x01", "cannot read"),
    ],
)
def test_no_extxyz_at_all(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "wrong.xyz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_structures(path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_structures(tmp_path / "nothing.xyz")
    with pytest.raises(DataError, match="is a folder"):
        open_structures(tmp_path)
    with pytest.raises(DataError, match="no data given"):
        open_structures([])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"energy_unit": "ev"}, "unknown energy unit 'ev'.*Did you mean 'eV'"),
        ({"stress_unit": "psi"}, "unknown stress unit"),
        ({"length_unit": "m"}, "unknown length unit"),
        ({"forces_unit": "eV"}, "unknown energy unit in forces_unit"),
        ({"virial_key": "virial", "stress_key": "stress"}, "either stress_key or virial_key"),
        ({"energie_key": "E"}, "energie_key: unknown key. Did you mean 'energy_key'"),
        ({"required": ["energies"]}, "required"),
    ],
)
def test_bad_options(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(settings, ReadOptions)


def test_unknown_format(write_xyz: Write) -> None:
    with pytest.raises(ConfigError, match="unknown format 'extxy'; allowed: ase, ase-db, extxyz"):
        read_structures(write_xyz(GOOD), ReadOptions(format="extxy"))
    assert set(readers()) >= {"ase", "extxyz"}


def labelled_atoms(**results: Any) -> Atoms:
    atoms = bulk("Al", cubic=True)
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def test_trajectory_with_constraints_keeps_all_forces(tmp_path: Path) -> None:
    forces = np.arange(12.0).reshape(4, 3)
    atoms = labelled_atoms(energy=1.5, forces=forces, stress=np.arange(6.0))
    atoms.set_constraint(FixAtoms([0, 1]))
    write(tmp_path / "a.traj", [atoms, atoms])
    first, second = read_structures(tmp_path / "a.traj")
    np.testing.assert_array_equal(first.forces, forces)
    np.testing.assert_array_equal(first.stress, [[0, 5, 4], [5, 1, 3], [4, 3, 2]])
    assert second.energy == 1.5


def test_free_energy_is_taken_only_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a.traj", labelled_atoms(free_energy=2.5, forces=np.zeros((4, 3))))
    with pytest.raises(DataError, match=r"has no energy.*free_energy"):
        read_structures(tmp_path / "a.traj")
    assert read_structures(tmp_path / "a.traj", ReadOptions(energy_key="free_energy"))[0].energy == 2.5


def test_same_name_with_two_values(tmp_path: Path) -> None:
    atoms = labelled_atoms(energy=1.0, forces=np.zeros((4, 3)))
    atoms.info["energy"] = 2.0
    write(tmp_path / "a.traj", atoms)
    with pytest.raises(DataError, match="frame 0 has 'energy' twice"):
        read_structures(tmp_path / "a.traj")


def test_database_with_labels_of_its_own(tmp_path: Path) -> None:
    from ase.db import connect

    with connect(tmp_path / "a.db") as database:
        atoms = bulk("Al", cubic=True)
        database.write(atoms, dft_energy=3.0, data={"dft_forces": np.ones((4, 3))})
    options = ReadOptions(energy_key="dft_energy", forces_key="dft_forces")
    (s,) = read_structures(tmp_path / "a.db", options)
    assert s.energy == 3.0
    np.testing.assert_array_equal(s.forces, np.ones((4, 3)))


def test_corrupt_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0 and then nothing of the kind")
    with pytest.raises(DataError, match="cannot be read as an ASE database"):
        read_structures(tmp_path / "a.db")


def test_corrupt_trajectory(tmp_path: Path) -> None:
    write(tmp_path / "a.traj", [labelled_atoms(energy=1.0, forces=np.zeros((4, 3)))] * 3)
    content = (tmp_path / "a.traj").read_bytes()
    (tmp_path / "a.traj").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"a\.traj frame 0: cannot be read as traj"):
        read_structures(tmp_path / "a.traj")


def test_unknown_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.qqq").write_text("what is this?\n")
    with pytest.raises(DataError, match="no reader knows this file"):
        read_structures(tmp_path / "a.qqq")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.write_text, (tmp_path / "exploded", "boom"))

    path = tmp_path / "a.traj"
    path.write_bytes(b"PickleTrajectory" + pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="a file could run code"):
        read_structures(path)
    assert not (tmp_path / "exploded").exists()
