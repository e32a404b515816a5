"""Crystals that slabs are cut from, of elements and from files, and planes in them; what is none is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.data import chemical_symbols
from ase.io import write
from ase.lattice import BCC, BCT, FCC, MCLC, ORCC, ORCF, ORCI, RHL, BravaisLattice
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.errors import ConfigError, DataError, UnnpError
from unnp.lammps.crystals import LATTICES, build_crystal
from unnp.workflows.surfaces.config import SurfacesConfig
from unnp.workflows.surfaces.crystal_config import CrystalConfig
from unnp.workflows.surfaces.crystals import conventional_crystal
from unnp.workflows.surfaces.planes import cut
from unnp.workflows.surfaces.slabs import collect

MADE = {"kind": "made", "thickness": 5, "vacuum": 8}


def element(symbol: str, **settings) -> Atoms:
    return conventional_crystal(from_dict({"element": symbol, **settings}, CrystalConfig), Path(), "slabs.0")


def from_file(name: str, **settings) -> Atoms:
    return conventional_crystal(from_dict({"crystal": name, **settings}, CrystalConfig), Path(), "slabs.0")


def surfaces(slabs: list[dict]) -> str:
    """Run ``unnp surfaces`` with EMT, and return what it prints."""
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    given = {"potentials": {"emt": {"file": "emt.yaml"}}, "slabs": slabs, "reference": None, "relax": None}
    Path("surfaces.yaml").write_text(yaml.safe_dump(given))
    words = ["surfaces", "surfaces.yaml", "-o", "run"]
    return CliRunner().invoke(build_app(), words, catch_exceptions=False).stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_element_is_built_in_every_lattice_or_refused_in_a_message() -> None:
    """Also where ASE asserts, compares with None or leaves a cell of no numbers."""
    built, refusals = 0, []
    for symbol in ("X", *chemical_symbols[1:104], "NaCl", "SiO2", "Zz", ""):
        for lattice in (None, *LATTICES, "tetragonal", "mcl", "no such"):
            for a in (None, 4.0):
                try:
                    built += build_crystal(symbol, lattice, a, None, where="slabs.0").get_volume() > 0
                except ConfigError as error:
                    refusals.append(str(error))
    assert built > 700
    assert all(refusal.startswith("slabs.0: cannot build '") for refusal in refusals)


def test_indices_of_hcp_count_in_the_hexagonal_cell() -> None:
    """The cell of (001) is a rhombus of the side a, that of (100) a times c."""
    crystal = element("Mg", a=3.2, c=5.2)
    for plane, area in {(0, 0, 1): 3**0.5 / 2 * 3.2**2, (1, 0, 0): 3.2 * 5.2}.items():
        made = cut(crystal, plane, 10.0, 8.0)
        assert np.linalg.norm(np.cross(made.cell[0], made.cell[1])) == pytest.approx(area)
    assert element("Cu").cell.angles() == pytest.approx([90, 90, 90])


@pytest.mark.parametrize(
    ("symbol", "n_atoms", "angles"),
    [("Sn", 4, (90, 90, 90)), ("In", 2, (90, 90, 90)), ("Hg", 3, (90, 90, 120)), ("As", 6, (90, 90, 120))],
)
def test_tetragonal_and_rhombohedral_crystals_have_conventional_cells(symbol: str, n_atoms: int, angles) -> None:
    """As many atoms to a volume as in the primitive cell of ASE, at the same distances; Bi and Sb are as As."""
    atoms, primitive = element(symbol), bulk(symbol)
    assert len(atoms) == n_atoms
    assert atoms.cell.angles() == pytest.approx(angles)
    assert atoms.cell[0] @ atoms.cell[0] == pytest.approx(atoms.cell[1] @ atoms.cell[1])
    assert atoms.get_volume() / n_atoms == pytest.approx(primitive.get_volume() / len(primitive))
    nearest = [
        np.sort((copies := each * (4, 4, 4)).get_distances(0, range(1, len(copies)), mic=True))[:8]
        for each in (atoms, primitive)
    ]
    assert nearest[0] == pytest.approx(nearest[1])


def test_slabs_of_a_crystal_from_a_file() -> None:
    """Copper in a file is copper: names differ, numbers do not."""
    write("copper.cif", bulk("Cu", cubic=True))
    sources = ({"crystal": "copper.cif"}, {"element": "Cu"})
    assert "copper.cif (1 1 1)" in surfaces(
        slabs=[MADE | source | {"planes": [[1, 1, 1], [1, 0, 0]]} for source in sources]
    )
    found = json.loads(Path("run/surfaces.json").read_text())["slabs"]
    assert list(found) == ["copper.cif (1 1 1)", "copper.cif (1 0 0)", "Cu (1 1 1)", "Cu (1 0 0)"]
    gammas = [slab["potentials"]["emt"]["gamma"] for slab in found.values()]
    assert gammas[:2] == pytest.approx(gammas[2:], abs=1e-4)


@pytest.mark.parametrize("plane", [(1, 1, 1), (1, 0, 0), (2, 1, 0)])
def test_a_slab_of_a_compound_is_whole_repeats(plane) -> None:
    """As many atoms of each kind as the crystal has; its volume without the vacuum is that of the crystal."""
    alloy = bulk("Cu", a=3.75, cubic=True)
    alloy.numbers[0] = 79
    write("alloy.vasp", alloy, sort=True)
    crystal = conventional_crystal(from_dict({"crystal": "alloy.vasp"}, CrystalConfig), Path(), "slabs.0")
    slab = cut(crystal, plane, 8.0, 10.0)
    copper, gold = (int((slab.numbers == z).sum()) for z in (29, 79))
    assert copper == 3 * gold > 0
    assert np.ptp(slab.positions[:, 2]) < gold * alloy.get_volume() / np.linalg.norm(np.cross(*slab.cell[:2])) + 1e-6


@pytest.mark.parametrize("shift", [0.0, -1e-9, 1e-9, -1e-4, 0.7])
@pytest.mark.parametrize("stacking", [(0, 1), (0, 2), (0, 1, 0, 2), (0, 1, 2, 0, 2, 1)])
def test_of_equal_gaps_the_surface_chooses_and_not_the_origin(stacking: tuple[int, ...], shift: float) -> None:
    """hcp, dhcp and a mixture with fcc: the same layers under the uppermost, the second one at (1/3, 2/3)."""
    a, n = 2.5, len(stacking)
    places = [((0, 0), (1 / 3, 2 / 3), (2 / 3, 1 / 3))[k] for k in stacking]
    cell = bulk("Co", "hcp", a=a, c=2.0 * n).cell
    scaled = [(*place, i / n) for i, place in enumerate(places)]
    crystal = Atoms(f"Co{n}", scaled_positions=scaled, cell=cell, pbc=True)
    views = []
    for k in range(n):  # the origin in each layer, and a little off
        moved = crystal.copy()
        moved.positions += (0.3 * shift, shift, shift + 2.0 * k)
        moved.positions += np.random.default_rng(k).normal(scale=1e-4, size=(n, 3))
        slab = cut(moved, (0, 0, 1), 2.0 * n, 8.0)
        ways = slab.get_scaled_positions()[np.argsort(-slab.positions[:, 2]), :2]
        views.append(np.round(3 * (ways - ways[0])).astype(int) % 3)
    assert all((view == views[0]).all() for view in views)
    assert views[0][1].tolist() == [1, 2]


@pytest.mark.parametrize("shift", [0.0, -1e-9, 1e-9, 0.7])
def test_of_equal_gaps_between_unlike_layers_the_heavier_one_is_on_top(shift: float) -> None:
    crystal = bulk("CsCl", "cesiumchloride", a=4.1)
    crystal.positions += (0, 0, shift)
    slab = cut(crystal, (0, 0, 1), 8.0, 8.0)
    assert slab.symbols[int(slab.positions[:, 2].argmax())] == "Cs"


@pytest.mark.parametrize("turn", [np.eye(3), [[1, 1, 0], [0, 1, 0], [1, 0, -1]]])
@pytest.mark.parametrize(
    ("lattice", "n_atoms", "conventional"),
    [
        (FCC(4), 4, (4, 4, 4, 90, 90, 90)),
        (BCC(3), 2, (3, 3, 3, 90, 90, 90)),
        (BCT(3, 5), 2, (3, 3, 5, 90, 90, 90)),
        (ORCF(3, 4, 5), 4, (3, 4, 5, 90, 90, 90)),
        (ORCI(3, 4, 5), 2, (3, 4, 5, 90, 90, 90)),
        (ORCC(3, 4, 5), 2, (3, 4, 5, 90, 90, 90)),
        (MCLC(3, 4, 5, 70), 2, (3, 4, 5, 70, 90, 90)),
        (RHL(4, 95), 3, (5.8982, 5.8982, 6.2951, 90, 90, 120)),
    ],
)
def test_a_primitive_cell_is_refused_with_what_makes_it_conventional(
    lattice: BravaisLattice, n_atoms: int, conventional: tuple[float, ...], turn
) -> None:
    """The matrix of the message makes the cell that it promises, which is taken."""
    primitive = Atoms("Cu", cell=np.array(turn) @ lattice.tocell(), pbc=True)
    write("crystal.vasp", primitive)
    with pytest.raises(
        ConfigError, match=rf"slabs\.0\.crystal: crystal\.vasp has a primitive cell.* {n_atoms} atoms"
    ) as said:
        from_file("crystal.vasp")
    matrix = json.loads(str(said.value).split("(atoms, ")[1].split(")")[0])
    made = make_supercell(primitive, matrix)
    assert made.cell.cellpar() == pytest.approx(conventional, abs=1e-3)
    write("crystal.vasp", made)
    assert len(from_file("crystal.vasp")) == n_atoms


def test_a_primitive_cell_that_is_meant_is_taken() -> None:
    """(1 0 0) counts in it: the close-packed plane, which is (1 1 1) of the cubic cell."""
    write("crystal.vasp", bulk("Cu", a=3.6))
    crystal = from_file("crystal.vasp", primitive=True)
    assert len(crystal) == 1
    made = cut(crystal, (1, 0, 0), 10.0, 8.0)
    assert np.linalg.norm(np.cross(*made.cell[:2])) == pytest.approx(3**0.5 / 4 * 3.6**2)
    with pytest.raises(ConfigError, match="`primitive` goes with `crystal`"):
        element("Cu", primitive=True)


def test_four_indices_are_the_same_planes_as_three() -> None:
    planes = [[0, 0, 0, 1], [1, 0, -1, 0], [1, 0, 0], [2, 2, -4, 1]]
    given = {
        "potentials": {"p": {"file": "p.yaml"}},
        "reference": None,
        "slabs": [MADE | {"element": "Mg", "planes": planes}],
    }
    slabs = collect(from_dict(given, SurfacesConfig), Path()).slabs
    assert [slab.name for slab in slabs] == ["Mg (0 0 0 1)", "Mg (1 0 -1 0)", "Mg (2 2 -4 1)"]
    assert [slab.plane for slab in slabs] == [(0, 0, 1), (1, 0, 0), (2, 2, 1)]


@pytest.mark.parametrize(
    ("slabs", "error", "message"),
    [
        (
            {"element": "Mn"},
            ConfigError,
            r"slabs\.0: cannot build 'Mn' as its own lattice: .*`crystal`, a structure file",
        ),
        (
            {"element": "Cu", "lattice": "fkk"},
            ConfigError,
            r"slabs\.0: cannot build 'Cu' as fkk: Unknown structure.*fcc, bcc",
        ),
        ({"element": "Cu", "lattice": "bct", "a": 3.0}, ConfigError, "a constant of that lattice is missing"),
        ({"element": "Cu", "crystal": "slab.xyz"}, ConfigError, "give either `element`"),
        ({}, ConfigError, "give either `element`"),
        ({"crystal": "slab.xyz", "a": 3.0}, ConfigError, "go with `element`"),
        ({"crystal": "none.cif"}, DataError, "none.cif does not exist"),
        ({"crystal": "slab.xyz"}, ConfigError, r"slabs\.0\.crystal: slab.xyz is not periodic in three directions"),
        ({"element": "Cu", "planes": [[1, 0]]}, ConfigError, r"\[1, 0\]: a plane has three indices"),
        ({"element": "Cu", "planes": [[0, 0, 0, 0]]}, ConfigError, "is no plane; give at least one index"),
        ({"element": "Mg", "planes": [[1, 0, 1, 0]]}, ConfigError, r"is -\(h \+ k\): write \[1, 0, -1, 0\]"),
        ({"element": "Mg", "planes": [[4, 0, -4, 0]]}, ConfigError, "lie between -3 and 3"),
        ({"element": "Cu", "planes": [[1, 0, -1, 0]]}, ConfigError, r"slabs\.0\.planes: four indices .*\[1, 0, 0\]"),
    ],
)
def test_what_is_no_crystal_or_no_plane_is_said(slabs: dict, error: type[UnnpError], message: str) -> None:
    write("slab.xyz", Atoms("Cu", cell=[3, 3, 20], pbc=(True, True, False)))
    with pytest.raises(error, match=message):
        surfaces([MADE | {"planes": [[1, 0, 0]]} | slabs])
