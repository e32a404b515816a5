"""The three-start test against relaxations by hand; runs that go on; what goes wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

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
from unnp.errors import ConfigError, ModelError
from unnp.workflows.adsorption import run as adsorption
from unnp.workflows.adsorption.config import AdsorptionConfig, SurfaceConfig
from unnp.workflows.adsorption.structures import bare_slab, crystal_of
from unnp.workflows.relaxation.relaxation import Relaxation

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
    assert found["placed"] == "hollow"
    assert {end["site"] for end in found["ends"]} == {"hollow"}
    assert [end["start"] for end in found["ends"]] == ["adsorbed", "put on the slab at rest", "shaken 1", "dissociated"]
    for end in found["ends"]:  # the next hollow is as good as the first
        assert end["above"] == pytest.approx(0, abs=2e-3)
        assert not end["broken"]
    assert found["verdict"] == {
        "same": True,
        "whole": True,
        "broken_lower": [],
        "not_at_rest": [],
        "reasons": [],
        "passed": True,
    }
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
    """Two hops: the hollow between them is as good as the others, and the path is divided there."""
    away = [{"symbol": "O", "at": [1.5, 1.0, 1.0]}]
    surface = OXYGEN["surface"] | {"repeat": [2, 2]}
    cli(surface=surface, dissociated=away, shaken=0, path={"images": 3, "max_force": 0.05})
    found = json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]
    assert [end["start"] for end in found["ends"]][-2:] == ["dissociated", "on the path 4"]
    parts = found["path"]["parts"]
    assert [(part["first_image"], part["last_image"], part["at_rest"]) for part in parts] == [
        (0, 4, True),
        (4, 8, True),
    ]
    assert found["path"]["at_rest"]
    between = found["ends"][-1]
    assert between["above"] == pytest.approx(0, abs=2e-3)
    assert between["moved"] == pytest.approx(3.59 / 2**0.5, abs=0.05)
    assert between["from_alike"] == pytest.approx(0, abs=0.05)
    assert found["verdict"]["passed"]
    rows = list(csv.DictReader(Path("run/ends.csv").read_text().splitlines()))
    assert rows[-1]["start"] == "on the path 4"
    kept = Path("run/adsorption.json").read_bytes()
    cli("--resume", surface=surface, dissociated=away, shaken=0, path={"images": 3, "max_force": 0.05})
    assert Path("run/adsorption.json").read_bytes() == kept


def test_a_band_that_goes_on_is_asked_for_its_minima_again(folder: Path) -> None:
    changes = {"surface": OXYGEN["surface"] | {"repeat": [2, 2]}, "shaken": 0}
    changes["dissociated"] = [{"symbol": "O", "at": [1.5, 1.0, 1.0]}]
    path = {"images": 3, "max_force": 0.05, "divide": 0}
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
    with pytest.raises(
        ModelError, match=r"1 potentials .*; emt: adsorbed: no minimum after 1 steps; --resume with more"
    ):
        cli(relax={"max_force": 0.01, "max_steps": 1}, **few)
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]["verdict"] is None
    cli("--resume", relax={"max_force": 0.01, "max_steps": 200}, **few)
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]["verdict"]["passed"]


def test_a_surface_with_four_indices_of_a_crystal_in_a_file(folder: Path) -> None:
    """The plane of the defaults, by its four indices, of cobalt from a file: the same slab."""
    crystal = crystal_of(SurfaceConfig(), Path())
    write("cobalt.cif", crystal)
    surface = from_dict({"crystal": "cobalt.cif", "plane": [0, 0, 0, 1]}, SurfaceConfig)
    assert from_dict(surface.model_dump(mode="json"), SurfaceConfig) == surface
    slab, expected = (bare_slab(crystal_of(each, Path()), each) for each in (surface, SurfaceConfig()))
    assert np.abs(slab.get_all_distances() - expected.get_all_distances()).max() < 1e-3


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


def test_where_all_potentials_fail_the_run_fails_and_says_why(folder: Path) -> None:
    with pytest.raises(ModelError, match="none of 1 potentials could be tested; al: none of 1 structures could be"):
        cli(potentials={"al": {"file": "al.yaml"}}, dissociated=None)
    kept = json.loads(Path("run/adsorption.json").read_text())["potentials"]["al"]
    assert kept["verdict"] is None
    assert "of 1 structures could be computed" in kept["problem"]


def test_a_run_that_is_killed_in_the_last_potential_leaves_a_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = adsorption._tested

    def killed(config, crystal, potential):
        if potential.folder.name == "last":
            raise KeyboardInterrupt
        return tested(config, crystal, potential)

    monkeypatch.setattr(adsorption, "_tested", killed)
    given = OXYGEN | {"dissociated": None, "shaken": 0}
    given["potentials"] = {name: {"file": "emt.yaml"} for name in ("emt", "last")}
    with pytest.raises(KeyboardInterrupt):
        adsorption.run_adsorption(from_dict(given, AdsorptionConfig), Path(), Path("run"))
    assert json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]["verdict"]["passed"]
    assert len(list(csv.DictReader(Path("run/ends.csv").read_text().splitlines()))) == 2


def test_a_molecule_that_never_touches_the_slab_does_not_pass(folder: Path) -> None:
    surface = OXYGEN["surface"] | {"vacuum": 20}
    molecule = [{"symbol": "Cu", "at": [0.5, 0.0, height]} for height in (10.0, 12.2)]
    out = cli(surface=surface, molecule=molecule, dissociated=None)
    found = json.loads(Path("run/adsorption.json").read_text())["potentials"]["emt"]
    assert {end["site"] for end in found["ends"]} == {"off the slab"}
    assert [end["bonded"] for end in found["ends"]] == [True] * 3
    assert not found["verdict"]["passed"]
    assert not found["verdict"]["same"]
    assert found["verdict"]["reasons"][0] == "adsorbed: off the slab"
    assert "emt: does not pass: adsorbed: off the slab" in out


def test_a_vacuum_that_is_too_small_for_the_molecule_is_refused(folder: Path) -> None:
    surface = OXYGEN["surface"] | {"vacuum": 3}
    away = [{"symbol": "O", "at": [1.0, 0.5, 1.5]}]
    for changes, height in (({}, "1"), ({"dissociated": away}, "1.5")):
        with pytest.raises(ConfigError, match=f"surface.vacuum: 3 A, and the molecule reaches {height} A .* at least "):
            cli(surface=surface, **changes)
    assert not Path("run").exists()


@pytest.mark.parametrize("problem", ["forces are not finite; check the potential there.", "no such element"])
def test_a_start_that_failed_is_said_with_one_full_stop_and_no_wrong_advice(problem: str) -> None:
    atoms = bulk("Cu")
    atoms.info["name"] = "adsorbed"
    failed = Relaxation(atoms, atoms, [1.0], [1.0], problem=problem)
    with pytest.raises(ModelError) as caught:
        adsorption._require_rest(failed)
    assert str(caught.value) == f"adsorbed: {problem.rstrip('.')}."
