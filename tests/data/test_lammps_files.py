"""Files of LAMMPS, dumps and data files: what they do not hold is not made up, and what they do not say is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from unnp.config import from_dict
from unnp.data.readers import ReadOptions, read_structures
from unnp.errors import ConfigError, DataError

ALLOW = ReadOptions(missing="allow")
BOX = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n" + "0 3.6\n" * 3


def options(**settings: Any) -> ReadOptions:
    return from_dict({"missing": "allow", **settings}, ReadOptions)


def dump(path: Path, columns: str, *rows: str, head: str = "") -> Path:
    path.write_text(f"{head}{BOX}ITEM: ATOMS {columns}\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_dump_has_forces_but_no_energy(tmp_path: Path) -> None:
    rows = ("1 1 Cu 0 0 0 0.1 0 0", "2 2 Ni 1.8 1.8 0 -0.1 0 0")
    path = dump(tmp_path / "a.lammpstrj", "id type element x y z fx fy fz", *rows)
    (s,) = read_structures(path, ALLOW)
    assert s.energy is None
    np.testing.assert_array_equal(s.numbers, [29, 28])
    np.testing.assert_allclose(s.forces, [[0.1, 0, 0], [-0.1, 0, 0]])
    with pytest.raises(DataError, match="frame 0 has no energy"):
        read_structures(path)


def test_units_of_a_dump_are_its_own(tmp_path: Path) -> None:
    row = ("1 1 Cu 0 0 0 23.060547830619 0 0", "2 1 Cu 1.8 1.8 0 0 0 0")
    path = dump(tmp_path / "a.lammpstrj", "id type element x y z fx fy fz", *row, head="ITEM: UNITS\nreal\n")
    (s,) = read_structures(path, ALLOW)
    assert s.forces is not None
    assert s.forces[0, 0] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("id type x y z", ("1 1 0 0 0", "2 2 1.8 1.8 0")),
        ("id type mass x y z", ("1 1 1.0 0 0 0", "2 2 1.0 1.8 1.8 0")),  # reduced units
        ("id type element x y z", ("1 1 C 0 0 0", "2 2 C 1.8 1.8 0")),  # LAMMPS' default
    ],
)
def test_types_are_no_elements(tmp_path: Path, columns: str, rows: tuple[str, ...]) -> None:
    path = dump(tmp_path / "a.lammpstrj", columns, *rows)
    with pytest.raises(DataError, match=r"numbers its species \(1, 2\).*--read elements="):
        read_structures(path, ALLOW)
    for elements in (["Al", "Ni"], {1: "Al", 2: "Ni"}, "Al Ni"):
        np.testing.assert_array_equal(read_structures(path, options(elements=elements))[0].numbers, [13, 28])
    with pytest.raises(DataError, match="nothing of type 2"):
        read_structures(path, options(elements=["Al"]))
    with pytest.raises(ConfigError, match="'Alu' is not a chemical symbol"):
        options(elements=["Alu"])


def test_masses_of_a_dump_say_elements(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.lammpstrj", "id type mass x y z", "1 1 26.98 0 0 0", "2 2 58.7 1.8 1.8 0")
    np.testing.assert_array_equal(read_structures(path, ALLOW)[0].numbers, [13, 28])


def test_labels_of_types_in_a_dump_say_elements(tmp_path: Path) -> None:
    rows = ("2 2 Ni 1.8 1.8 0 0.1 0 0", "1 1 Al 0 0 0 -0.1 0 0")
    (s,) = read_structures(dump(tmp_path / "a.lammpstrj", "id type typelabel x y z fx fy fz", *rows), ALLOW)
    np.testing.assert_array_equal(s.numbers, [13, 28])
    np.testing.assert_allclose(s.forces, [[-0.1, 0, 0], [0.1, 0, 0]])
    both = dump(tmp_path / "b.lammpstrj", "id typelabel element x y z", "1 fcc Al 0 0 0", "2 hot Ni 1.8 1.8 0")
    alone = dump(tmp_path / "c.lammpstrj", "typelabel x y z", "Al 0 0 0", "Ni 1.8 1.8 0")
    for path in (both, alone):
        np.testing.assert_array_equal(read_structures(path, ALLOW)[0].numbers, [13, 28])
        np.testing.assert_allclose(read_structures(path, ALLOW)[0].positions, [[0, 0, 0], [1.8, 1.8, 0]])


def test_labels_of_types_that_are_no_elements(tmp_path: Path) -> None:
    rows = ("1 1 bulk 0 0 0", "2 2 tip 1.8 1.8 0")
    path = dump(tmp_path / "a.lammpstrj", "id type typelabel x y z", *rows)
    with pytest.raises(DataError, match=r"numbers its species \(1, 2\).*--read elements="):
        read_structures(path, ALLOW)
    np.testing.assert_array_equal(read_structures(path, options(elements=["Al", "Ni"]))[0].numbers, [13, 28])
    path = dump(tmp_path / "b.lammpstrj", "id typelabel x y z", "1 bulk 0 0 0", "2 tip 1.8 1.8 0")
    with pytest.raises(DataError, match=r"labels its types \(bulk\), but not with elements.*column `type`"):
        read_structures(path, ALLOW)
    short = dump(tmp_path / "c.lammpstrj", "id type typelabel x y z", "1 1 Al 0 0 0", "2 2")
    with pytest.raises(DataError, match="Is the file complete"):
        read_structures(short, ALLOW)


DATA = "{}\n\n2 atoms\n2 atom types\n\n0 3.6 xlo xhi\n0 3.6 ylo yhi\n0 3.6 zlo zhi\n\n{}" + (
    "Atoms # atomic\n\n1 1 0 0 0\n2 2 1 1 0\n"
)


@pytest.mark.parametrize("name", ["conf.data", "data.lmp", "conf"])
def test_lammps_data(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(DATA.format("title", "Masses\n\n1 63.546\n2 58.693\n\n"))
    np.testing.assert_array_equal(read_structures(path, ALLOW)[0].numbers, [29, 28])
    np.testing.assert_array_equal(read_structures(path, options(elements=["Al", "Ti"]))[0].numbers, [13, 22])
    for masses in ("", "Masses\n\n1 1.0\n2 1.0\n\n"):
        path.write_text(DATA.format("title", masses))
        with pytest.raises(DataError, match=r"numbers its species \(1, 2\)"):
            read_structures(path, ALLOW)
    path.write_text(DATA.format("written, units = lj", "Masses\n\n1 63.546\n2 58.693\n\n"))
    with pytest.raises(DataError, match="lj"):
        read_structures(path, ALLOW)


def test_formats_of_ase_by_name(tmp_path: Path) -> None:
    write(tmp_path / "strange.name", bulk("Al", cubic=True), format="vasp")
    assert len(read_structures(tmp_path / "strange.name", options(format="vasp"))[0]) == 4
    with pytest.raises(ConfigError, match=r"unknown format 'lammps-dta'.*Did you mean 'lammps-data'"):
        read_structures(tmp_path / "strange.name", options(format="lammps-dta"))


LABELLED = """LAMMPS data file via write_data, units = metal

4 atoms
2 atom types

0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

Atom Type Labels

1 Cu
2 Ni

Masses

1 63.546
2 58.693

Atoms # atomic

3 Cu 3.0 0.0 0.0
1 Ni 1.0 0.0 0.0
4 Cu 4.0 0.0 0.0
2 Ni 2.0 0.0 0.0

Velocities

4 4.0 0 0
3 3.0 0 0
2 2.0 0 0
1 1.0 0 0
"""


def test_labels_of_types_stay_with_their_atoms_in_a_data_file_that_is_not_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.data").write_text(LABELLED)
    (structure,) = read_structures(tmp_path / "a.data", ReadOptions(required=[], missing="allow"))
    assert [int(z) for z in structure.numbers] == [28, 28, 29, 29]
    assert structure.positions[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
