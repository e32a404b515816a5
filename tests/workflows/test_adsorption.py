"""The three-start test against relaxations by hand; what counts as broken; runs that go on; what goes wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import read, write
from ase.optimize import BFGS
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.errors import ConfigError
from unnp.workflows.adsorption import run as adsorption
from unnp.workflows.adsorption.config import COH, AdsorptionConfig, Placed, SurfaceConfig
from unnp.workflows.adsorption.judge import End, Verdict, bonds_of, farthest, judge
from unnp.workflows.adsorption.report import notes, result_rows
from unnp.workflows.adsorption.structures import anchor_of, bare_slab, crystal_of, with_molecule

OXYGEN = {
    "potentials": {"emt": {"file": "emt.yaml"}},
    "surface": {"element": "Cu", "plane": [1, 0, 0], "repeat": [2, 1], "thickness": 5, "vacuum": 8, "free": 1},
    "molecule": [{"symbol": "O", "at": [0.5, 0.0, 1.0]}],
    "dissociated": [{"symbol": "O", "at": [1.0, 0.5, 1.0]}],
    "shaken": 1,
    "shake": 0.1,
    "relax": {"max_force": 0.01},
    "path": {"images": 1, "max_force": 0.05},
    "reference": None,
}
"""An atom on Cu(100) that hops to the next hollow: its path is symmetric."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("emt.yaml").write_text("{kind: ase, name: emt}\n")
    Path("al.yaml").write_text(
        "{kind: lammps, elements: [Al], pair_style: eam/fs, pair_coeff: ['* * Al_mm.eam.fs Al']}\n"
    )
    return tmp_path


def cli(*words: str, **settings) -> str:
    Path("test.yaml").write_text(yaml.safe_dump(OXYGEN | settings))
    words = ("adsorption", "test.yaml", "-o", "run", *words)
    result = CliRunner().invoke(build_app(), words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def by_hand() -> tuple[float, Atoms]:
    """Return the lattice constant of copper in EMT, and oxygen in a hollow of Cu(100) at rest on the same slab."""
    crystal = bulk("Cu", cubic=True)
    crystal.calc = EMT()
    constants = np.linspace(3.57, 3.61, 41)
    energies = []
    for a in constants:
        crystal.set_cell(np.eye(3) * a, scale_atoms=True)
        energies.append(crystal.get_potential_energy())
    a = float(constants[int(np.argmin(energies))])
    slab = bulk("Cu", a=a, cubic=True) * (2, 1, 2)
    top = slab.positions[:, 2].max()
    slab.set_constraint(FixAtoms(mask=slab.positions[:, 2] < top - 1))
    slab += Atoms("O", [(0.5 * a, 0.5 * a, top + 1.0)])
    slab.center(axis=2, vacuum=4)
    slab.calc = EMT()
    BFGS(slab, logfile=None).run(fmax=0.01)
    return a, slab


def test_starts_ends_and_path_of_an_atom_on_copper(folder: Path) -> None:
    out = cli()
    found = json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]
    a, slab = by_hand()
    relaxed = read("run/emt/starts/relaxed.extxyz", 0)
    assert relaxed.cell.lengths()[0] == pytest.approx(2 * a, abs=4e-3)
    height = relaxed.positions[-1, 2] - relaxed.positions[:-1, 2].max()
    assert height == pytest.approx(slab.positions[-1, 2] - slab.positions[:-1, 2].max(), abs=0.02)
    assert [end["start"] for end in found["ends"]] == ["adsorbed", "put on the slab at rest", "shaken 1", "dissociated"]
    for end in found["ends"]:  # the next hollow is as good as the first
        assert end["above"] == pytest.approx(0, abs=2e-3)
        assert not end["broken"]
    assert found["verdict"] == {"same": True, "whole": True, "broken_lower": [], "passed": True}
    path = found["path"]
    assert path["reaction_energy_eV"] == pytest.approx(0, abs=2e-3)
    assert path["barrier_forward_eV"] == pytest.approx(path["barrier_back_eV"], abs=2e-3)
    assert 0.1 < path["barrier_forward_eV"] < 1.0
    assert f"{path['barrier_forward_eV']:.2f}" in out
    rows = list(csv.DictReader(Path("run/ends.csv").read_text().splitlines()))
    assert [float(row["energy"]) for row in rows] == pytest.approx([end["energy"] for end in found["ends"]])
    drawn = list(csv.DictReader(Path("run/adsorption.csv").read_text().splitlines()))
    assert sum(row["kind"] == "path" for row in drawn) == 3
    assert Path("run/adsorption.png").stat().st_size > 10_000


def test_a_minimum_on_the_path_is_a_start_too(folder: Path) -> None:
    """Two hops: the hollow between them is as good as the others."""
    away = [{"symbol": "O", "at": [1.5, 1.0, 1.0]}]
    surface = OXYGEN["surface"] | {"repeat": [2, 2]}
    cli(surface=surface, dissociated=away, shaken=0, path={"images": 3, "max_force": 0.05})
    found = json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]
    assert [end["start"] for end in found["ends"]][-2:] == ["dissociated", "on the path 2"]
    between = found["ends"][-1]
    assert between["above"] == pytest.approx(0, abs=2e-3)
    assert between["moved"] == pytest.approx(3.59 / 2**0.5, abs=0.05)
    assert found["verdict"]["passed"]
    rows = list(csv.DictReader(Path("run/ends.csv").read_text().splitlines()))
    assert rows[-1]["start"] == "on the path 2"


def test_a_band_that_goes_on_is_asked_for_its_minima_again(folder: Path) -> None:
    changes = {"surface": OXYGEN["surface"] | {"repeat": [2, 2]}, "shaken": 0}
    changes["dissociated"] = [{"symbol": "O", "at": [1.5, 1.0, 1.0]}]
    path = {"images": 3, "max_force": 0.05}
    for words, steps in (((), 8), (("--resume",), 200), (("--resume",), 200)):
        cli(*words, path=path | {"max_steps": steps}, **changes)
        found = json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]
        assert found["path"]["at_rest"] == (steps == 200)
        assert ("the band is not at rest after 8 steps" in str(found["notes"])) == (steps == 8)
        assert [end["start"] for end in found["ends"]][-1] == "on the path 2"
    assert len(list(Path("run/emt").glob("on the way, step *"))) == 2


def test_a_run_goes_on_with_a_further_potential_and_computes_nothing_twice(folder: Path) -> None:
    cli(dissociated=None, shaken=0)
    kept = Path("run/emt/starts/steps.jsonl").read_bytes()
    both = {"emt": {"file": "emt.yaml"}, "al": {"file": "al.yaml"}}
    out = cli("--resume", potentials=both, dissociated=None, shaken=0)
    assert Path("run/emt/starts/steps.jsonl").read_bytes() == kept
    assert "al: ! none of 1 structures could be computed" in out  # of copper
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"].keys() == {"al", "emt"}
    with pytest.raises(ConfigError, match="already holds a run"):
        cli()
    with pytest.raises(ConfigError, match="shaken changed since"):
        cli("--resume", dissociated=None, shaken=1)


def test_a_start_that_does_not_come_to_rest_is_said_and_goes_further(folder: Path) -> None:
    few = {"dissociated": None, "shaken": 0}
    out = cli(relax={"max_force": 0.01, "max_steps": 1}, **few)
    assert "emt: ! adsorbed: no minimum after 1 steps; --resume with more relax.max_steps goes on" in out
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]["verdict"] is None
    cli("--resume", relax={"max_force": 0.01, "max_steps": 200}, **few)
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]["verdict"]["passed"]


def test_the_slab_of_the_defaults_is_co_0001_with_coh_above_a_hollow() -> None:
    surface = SurfaceConfig()
    slab = bare_slab(crystal_of(surface, Path()), surface)
    whole = with_molecule(slab, COH, anchor_of(slab), surface, "adsorbed")
    assert str(whole.symbols) == "Co16COH"
    carbon, oxygen, hydrogen = range(16, 19)
    to_metal = np.sort(whole.get_distances(carbon, range(16), mic=True))[:4]
    assert to_metal[:3] == pytest.approx([1.85] * 3, abs=0.01)
    below = whole.positions[:16, 2] < slab.positions[:, 2].max() - 1
    sideways = whole.get_distances(carbon, np.flatnonzero(below), mic=True, vector=True)[:, :2]
    assert np.linalg.norm(sideways, axis=1).min() == pytest.approx(0, abs=1e-6)  # hcp: an atom right below
    assert whole.get_distance(oxygen, hydrogen) == pytest.approx(0.96, abs=0.02)
    assert bonds_of(whole) == {(0, 1), (1, 2)}
    assert len(whole.constraints[0].index) == 8


def test_a_surface_with_four_indices_of_a_crystal_in_a_file(folder: Path) -> None:
    """The plane of the defaults, by its four indices, of cobalt from a file: the same slab."""
    crystal = crystal_of(SurfaceConfig(), Path())
    write("cobalt.cif", crystal)
    surface = from_dict({"crystal": "cobalt.cif", "plane": [0, 0, 0, 1]}, SurfaceConfig)
    assert from_dict(surface.model_dump(mode="json"), SurfaceConfig) == surface
    slab, expected = (bare_slab(crystal_of(each, Path()), each) for each in (surface, SurfaceConfig()))
    assert np.abs(slab.get_all_distances() - expected.get_all_distances()).max() < 1e-3


def test_bonds_and_ways_count_across_boundaries() -> None:
    surface = SurfaceConfig()
    slab = bare_slab(crystal_of(surface, Path()), surface)
    whole = with_molecule(slab, COH, anchor_of(slab), surface, "adsorbed")
    other = whole.copy()
    other.positions[-1] += whole.cell[0] - whole.cell[1]
    assert bonds_of(other) == {(0, 1), (1, 2)}
    assert farthest(other, whole, np.arange(19)) == pytest.approx(0, abs=1e-6)
    other.positions[-1] += (0, 0, 1.5)
    assert bonds_of(other) == {(0, 1)}
    assert farthest(other, whole, np.arange(19)) == pytest.approx(1.5)


def end(name: str, above: float, bonded: bool = True, slab_moved: float = 0.1, problem: str = "") -> End:
    return End(name, 1.0 + above, above, bonded, slab_moved, problem=problem)


@pytest.mark.parametrize(
    ("further", "same", "lower"),
    [
        ([end("put", 0.0), end("shaken", -0.5)], True, []),  # a better site, not a broken molecule
        ([end("put", -0.4)], False, []),
        ([end("put", 0.0, bonded=False)], False, []),
        ([end("put", 0.0), end("shaken", -0.5, bonded=False)], True, ["shaken"]),
        ([end("put", 0.0), end("shaken", -0.5, slab_moved=2.0)], True, ["shaken"]),
        ([end("put", 0.0), end("shaken", 0.5, bonded=False)], True, []),
        ([end("put", 0.0, problem="no minimum")], None, []),
    ],
)
def test_what_passes(further: list[End], same: bool | None, lower: list[str]) -> None:
    verdict = judge([end("adsorbed", 0.0), *further])
    assert (verdict.same, verdict.broken_lower) == (same, lower)
    assert verdict.passed == (same is True and not lower)
    assert not judge([end("adsorbed", 0.0, bonded=False), *further]).passed


def test_on_the_way_to_the_dissociated_state_only_the_slab_has_to_be_whole() -> None:
    ends = [end("adsorbed", 0.0), end("put", 0.0)]
    apart, in_ruins = end("apart", -0.5, bonded=False), end("in ruins", -0.5, slab_moved=2.0)
    assert judge(ends, [apart]).passed
    assert judge(ends, [apart, in_ruins]).broken_lower == ["in ruins"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"molecule": []}, "molecule"),
        ({"dissociated": [{"symbol": "N", "at": [0, 0, 1]}]}, "`dissociated` is N, `molecule` O"),
        ({"molecule": [{"symbol": "Xx", "at": [0, 0, 1]}], "dissociated": None}, "is no element"),
        ({"surface": {"element": "Xx"}}, "Xx"),
        ({"surface": OXYGEN["surface"] | {"element": "Sn", "lattice": "hcp"}}, "surface: cannot build 'Sn' as hcp"),
        ({"surface": OXYGEN["surface"] | {"plane": [0, 0, 0]}}, r"plane: \[0, 0, 0\] is no plane; give at least one"),
        ({"surface": OXYGEN["surface"] | {"plane": [1, 0, 0, 1]}}, r"is -\(h \+ k\): write \[1, 0, -1, 1\]"),
        (
            {"surface": OXYGEN["surface"] | {"plane": [0, 0, 0, 1]}},
            "surface.plane: four indices .* Give three, such as",
        ),
        ({"surface": OXYGEN["surface"] | {"crystal": "cu.xyz"}}, "give either `element`"),
        ({"surface": OXYGEN["surface"] | {"free": 9}}, "no atom lies deeper than free: 9"),
    ],
)
def test_bad_input_is_said(change: dict, message: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        cli(**change)


def test_places_count_in_the_cell_of_the_surface() -> None:
    surface = from_dict(OXYGEN, AdsorptionConfig).surface
    slab = bare_slab(crystal_of(surface, Path()), surface)
    atoms = [
        with_molecule(slab, [Placed(symbol="O", at=(u, 0.5, 1.0))], anchor_of(slab), surface, "") for u in (0.5, 1.5)
    ]
    ways = atoms[1].positions[-1] - atoms[0].positions[-1]
    assert ways == pytest.approx(slab.cell.array[0] / 2)  # of two cells


def test_what_the_tables_leave_open_is_said() -> None:
    """A state below the adsorbed one with other bonds, which the verdict allows on the path, and a band that is all uphill."""
    uphill = SimpleNamespace(at_rest=False, steps=9, problem="", doubts=[], energies=np.array([0.0, 0.4, 0.9]))
    tested = adsorption.Tested(
        [end("adsorbed", 0.0), end("put", 0.0), end("dissociated", 0.9, bonded=False)],
        [end("on the path 2", -0.3, bonded=False), end("on the path 3", -0.4, bonded=False, slab_moved=2.0)],
        Verdict(True, True, ["on the path 3"]),
        uphill,  # type: ignore[arg-type]
    )
    assert [tested.state_of(each) for each in tested.all_ends] == [
        "whole",
        "whole",
        "other bonds",
        "other bonds",
        "broken",
    ]
    assert tested.state_of(end("shaken 1", 0.0, bonded=False)) == "broken"
    said, (row,) = notes({"emt": tested}), result_rows({"emt": tested}, None)
    assert (
        said[0] == "emt: on the path 2: a whole slab, other bonds in the molecule, and 0.30 eV below the adsorbed start"
    )
    assert not [line for line in said if "on the path 3" in line]
    assert any("there is no barrier" in line for line in said)
    assert row == ["emt", "yes", "yes", "on the path 3", "no", "none !", "none !", "0.90"]
