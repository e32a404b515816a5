"""Split cells, kernel PCA and lattices of surface energies against their definitions; potentials of one substance each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from matplotlib.path import Path as MplPath
from matplotlib.text import Text
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, UnnpError
from unnp.workflows.surfaces.distances import nearest
from unnp.workflows.surfaces.errors import Pair
from unnp.workflows.surfaces.figures import draw_errors, draw_parity
from unnp.workflows.surfaces.labels import free_places
from unnp.workflows.surfaces.lattice import lattice_of
from unnp.workflows.surfaces.maps import kernel_pca
from unnp.workflows.surfaces.triangles import draw_triangles, lines_of, middle_of, sector

LATTICE = {"Al": 4.05, "Ni": 3.52}


def labelled(atoms: Atoms) -> Atoms:
    atoms.calc = EMT()
    atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy())
    return atoms


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with crystals and slabs of Al and Ni, labelled by EMT, and calculator files."""
    monkeypatch.chdir(tmp_path)
    for symbol, a in LATTICE.items():
        slabs = [fcc111(symbol, (1, 1, n), a=a, vacuum=5.0, periodic=True) for n in (3, 4)]
        write(f"{symbol}.xyz", [labelled(each) for each in (bulk(symbol, a=a, cubic=True), *slabs)])
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    Path("lj.yaml").write_text("{kind: ase, name: lj, parameters: {sigma: 2.3}}\n")
    return tmp_path


def surfaces(potentials: dict, *words: str, **settings) -> str:
    slabs = [{"kind": "files", "files": [f"{symbol}.xyz"]} for symbol in LATTICE]
    given = {"potentials": potentials, "slabs": slabs, "relax": None, **settings}
    Path("surfaces.yaml").write_text(yaml.safe_dump(given))
    words = ("surfaces", "surfaces.yaml", "-o", "run", *words)
    result = CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@contextmanager
def drawn_texts() -> Iterator[set[str]]:
    """Gather all that the figures written meanwhile say."""
    found: set[str] = set()

    def draw(text: Text, *arguments) -> None:
        found.add(text.get_text())
        original(text, *arguments)

    original = Text.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", draw)
        yield found


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(f"run/{name}.csv").read_text().splitlines()))


def test_a_file_for_each_substance_is_taken_for_its_own_slabs(files: Path) -> None:
    surfaces({"both": {"files": {"Al": "emt.yaml", "Ni": "lj.yaml"}}, "emt": {"file": "emt.yaml"}})
    found = json.loads(Path("run/surfaces.json").read_text())
    assert found["errors"]["both"]["Al"]["gamma"]["mae"] == pytest.approx(0, abs=1e-6)
    assert found["errors"]["both"]["Ni"]["gamma"]["mae"] > 0.1
    assert found["errors"]["emt"]["all"]["gamma"]["mae"] == pytest.approx(0, abs=1e-6)


def test_a_substance_without_a_file_is_left_out_and_said(files: Path) -> None:
    out = surfaces({"special": {"files": {"Al": "emt.yaml"}}, "emt": {"file": "emt.yaml"}})
    assert "special has no file for Ni" in out
    assert "!" not in out
    assert {row["formula"] for row in table("errors") if row["potential"] == "special"} == {"Al"}
    kept = Path("run/special.jsonl").read_bytes()
    assert "special has no file" in surfaces({"special": {"files": {"Al": "emt.yaml"}}}, "--resume")
    assert Path("run/special.jsonl").read_bytes() == kept
    with pytest.raises(DataError, match="other structures"):
        surfaces({"special": {"files": {"Al": "lj.yaml"}}}, "--resume")


def test_split_cells_have_the_errors_of_the_table(files: Path) -> None:
    surfaces({"emt": {"file": "emt.yaml"}, "lj": {"file": "lj.yaml"}})
    errors = json.loads(Path("run/surfaces.json").read_text())["errors"]
    rows = table("triangles")
    assert len(rows) == 2 * 3 * 2  # quantities, formulas and all together, potentials
    for row in rows:
        expected = errors[row["potential"]][row["formula"]][row["quantity"]]["rmse"]
        assert float(row["rmse"]) == pytest.approx(expected)
        assert row["unit"] == {"slab": "eV/atom", "gamma": "J/m^2"}[row["quantity"]]
    assert Path("run/triangles.png").stat().st_size > 10_000


def test_a_map_has_all_slabs_with_their_errors(files: Path, small_model: Path) -> None:
    surfaces({"emt": {"file": "emt.yaml"}, "lj": {"file": "lj.yaml"}}, features=str(small_model))
    rows = table("map")
    assert len(rows) == 8
    assert {row["lattice"] for row in rows} == {"fcc"}
    errors = {(row["potential"], row["slab"]): row["error"] for row in table("errors")}
    assert all(float(row["error"]) == pytest.approx(float(errors[row["potential"], row["slab"]])) for row in rows)
    assert (
        len({(row["slab"], row["x"], row["y"]) for row in rows}) == 4
    )  # one place for each slab, in the panels of both potentials
    assert Path("run/map.png").stat().st_size > 10_000
    surfaces({"emt": {"file": "emt.yaml"}}, "--resume", reference=None)
    assert not Path("run/map.png").exists()


def test_errors_over_the_distance_to_what_was_learnt(files: Path, small_model: Path) -> None:
    """From the first slab of Al, which was learnt, it is zero; the potential without training data has no points."""
    write("learnt.xyz", read("Al.xyz", 1))
    potentials = {"emt": {"file": "emt.yaml"}, "lj": {"file": "lj.yaml", "learnt": ["learnt.xyz"]}}
    surfaces(potentials, features=str(small_model))
    rows = table("distances")
    assert {row["potential"] for row in rows} == {"lj"}
    assert len(rows) == 2 * 4
    found = {row["slab"]: float(row["distance"]) for row in rows}
    assert found["Al.xyz frame 1"] == pytest.approx(0, abs=1e-3)
    assert found["Al.xyz frame 2"] < min(found["Ni.xyz frame 1"], found["Ni.xyz frame 2"])
    errors = {(row["potential"], row["slab"]): row["error"] for row in table("errors")}
    gammas = [row for row in rows if row["quantity"] == "gamma"]
    assert all(row["error"] == errors["lj", row["slab"]] for row in gammas)


def test_the_nearest_structure_by_distances_of_products_of_two_features() -> None:
    """With zeta = 2, distances are those between ``u u^T``."""
    rng = np.random.default_rng(2)
    features, learnt = rng.normal(size=(6, 4)), rng.normal(size=(5, 4))
    products = [
        np.einsum("ai,aj->aij", unit, unit).reshape(len(unit), -1)
        for unit in (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (features, learnt))
    ]
    distances = np.linalg.norm(products[0][:, None] - products[1][None], axis=2)
    assert nearest(features, learnt) == pytest.approx(distances.min(axis=1))
    assert nearest(features, features) == pytest.approx(0, abs=1e-6)


def test_kernel_pca_is_pca_of_all_products_of_two_features() -> None:
    """With zeta = 2 the kernel is the scalar product of ``u u^T``, which can be written down."""
    features = np.random.default_rng(1).normal(size=(12, 4))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    products = np.einsum("ai,aj->aij", unit, unit).reshape(12, -1)
    left, values, _ = np.linalg.svd(products - products.mean(axis=0), full_matrices=False)
    components, shares = kernel_pca(features)
    assert np.abs(components) == pytest.approx(np.abs(left[:, :2] * values[:2]))
    assert shares == pytest.approx(values[:2] ** 2 / (values**2).sum())
    assert kernel_pca(3.0 * features)[0] == pytest.approx(components)


def test_kernel_pca_of_a_single_structure_is_a_point() -> None:
    components, shares = kernel_pca(np.ones((1, 3)))
    assert components.tolist() == [[0, 0]]
    assert shares.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("symbol", "lattice"), [("Cu", "fcc"), ("W", "bcc"), ("Co", "hcp"), ("Si", "diamond"), ("Po", "sc")]
)
def test_the_lattice_of_a_crystal_in_any_cell_and_a_little_strained(symbol: str, lattice: str) -> None:
    for crystal in (bulk(symbol), bulk(symbol) * (3, 2, 2)):
        assert lattice_of(crystal) == lattice
        crystal.set_cell(crystal.cell.array @ np.diag([1.02, 1.0, 0.99]), scale_atoms=True)
        assert lattice_of(crystal) == lattice


def test_lattices_of_compounds_of_stretched_cells_and_of_none_of_these() -> None:
    assert lattice_of(bulk("NaCl", "cesiumchloride", a=4.0)) == "bcc"
    assert lattice_of(bulk("Zn")) == "hcp"  # c/a = 1.86
    assert lattice_of(bulk("In")) == "fcc"  # a face-centred tetragonal one
    assert lattice_of(bulk("SiO2", "fluorite", a=5.0)) == "other"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7])
def test_parts_of_a_cell_are_as_large_as_each_other_and_fill_it(n: int) -> None:
    """A part of the rim of the length 4 / n with the centre at the distance 1 / 2 has the area 1 / n."""
    for k in range(n):
        x, y = sector(k, n).T
        area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
        assert area == pytest.approx(1 / n)
    assert len(sector(0, 2)) == 3


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7])
def test_a_text_stands_midway_between_the_sides_of_its_part(n: int) -> None:
    """As far to the left as to the right, measured by walking; at the mean height of a grid of points in the part."""
    grid = (np.stack(np.meshgrid(np.arange(400), np.arange(400)), axis=-1).reshape(-1, 2) + 0.5) / 400
    for k in range(n):
        outline = sector(k, n)
        inside = MplPath(outline).contains_points(grid)
        x, y = middle_of(outline)
        assert y == pytest.approx(grid[inside, 1].mean(), abs=0.01)
        at_height = grid[inside & (np.abs(grid[:, 1] - y) < 0.003), 0]
        assert x == pytest.approx((at_height.min() + at_height.max()) / 2, abs=0.01)


def test_names_break_behind_hyphens() -> None:
    assert lines_of("specialised") == ["specialised"]
    assert lines_of("fine-tuned") == ["fine-", "tuned"]
    assert lines_of("x" * 20) == ["x" * 12, "x" * 8]


def test_figures_show_relaxed_slabs_units_numbers_and_the_reference(tmp_path: Path) -> None:
    """What stands in them, found in the drawn figures; errors over a factor of ten have logarithmic colours."""
    found = [
        Pair(name, f"{formula} {k}", formula, quantity, -1.0 - k, -1.0 - k + error)
        for name, error in (("one", 0.001), ("other", 0.1))
        for formula in ("Cu", "Ni")
        for k in range(3)
        for quantity in ("bulk", "slab", "gamma", "gamma_relaxed")
    ]
    texts = {}
    for name, draw in {
        "parity": lambda path: draw_parity(path, found, "dft"),
        "errors": lambda path: draw_errors(path, found),
        "triangles": lambda path: draw_triangles(path, found),
    }.items():
        with drawn_texts() as texts[name]:
            draw(tmp_path / f"{name}.png")
    assert {"dft [eV/atom]", "potential - dft [meV/atom]", "one: 1 meV/atom", "other: 0.1 J/m^2"} <= texts["parity"]
    assert "surface energy, relaxed" in texts["parity"]
    assert {"one\nn = 6", "other\nn = 6"} <= texts["errors"]
    assert {"energy of the slab, RMSE [meV/atom]", "all", "100", "0.001"} <= texts["triangles"]
    assert {"2", "5", "20", "50"} <= texts["triangles"]  # of the logarithmic scale of colours
    rows = list(csv.DictReader((tmp_path / "parity.csv").read_text().splitlines()))
    assert len(rows) == len(found)


def test_names_cover_neither_points_nor_each_other() -> None:
    """Two groups of points side by side, a lone one between them, and one at the edge of the figure."""
    rng = np.random.default_rng(3)
    middles = np.array([(100.0, 100.0), (112.0, 100.0), (106.0, 104.0), (5.0, 195.0)])
    points = np.vstack([middle + rng.normal(scale=2.0, size=(10, 2)) for middle in middles])
    sizes = np.array([(20.0, 10.0)] * 4)
    centres = free_places(middles, sizes, points, 3.0, np.array([(0.0, 0.0), (200.0, 200.0)]))
    for k, centre in enumerate(centres):
        assert not (np.abs(points - centre) < sizes[k] / 2 + 2.9).all(axis=1).any()
        assert np.linalg.norm(centre - middles[k]) < 60
        assert ((centre - sizes[k] / 2 >= 0) & (centre + sizes[k] / 2 <= 200)).all()
        assert all((np.abs(centre - other) > 10).any() for other in np.delete(centres, k, axis=0))


@pytest.mark.parametrize(
    ("potential", "settings", "message"),
    [
        ({}, {}, "give either `file`, or `files`"),
        ({"file": "emt.yaml", "files": {"Al": "emt.yaml"}}, {}, "give either `file`, or `files`"),
        ({"files": {"Cu": "emt.yaml"}}, {}, "p has files for Cu; it is asked for Al, Ni"),
        ({"file": "emt.yaml"}, {"features": "emt.yaml"}, "emt.yaml"),
        ({"file": "emt.yaml", "learnt": ["Al.xyz"]}, {}, "`potentials.p.learnt` needs `features`"),
    ],
)
def test_bad_input_is_said(potential: dict, settings: dict, message: str, files: Path) -> None:
    with pytest.raises(UnnpError, match=message):
        surfaces({"p": potential}, **settings)


def test_a_model_for_the_map_that_does_not_know_an_element(files: Path, small_model: Path) -> None:
    write(
        "Al.xyz", [labelled(bulk("Cu", a=3.6, cubic=True)), labelled(fcc111("Cu", (1, 1, 3), vacuum=5, periodic=True))]
    )
    with pytest.raises(ConfigError, match="does not know Cu; name a model of all elements"):
        surfaces({"emt": {"file": "emt.yaml"}}, features=str(small_model))
