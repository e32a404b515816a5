"""Every verb that takes a potential takes a universal one, and computes with it what it computes with the same by ASE.

The package is a false CHGNet, in a Python of its own, which computes with EMT: all numbers have to be those of EMT.
"""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.constraints import FixAtoms
from ase.io import write
from false_chgnet import environment, write_package
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import UnnpError

SLABS = [{"kind": "made", "element": "Cu", "planes": [[1, 0, 0]], "thickness": 5, "vacuum": 8}]
WORDS: dict[str, Callable[[str], list[str]]] = {
    "elastic": lambda name: [f"{name}.yaml", "--element", "Cu"],
    "crystals": lambda name: [f"{name}.yaml", "--element", "Cu", "-x", "fcc", "-x", "sc", "--no-curves"],
    "surfaces": lambda name: [f"surfaces-{name}.yaml"],
    "relax": lambda name: [f"{name}.yaml", "relax.traj", "--cell", "all"],
    "neb": lambda name: [f"{name}.yaml", "start.traj", "end.traj", "--images", "1"],
}
RESULTS = {"elastic": "elastic.json", "crystals": "crystals.json", "surfaces": "surfaces.json", "relax": "relax.json"}
RESULTS["neb"] = "neb.json"


def adatom(shift: float) -> Atoms:
    atoms = fcc100("Al", size=(1, 2, 3))  # 7 atoms; the false CHGNet dies of 3 and sleeps over 5
    add_adsorbate(atoms, "Au", 1.7, "hollow")
    atoms.center(axis=2, vacuum=6.0)
    atoms.pbc = True
    atoms.positions[-1, 1] += shift * atoms.cell[1, 1] / 2
    atoms.set_constraint(FixAtoms(indices=range(4)))
    return atoms


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with structures, the calculator files of the false CHGNet and of EMT, and settings of surfaces."""
    folder = tmp_path_factory.mktemp("potentials")
    python = environment(folder / "own", write_package(folder / "false"), sysconfig.get_path("platlib"))
    files: dict[str, Any] = {
        "teacher": {"kind": "universal", "name": "chgnet", "python": str(python), "device": "cpu"},
        "emt": {"kind": "ase", "name": "emt"},
    }
    for name in tuple(files):
        potentials = {"tested": {"file": f"{name}.yaml"}}
        files[f"surfaces-{name}"] = {"potentials": potentials, "slabs": SLABS, "reference": None}
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    strained = bulk("Cu", cubic=True)
    strained.set_cell(strained.cell * 1.03, scale_atoms=True)
    strained.rattle(0.1, seed=1)
    for name, atoms in {"relax": strained, "start": adatom(0.0), "end": adatom(1.0)}.items():
        write(folder / f"{name}.traj", atoms)
    return folder


@pytest.mark.parametrize("verb", WORDS)
def test_a_verb_computes_with_a_universal_potential(verb: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = [numbers(json.loads(run(verb, name).read_text())) for name in ("teacher", "emt")]
    assert len(found[0]) > 5
    assert found[0] == pytest.approx(found[1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("verb", WORDS)
def test_a_verb_says_which_element_the_universal_potential_cannot_compute(
    verb: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMT knows no tungsten."""
    monkeypatch.chdir(tmp_path)
    for name in ("relax", "start", "end"):
        atoms = bulk("W", cubic=True)
        atoms.positions[0, 0] += 0.5 * (name == "end")
        write(f"{name}.traj", atoms)
    for path in folder.glob("*teacher.yaml"):
        Path(path.name).write_text(path.read_text().replace("element: Cu", "element: W"))
    words = ["W" if word == "Cu" else word for word in WORDS[verb]("teacher")]
    result = CliRunner().invoke(build_app(), [verb, *words, "-o", "refused"])
    assert isinstance(result.exception, UnnpError)
    assert "chgnet failed (NotImplementedError: No EMT-potential for W)" in str(result.exception)


def run(verb: str, name: str) -> Path:
    folder = Path(f"{verb}-{name}")
    result = CliRunner().invoke(build_app(), [verb, *WORDS[verb](name), "-o", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    return folder / RESULTS[verb]


def numbers(content: Any) -> list[float]:
    """Return all numbers of a report, in their order."""
    if isinstance(content, dict):
        return [number for value in content.values() for number in numbers(value)]
    if isinstance(content, list):
        return [number for value in content for number in numbers(value)]
    return [float(content)] if isinstance(content, int | float) else []
