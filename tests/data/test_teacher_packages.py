"""The files of teachers whose packages are large: how they open these, and what is said of their labels.

The packages are false: they have the names and the interface that is asked of them, and compute with EMT.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from unnp.atoms.structure import Structure
from unnp.data.labellers import Labeller, build_labeller
from unnp.errors import ConfigError, DataError

FILES = {
    "mace/__init__.py": "",
    "mace/calculators.py": """
from types import SimpleNamespace
from ase.calculators.emt import EMT

class MACECalculator(EMT):
    available_heads = ["pbe", "scan"]

    def __init__(self, model_paths, device, default_dtype, head="pbe"):
        (path,) = model_paths
        assert (open(path).read(), device, default_dtype) == ("weights", "cpu", "float64")
        super().__init__()
        self.z_table = SimpleNamespace(zs=[79, 29])
""",
    "matgl/__init__.py": """
class Potential:
    def to(self, device):
        assert device == "cpu"
        return self

def load_model(path):
    assert (path / "model.json").is_file()
    return Potential()
""",
    "matgl/ext/__init__.py": "",
    "matgl/ext/ase.py": """
from ase.calculators.emt import EMT
from matgl import Potential

class PESCalculator(EMT):
    element_types = ("Au", "Cu")

    def __init__(self, potential, stress_unit, use_voigt):
        assert isinstance(potential, Potential) and stress_unit == "eV/A3" and use_voigt
        super().__init__()
""",
    "mattersim/__init__.py": "",
    "mattersim/forcefield/__init__.py": "",
    "mattersim/forcefield/potential.py": """
from ase.calculators.emt import EMT

class Potential:
    @classmethod
    def from_checkpoint(cls, path, device, load_training_state):
        assert (open(path).read(), device, load_training_state) == ("weights", "cpu", False)
        return cls()

class MatterSimCalculator(EMT):
    def __init__(self, potential, device):
        assert isinstance(potential, Potential) and device == "cpu"
        super().__init__()
""",
}
PACKAGES = {"mace": "mace-torch", "m3gnet": "matgl", "mattersim": "mattersim"}
IMPORTED = ("mace", "matgl", "mattersim")
RECORD = {"zero": "total energies of VASP", "licence": "ASL", "citation": "somebody, 2024", "theory": "PBE"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with weights, while the false packages are found before true ones."""
    metadata = {
        f"{name.replace('-', '_')}-9.9.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n"
        for name in PACKAGES.values()
    }
    weights = {"file": "weights", **{f"folder/{name}": "" for name in ("model.pt", "state.pt", "model.json")}}
    for name, text in {**FILES, **metadata, **weights}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in [name for name in sys.modules if name.split(".")[0] in IMPORTED]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] in IMPORTED]:
        del sys.modules[name]


def opened(folder: Path, name: str, **changes: Any) -> Labeller:
    weights = "folder" if name == "m3gnet" else "file"
    settings = {"kind": "universal", "name": name, "model": weights, "device": "cpu", **changes}
    return build_labeller(settings, folder)


@pytest.mark.parametrize("name", PACKAGES)
def test_labels_are_those_of_the_calculator(name: str, folder: Path) -> None:
    teacher, atoms = opened(folder, name), bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    labelled = teacher.label(Structure.from_atoms(atoms))
    atoms.calc = EMT()
    assert labelled.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(labelled.forces, atoms.get_forces(), atol=1e-12)
    np.testing.assert_allclose(labelled.stress, atoms.get_stress(voigt=False), atol=1e-14)
    assert teacher.origin["package"] == f"{PACKAGES[name]} 9.9"
    if name == "mattersim":
        assert len(teacher.elements) == 94
    else:
        assert teacher.elements == ["Cu", "Au"]
        with pytest.raises(DataError, match=f"contains Ag, which the teacher '{name}' does not know"):
            teacher.label(Structure.from_atoms(bulk("Ag")))


def test_heads_are_those_of_the_weights(folder: Path) -> None:
    assert opened(folder, "mace", head="scan").origin["name"] == "mace file scan"
    with pytest.raises(ConfigError, match="head 'hse': these weights have pbe, scan"):
        opened(folder, "mace", head="hse")
    for name, words in {"m3gnet": "a model of matgl has one", "mattersim": "MatterSim has one"}.items():
        with pytest.raises(ConfigError, match=words):
            opened(folder, name, head="pbe")


def test_a_folder_of_m3gnet_is_whole(folder: Path) -> None:
    (folder / "folder/state.pt").unlink()
    with pytest.raises(ConfigError, match=r"give the folder with model\.pt, .*; state\.pt is missing"):
        opened(folder, "m3gnet")


@pytest.mark.parametrize("name", PACKAGES)
def test_what_the_user_knows_of_a_file_is_said_of_its_labels(name: str, folder: Path) -> None:
    plain, said = opened(folder, name).origin, opened(folder, name, **RECORD).origin
    assert "unnp does not know it" in plain["zero of energy"]
    assert said["zero of energy"] == "total energies of VASP"
    assert said["level of theory"] == "PBE"
    assert said["licence"] == f"{plain['licence']}; weights: ASL"
    assert said["citation"] == f"{plain['citation']}; weights: somebody, 2024"
    checksum = hashlib.sha256(b"weights").hexdigest()
    assert plain.get("sha256 of the weights") == (None if name == "m3gnet" else checksum)


@pytest.mark.parametrize("key", ["zero", "licence", "citation"])
def test_of_weights_inside_a_package_it_is_known(key: str, tmp_path: Path) -> None:
    settings = {"kind": "universal", "name": "chgnet", key: "something"}
    with pytest.raises(ConfigError, match=f"{key}: of the weights '0.3.0' inside the package of chgnet it is known"):
        build_labeller(settings, tmp_path)
