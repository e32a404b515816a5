"""Surface energies against computations by hand; planes, slabs in files, errors, runs that go on; what goes wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.neighborlist import neighbor_list
from ase.optimize import BFGS
from typer.testing import CliRunner
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.kim.potential_files import files_in
from unnp.workflows.relaxation.config import MinimiserConfig
from unnp.workflows.surfaces.config import MadeSlabs, SurfacesConfig
from unnp.workflows.surfaces.energies import measure
from unnp.workflows.surfaces.errors import Pair, summarise
from unnp.workflows.surfaces.planes import cut, distinct_planes
from unnp.workflows.surfaces.report import ERRORS, error_rows
from unnp.workflows.surfaces.slabs import Slab, empty_layers, gamma

A = 3.6
EMT_FILE = {"kind": "ase", "name": "emt"}
COPPER = {"kind": "made", "element": "Cu", "planes": [[1, 1, 1], [1, 0, 0]], "thickness": 5, "vacuum": 8}
FILES = {"kind": "files", "files": ["data.xyz"]}


def labelled(atoms: Atoms, shift: float = 0.0) -> Atoms:
    """Return atoms with the energy of EMT, each atom shifted by [eV]."""
    atoms.calc = EMT()
    energy = atoms.get_potential_energy() + shift * len(atoms)
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms


def slab(vacuum: float = 5.0) -> Atoms:
    atoms = fcc111("Cu", (1, 1, 3), a=A, vacuum=vacuum)
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)


def open_slab(vacuum: float | None = None) -> Atoms:
    """Return a slab that is not periodic along its normal, by default without a lattice vector there."""
    return fcc111("Cu", (1, 1, 3), a=A, vacuum=vacuum)


@pytest.fixture
def files(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    strained = bulk("Cu", a=A * 1.05, cubic=True)
    turned = slab()
    turned.set_cell(turned.cell[[2, 0, 1]], scale_atoms=False)  # vacuum along the first vector
    write("data.xyz", [labelled(each) for each in (strained, bulk("Cu", a=A, cubic=True), slab(), turned)])
    write("solid.xyz", labelled(bulk("Cu", a=A, cubic=True)))
    write("alone.xyz", labelled(slab()))
    write("unlabelled.xyz", [bulk("Cu", a=A, cubic=True), slab()])
    for name, content in {"emt": EMT_FILE, "lj": {"kind": "ase", "name": "lj", "parameters": {"sigma": 2.3}}}.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def cli(slabs: list[dict], *words: str, **settings) -> str:
    given = {"potentials": {"emt": {"file": "emt.yaml"}}, "slabs": slabs, "relax": None, **settings}
    Path("surfaces.yaml").write_text(yaml.safe_dump(given))
    result = CliRunner().invoke(build_app(), ["surfaces", "surfaces.yaml", "-o", "run", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_formula_in_its_unit() -> None:
    """One eV/A^2 is 16.0218 J/m^2; a slab of 4 atoms, 1 eV above its crystal, with two sides of 2 A^2."""
    assert gamma(-11.0, 4, -3.0, 2.0) == pytest.approx(16.0218 / 4, rel=1e-5)


@pytest.mark.parametrize(("crystal", "counts"), [("Cu", (3, 6, 13)), ("Fe", (3, 6, 13)), ("Si", (3, 6, 13))])
def test_planes_of_cubic_crystals(crystal: str, counts: tuple[int, ...]) -> None:
    """h >= k >= l >= 0 without a common divisor."""
    atoms = bulk(crystal, cubic=True)
    assert tuple(len(distinct_planes(atoms, n)) for n in (1, 2, 3)) == counts
    assert distinct_planes(atoms, 2) == [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (2, 2, 1)]


def test_planes_of_crystals_with_less_symmetry() -> None:
    assert distinct_planes(bulk("Mg"), 1) == [(0, 0, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
    stretched = bulk("Cu", cubic=True)
    stretched.set_cell(stretched.cell * np.array([1, 1, 1.1]), scale_atoms=True)
    assert set(distinct_planes(stretched, 1)) == {(1, 0, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (1, 1, 1)}


@pytest.mark.parametrize(
    ("element", "plane", "missing"),
    [("Cu", (1, 1, 1), 3), ("Cu", (1, 0, 0), 4), ("Cu", (1, 1, 0), 6), ("Si", (1, 1, 1), 1), ("Si", (1, 0, 0), 2)],
)
def test_a_slab_has_the_bonds_cut_that_its_plane_cuts(element: str, plane, missing: int) -> None:
    """Bonds cut for each atom of the unit of a side; of Si(111) one, not three: it is cut between the double layers."""
    crystal = bulk(element, cubic=True)
    bond = crystal.get_distance(0, 1, mic=True)
    inside = {"Cu": 12, "Si": 4}[element]
    atoms = cut(crystal, plane, 9, 12)
    neighbours = np.bincount(neighbor_list("i", atoms, 1.1 * bond), minlength=len(atoms))
    a = crystal.cell[0, 0]
    units = {(1, 1, 1): 3**0.5 / 4, (1, 0, 0): 0.5, (1, 1, 0): 0.5**0.5}[plane] * a**2
    n_units = np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])) / units
    assert (inside - neighbours).sum() == pytest.approx(2 * missing * n_units)
    assert np.ptp(atoms.positions[:, 2]) > 6
    assert atoms.cell[2, 2] == pytest.approx(np.ptp(atoms.positions[:, 2]) + 12)


def test_a_made_slab_has_the_energy_that_a_hand_computes(tmp_path: Path) -> None:
    """EMT's copper at its own lattice constant: 1x1 slab of as many layers from ASE's own builder, relaxed by plain ASE."""
    made = from_dict(COPPER, MadeSlabs)
    found = measure(
        Slab("Cu", bulk("Cu", cubic=True), made=made, plane=(1, 1, 1)), EMT(), MinimiserConfig(max_force=0.001), {}
    )
    a = min(np.linspace(3.58, 3.60, 81), key=lambda a: labelled(bulk("Cu", a=a)).get_potential_energy())
    crystal = labelled(bulk("Cu", a=a)).get_potential_energy()
    atoms = fcc111("Cu", (1, 1, 3), a=a, vacuum=6)
    atoms.calc = EMT()
    area = np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1]))
    assert found.n_atoms / found.area == pytest.approx(3 / area, rel=1e-3)
    assert found.gamma == pytest.approx((atoms.get_potential_energy() - 3 * crystal) / (2 * area) * 16.0218, rel=2e-3)
    BFGS(atoms, logfile=None).run(fmax=0.001)
    assert found.gamma_relaxed == pytest.approx(
        (atoms.get_potential_energy() - 3 * crystal) / (2 * area) * 16.0218, rel=2e-3
    )
    assert found.gamma_relaxed < found.gamma


def test_the_empty_layers_of_a_slab() -> None:
    """Along the two other vectors no layer is as thick; along one that is not periodic it is infinite."""
    layers = empty_layers(Structure.from_atoms(slab(vacuum=5.0)))
    assert layers[2] == pytest.approx(10.0)
    assert layers[:2].max() < 3
    assert empty_layers(Structure.from_atoms(bulk("Cu", a=A, cubic=True))) == pytest.approx(A / 2)
    assert empty_layers(Structure.from_atoms(Atoms("H"))).tolist() == [np.inf] * 3
    assert np.isinf(empty_layers(Structure.from_atoms(open_slab()))).tolist() == [False, False, True]


def test_slabs_in_files_against_their_labels(files: Path) -> None:
    """EMT labelled them: errors are zero; a potential whose energies are others has errors that follow from its own."""
    out = cli([FILES], potentials={"emt": {"file": "emt.yaml"}, "lj": {"file": "lj.yaml"}})
    assert "reference: labels" in out
    found = json.loads(Path("run/surfaces.json").read_text())
    assert list(found["slabs"]) == ["data.xyz frame 2", "data.xyz frame 3"]
    assert found["errors"]["emt"]["Cu"]["gamma"]["mae"] == pytest.approx(0, abs=1e-6)
    energies = [labelled(atoms).get_potential_energy() for atoms in (slab(), bulk("Cu", a=A))]
    area = 3**0.5 / 4 * A**2
    own = (energies[0] - 3 * energies[1]) / (2 * area) * 16.0218
    for entry in found["slabs"].values():  # the vacuum of the second lies along another vector
        assert entry["labels"]["gamma"] == pytest.approx(own, rel=1e-5)
        lj = entry["potentials"]["lj"]
        assert lj["gamma"] == pytest.approx((lj["slab"] - lj["bulk"]) * 3 / (2 * area) * 16.0218, rel=1e-5)
    rows = list(csv.DictReader(Path("run/surfaces.csv").read_text().splitlines()))
    assert [row["potential"] for row in rows] == ["labels"] * 2 + ["emt"] * 2 + ["lj"] * 2
    assert [row["slab"] for row in rows] == 3 * list(found["slabs"])
    first = next(iter(found["slabs"].values()))
    assert float(rows[0]["slab_energy"]) == pytest.approx(first["labels"]["slab"])
    parity = list(csv.DictReader(Path("run/parity.csv").read_text().splitlines()))
    assert {row["quantity"] for row in parity} == {"bulk", "slab", "gamma"}
    errors = list(csv.DictReader(Path("run/errors.csv").read_text().splitlines()))
    bias = np.mean([float(row["error"]) for row in errors if row["potential"] == "lj"])
    assert found["errors"]["lj"]["Cu"]["gamma"]["bias"] == pytest.approx(bias)
    assert all(Path(f"run/{name}.png").stat().st_size > 10_000 for name in ("parity", "errors"))


def test_only_one_empty_direction_makes_a_slab(files: Path) -> None:
    """An atom, a wire and a cluster in boxes are counted, and in no error, figure or list of slabs."""
    others = [
        Atoms("Cu", cell=[9, 9, 9], pbc=True),
        Atoms("Cu", cell=[2.5, 9, 9], pbc=True),
        Atoms("Cu2", positions=[(0, 0, 0), (0, 0, 2.3)]),
        Atoms("Cu", cell=[2.5, 2.5, 2.5], pbc=(True, False, False)),
    ]
    write("data.xyz", [labelled(each) for each in (bulk("Cu", a=A, cubic=True), slab(), *others)])
    out = " ".join(cli([FILES]).split())
    left = "4 frames (data.xyz frame 2, data.xyz frame 3, data.xyz frame 4, ...)"
    assert left in out
    found = json.loads(Path("run/surfaces.json").read_text())
    assert list(found["slabs"]) == ["data.xyz frame 1"]
    assert any(left in note for note in found["notes"])
    assert found["errors"]["emt"]["Cu"]["gamma"]["n"] == 1
    write("data.xyz", [labelled(each) for each in others])
    with pytest.raises(DataError, match=r"none of 4 frames .* along one lattice vector; are there slabs\? left out"):
        cli([FILES], "--resume")


@pytest.mark.parametrize("vacuum", [None, 5.0])
def test_a_slab_that_is_not_periodic_along_its_normal(vacuum: float | None, files: Path) -> None:
    """It is no crystal, and has the surface energy of the same slab in a periodic cell with vacuum."""
    write("data.xyz", [labelled(each) for each in (bulk("Cu", a=A, cubic=True), slab(), open_slab(vacuum))])
    cli([FILES], relax={})
    found = json.loads(Path("run/surfaces.json").read_text())["slabs"]
    assert list(found) == ["data.xyz frame 1", "data.xyz frame 2"]
    periodic, free = found.values()
    assert free["labels"] == pytest.approx(periodic["labels"])
    assert free["crystal"] == periodic["crystal"] == "data.xyz frame 0"
    assert free["potentials"]["emt"]["gamma"] == pytest.approx(free["labels"]["gamma"], abs=1e-5)
    assert free["potentials"]["emt"]["gamma_relaxed"] == pytest.approx(
        periodic["potentials"]["emt"]["gamma_relaxed"], abs=1e-4
    )


def test_the_crystal_is_named_and_doubted_where_it_is_not_relaxed(files: Path) -> None:
    out = cli([FILES])
    assert "crystal of Cu: data.xyz frame 1" in out
    assert "!" not in out
    assert {slab["crystal"] for slab in json.loads(Path("run/surfaces.json").read_text())["slabs"].values()} == {
        "data.xyz frame 1"
    }
    hot = bulk("Cu", a=1.15 * A, cubic=True) * 2
    hot.rattle(0.4, seed=1)
    hot.calc = EMT()
    results = {"energy": hot.get_potential_energy(), "forces": hot.get_forces(), "stress": [-0.05] * 3 + [0.0] * 3}
    hot.calc = SinglePointCalculator(hot, **results)
    write("data.xyz", [hot, labelled(slab())])
    Path("run").rename("before")
    out = " ".join(cli([FILES]).split())
    assert "! data.xyz frame 0 has forces up to" in out
    assert "and a stress up to 8.0 GPa in its labels: it is no relaxed crystal of Cu" in out
    for name in ("labels", "emt"):
        assert f"! {name}: surface energies below 0: 1, down to -" in out
    notes = json.loads(Path("run/surfaces.json").read_text())["notes"]
    assert len(notes) == 4


def test_a_crystal_that_is_given_is_periodic(files: Path) -> None:
    write("open.xyz", labelled(open_slab()))
    with pytest.raises(ConfigError, match=r"frame 0 of open\.xyz is not periodic in all three directions"):
        cli([{**FILES, "bulk": {"file": "open.xyz"}}])


def test_slabs_at_rest_are_counted_apart() -> None:
    """A potential of which one relaxation failed has its relaxed error over fewer slabs, and the table says so."""
    found = [Pair("p", str(k), "Cu", "gamma", 1.0, 1.1) for k in range(3)]
    found += [Pair("p", "0", "Cu", "gamma_relaxed", 1.0, 1.2)]
    found += [Pair("p", str(k), "Cu", name, 1.0, 1.1) for k in range(3) for name in ("bulk", "slab")]
    (row,) = error_rows(found)
    named = dict(zip(ERRORS, row, strict=True))
    assert (named["slabs"], named["gamma MAE"]) == ("3", "0.100")
    assert (named["at rest"], named["relaxed MAE"]) == ("1", "0.200")
    (row,) = error_rows([pair for pair in found if pair.quantity != "gamma_relaxed"])
    assert dict(zip(ERRORS, row, strict=True))["at rest"] == ""


def test_errors_over_slabs_and_formulas() -> None:
    found = [Pair("p", str(k), "Cu", "gamma", 1.0, 1.0 + error) for k, error in enumerate((0.3, -0.1))]
    found.append(Pair("p", "x", "Ni", "gamma", 2.0, 1.0))
    summary = summarise(found)["p"]
    assert summary["Cu"]["gamma"] == pytest.approx({"n": 2, "mae": 0.2, "rmse": 0.05**0.5, "bias": 0.1})
    assert summary["all"]["gamma"] == pytest.approx(
        {"n": 3, "mae": 1.4 / 3, "rmse": (1.1 / 3) ** 0.5, "bias": -0.8 / 3}
    )


def test_a_run_goes_on_with_a_further_potential_and_another_reference(files: Path) -> None:
    cli([FILES])
    kept = Path("run/emt.jsonl").read_bytes()
    both = {"emt": {"file": "emt.yaml"}, "lj": {"file": "lj.yaml"}}
    assert "reference: emt" in cli([FILES], "--resume", potentials=both, reference="emt")
    assert Path("run/emt.jsonl").read_bytes() == kept
    with pytest.raises(ConfigError, match="already holds a run"):
        cli([FILES])
    with pytest.raises(ConfigError, match="slabs changed since"):
        cli([{**FILES, "vacuum": 6}], "--resume")
    write("data.xyz", [labelled(bulk("Cu", a=3.7, cubic=True)), labelled(slab())])
    with pytest.raises(DataError, match="other structures"):
        cli([FILES], "--resume")


def test_without_a_reference_there_is_a_table_and_no_figure(files: Path) -> None:
    cli([COPPER], reference=None)
    assert list(json.loads(Path("run/surfaces.json").read_text())["slabs"]) == ["Cu (1 1 1)", "Cu (1 0 0)"]
    assert not Path("run/parity.png").exists()


def test_a_slab_that_does_not_come_to_rest_is_marked(files: Path) -> None:
    out = cli([FILES], relax={"max_steps": 0, "max_force": 1e-6})
    assert "! emt: data.xyz frame 2: relaxation of the slab: no minimum after 0 steps" in out
    assert json.loads(Path("run/surfaces.json").read_text())["errors"]["emt"]["Cu"]["gamma"]["n"] == 2


@pytest.mark.parametrize(
    ("slabs", "settings", "error", "message"),
    [
        ([COPPER], {}, ConfigError, "no labels; name a potential"),
        ([COPPER], {"reference": "emty"}, ConfigError, "`reference` is labels, null, or one of emt"),
        ([{**COPPER, "planes": [[0, 0, 0]]}], {"reference": "emt"}, ConfigError, "is no plane"),
        (
            [{**COPPER, "planes": [[4, 0, 0]]}],
            {"reference": "emt"},
            ConfigError,
            "indices h, k and l lie between -3 and 3",
        ),
        ([{**COPPER, "up_to": 1}], {"reference": "emt"}, ConfigError, "give either `planes`"),
        ([{**COPPER, "element": "Xx"}], {"reference": "emt"}, ConfigError, "Xx"),
        ([{**COPPER, "element": "Fe"}], {"reference": "emt"}, ModelError, "can compute none of 2 slabs"),
        ([COPPER, COPPER], {"reference": "emt"}, ConfigError, "two slabs Cu"),
        ([{**FILES, "files": ["solid.xyz"]}], {}, DataError, "are there slabs"),
        ([{**FILES, "groups": ["Surface"]}], {}, DataError, "in these groups"),
        ([{**FILES, "files": ["alone.xyz"]}], {}, DataError, "no labelled crystal of Cu"),
        ([{**FILES, "files": ["none.xyz"]}], {}, DataError, "none.xyz does not exist"),
        ([{**FILES, "bulk": {"file": "solid.xyz", "frame": 3}}], {}, ConfigError, "has 1 frames, not frame 3"),
        (
            [{**FILES, "files": ["unlabelled.xyz"], "bulk": {"file": "unlabelled.xyz"}}],
            {},
            ConfigError,
            "has no energy to compare with",
        ),
    ],
)
def test_bad_input_is_said(slabs, settings, error: type[UnnpError], message: str, files: Path) -> None:
    with pytest.raises(error, match=message):
        cli(slabs, **settings)


def test_settings_that_contradict_each_other() -> None:
    given = {"potentials": {"labels": {"file": "emt.yaml"}}, "slabs": [FILES]}
    with pytest.raises(ConfigError, match="'labels' is the name of the labels"):
        from_dict(given, SurfacesConfig)


def test_another_table_behind_the_same_calculator_file_is_another_potential(files: Path) -> None:
    """Of a pair style: the file that pair_coeff names is replaced, the calculator file stays."""
    pytest.importorskip("lammps")
    table = files / "own.eam"
    settings = {"kind": "lammps", "elements": ["Cu"], "pair_style": "eam", "pair_coeff": ["1 1 own.eam"]}
    Path("pair.yaml").write_text(yaml.safe_dump(settings))
    potentials = {"pair": {"file": "pair.yaml"}}
    table.write_bytes(files_in("Cu_u3.eam", files)[0].read_bytes())
    cli([COPPER], reference=None, potentials=potentials)
    cli([COPPER], "--resume", reference=None, potentials=potentials)
    table.write_bytes(files_in("Cu_smf7.eam", files)[0].read_bytes())
    with pytest.raises(DataError, match="another potential: files that its calculator names count too"):
        cli([COPPER], "--resume", reference=None, potentials=potentials)
