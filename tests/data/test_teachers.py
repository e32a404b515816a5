"""Universal potentials as teachers: the pipes, what is said of labels, and what happens when a process dies.

The package that is taught by is a false CHGNet, which computes with EMT; the last test is of the true one.
"""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from false_chgnet import environment, write_package
from typer.testing import CliRunner
from unnp.adapters.opening import known_elements, open_calculator
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.cli.data import app
from unnp.data.labellers import Labeller, build_labeller
from unnp.data.labelling import label_structures
from unnp.data.limits import FrameLimits
from unnp.data.opening import open_structures
from unnp.data.store import Store
from unnp.data.teachers import process, serve
from unnp.data.teachers.catalogue import teachers_here
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError, UnnpError
from unnp.executors.here import Here, HereConfig
from unnp.workflows.learn.labels import labelled_structures


@pytest.fixture(scope="module")
def false_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("false"))


@pytest.fixture(scope="module")
def python(false_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("own"), false_package, sysconfig.get_path("platlib"))


@pytest.fixture
def settings(python: Path) -> dict[str, Any]:
    return {"kind": "universal", "name": "chgnet", "python": str(python), "device": "cpu"}


@pytest.fixture
def teacher(settings: dict[str, Any]) -> Iterator[Labeller]:
    labeller = build_labeller({**settings, "labels": ["magnetic_moments"]}, Path())
    yield labeller
    labeller.close()


def copper(n: int = 4) -> Structure:
    atoms = bulk("Cu", cubic=True) if n == 4 else bulk("Cu") * (n, 1, 1)
    atoms.rattle(0.1, seed=1)
    return Structure.from_atoms(atoms)


def check_same_as_emt(labelled: Structure) -> None:
    atoms = labelled.to_atoms()
    atoms.calc = EMT()
    assert labelled.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    assert labelled.forces is not None
    assert np.abs(labelled.forces).max() > 0.1
    np.testing.assert_allclose(labelled.forces, atoms.get_forces(), atol=1e-12)
    if labelled.stress is not None:
        np.testing.assert_allclose(labelled.stress, atoms.get_stress(voigt=False), atol=1e-14)


def test_labels_from_another_python_are_those_of_the_calculator(teacher: Labeller) -> None:
    labelled = teacher.label(copper())
    check_same_as_emt(labelled)
    assert labelled.stress is not None
    np.testing.assert_array_equal(labelled.label("magnetic_moments"), np.full(4, 0.1 * 29))


@pytest.fixture
def false_chgnet_here(false_package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forget() -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == "chgnet"]:
            del sys.modules[name]

    forget()
    monkeypatch.syspath_prepend(str(false_package))
    yield
    forget()


@pytest.mark.usefixtures("false_chgnet_here")
def test_labels_in_this_process_are_the_same(
    teacher: Labeller, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    here = build_labeller({**settings, "python": None}, Path())
    assert here.origin == teacher.origin
    check_same_as_emt(here.label(copper()))
    assert "is loaded" not in capsys.readouterr().out


@pytest.mark.parametrize("pbc", [(False, False, False), (True, True, False), (False, True, False)])
def test_what_is_not_periodic_does_not_meet_its_images(teacher: Labeller, pbc: tuple[bool, bool, bool]) -> None:
    atoms = bulk("Cu", cubic=True) * (2, 2, 1)
    atoms.rattle(0.1, seed=2)
    atoms.pbc = pbc
    labelled = teacher.label(Structure.from_atoms(atoms))
    assert labelled.stress is None
    check_same_as_emt(labelled)


def test_elements_and_refusals_are_in_plain_words(teacher: Labeller) -> None:
    assert len(teacher.elements) == 89
    assert "Po" not in teacher.elements
    with pytest.raises(DataError, match=r"contains Po, which the teacher 'chgnet' does not know"):
        teacher.label(Structure.from_atoms(bulk("Po", "sc", a=3.3)))
    with pytest.raises(UnnpError, match=r"chgnet failed \(NotImplementedError: No EMT-potential for W\)"):
        teacher.label(Structure.from_atoms(bulk("W")))
    check_same_as_emt(teacher.label(copper()))


def test_a_structure_that_kills_the_process_costs_itself_alone(teacher: Labeller) -> None:
    with pytest.raises(UnnpError, match=r"chgnet failed: its process ended \(signal SIGKILL"):
        teacher.label(copper(3))
    check_same_as_emt(teacher.label(copper()))


def test_a_missing_package_is_said_with_what_to_do(settings: dict[str, Any], tmp_path: Path) -> None:
    empty = environment(tmp_path / "empty")
    with pytest.raises(
        ConfigError, match=r"empty/bin/python cannot import .*'chgnet'\); run `pip install chgnet` for it"
    ):
        build_labeller({**settings, "python": str(empty)}, tmp_path)


def test_weights_that_the_package_does_not_take(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mine.tar").write_text("?")
    with pytest.raises(ConfigError, match=r"cannot open .*mine\.tar \(RuntimeError: this is no checkpoint\)"):
        build_labeller({**settings, "model": "mine.tar"}, tmp_path)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_programs_that_are_no_teacher(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = script(tmp_path / "python-talks", "echo hello")
    dies = script(tmp_path / "python-dies", "echo 'no memory left' >&2; exit 3")
    waits = script(tmp_path / "python-waits", "exec sleep 60")
    silent = script(tmp_path / "python-silent", "echo '{}'")
    other = script(tmp_path / "sh", "exit")
    for program, message in {
        talks: r"does not speak the teachers' protocol \(hello\)",
        dies: r"its process ended while it began \(exit code 3: no memory left\)",
        silent: "it says nothing of itself",
        other: "is no Python by its name",
        str(tmp_path / "python3"): "is no program that can be run",
    }.items():
        with pytest.raises(UnnpError, match=message):
            build_labeller({**settings, "python": program}, tmp_path)
    monkeypatch.setattr(process, "SECONDS_TO_BEGIN", 0.3)
    with pytest.raises(ConfigError, match=r"did not begin within 0\.3 s"):
        build_labeller({**settings, "python": waits}, tmp_path)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "teacher": ({"name": "chgnat"}, "unknown teacher 'chgnat'.*Did you mean 'chgnet'"),
    "a path as a name": ({"name": "os.path"}, "unknown teacher 'os.path'"),
    "weights": ({"model": "0.3.1"}, r"unknown weights of chgnet '0\.3\.1'.*There is no file or folder of weights /"),
    "no weights": ({"name": "mace"}, "the package of mace brings no weights; name a file of them as `model`"),
    "no such file": ({"name": "mace", "model": "a.model"}, r"^There is no file or folder of weights .*/a\.model"),
    "head": ({"head": "r2scan"}, "head 'r2scan': CHGNet has one level of theory"),
    "device": ({"device": "gpu"}, "unknown device 'gpu'"),
    "label": ({"labels": ["charges"]}, "the teacher 'chgnet' does not give charges"),
    "unknown label": ({"labels": ["charge"]}, "unknown further label 'charge'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings(settings: dict[str, Any], tmp_path: Path, name: str) -> None:
    change, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        build_labeller({**settings, **change}, tmp_path)


def test_the_process_ends_with_its_parent_also_in_the_middle_of_work(settings: dict[str, Any]) -> None:
    code = f"""if True:
        import threading
        from pathlib import Path
        from ase.build import bulk
        from unnp.atoms.structure import Structure
        from unnp.data.labellers import build_labeller
        teacher = build_labeller({settings!r}, Path())
        threading.Timer(1.0, lambda: print(teacher._teacher._process.pid, flush=True)).start()
        teacher.label(Structure.from_atoms(bulk("Cu") * (5, 1, 1)))  # it takes ten minutes
    """
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    end = time.monotonic() + 20
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_labels_say_where_they_are_from_and_keep_saying_it(
    settings: dict[str, Any], tmp_path: Path, assert_same: Callable[..., None]
) -> None:
    result = label_structures([copper(4), copper(2)], settings, folder=tmp_path, work=tmp_path / "work", workers=1)
    assert result.origin["name"] == "chgnet 0.3.0"
    assert result.origin["package"] == "chgnet 9.9"
    assert "MP2020" in result.origin["zero of energy"]
    assert {"level of theory", "licence", "citation", "elements"} <= result.origin.keys()
    again = label_structures([copper(4), copper(2)], settings, folder=tmp_path, work=tmp_path / "work", workers=1)
    assert again.origin == result.origin  # of a run that was finished before it was killed
    write_structures(result.structures, tmp_path / "set", origins=[result.origin])
    write_structures(result.structures, tmp_path / "set.xyz", origins=[result.origin])
    assert Store(tmp_path / "set", verify=True).origins == [result.origin]
    assert (tmp_path / "set.xyz").read_text().count('labels_from="chgnet 0.3.0"') == 2
    for stored, read in zip(Store(tmp_path / "set"), open_structures(tmp_path / "set.xyz"), strict=True):
        assert_same(stored, read)


def test_a_loop_keeps_what_they_say(settings: dict[str, Any], tmp_path: Path) -> None:
    found = labelled_structures(
        [copper(4)],
        settings,
        FrameLimits(),
        base=tmp_path,
        work=tmp_path / "work",
        executor=Here(HereConfig()),
        attempts=1,
    )
    assert found.origin["name"] == "chgnet 0.3.0"


def test_conversion_and_division_carry_it_on_and_info_shows_it(settings: dict[str, Any], tmp_path: Path) -> None:
    origin = {"name": "chgnet 0.3.0", "citation": "somebody [et al.]"}
    labelled = [s.with_labels({"energy": -1.0, "forces": np.zeros((len(s), 3))}) for s in [copper(4), copper(2)]]
    write_structures(labelled, tmp_path / "a", origins=[origin])
    write_structures(labelled, tmp_path / "b")
    run = CliRunner().invoke
    assert run(app, ["convert", *(str(tmp_path / x) for x in "ab"), "-o", str(tmp_path / "c")]).exit_code == 0
    assert Store(tmp_path / "c").origins == [origin]
    divided = run(app, ["split", str(tmp_path / "c"), "-o", str(tmp_path / "d"), "--parts", "x=0.5,y=rest"])
    assert divided.exit_code == 0
    assert Store(tmp_path / "d/y").origins == [origin]
    shown = run(app, ["info", str(tmp_path / "c")]).stdout
    assert "Labels from" in shown
    assert "somebody [et al.]" in shown


def test_a_teacher_is_a_potential_like_any_other(settings: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "chgnet.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    calculator = open_calculator(file)
    assert len(known_elements(calculator)) == 89
    atoms = copper().to_atoms()
    atoms.calc = calculator
    direct = atoms.copy()
    direct.calc = EMT()
    np.testing.assert_allclose(atoms.get_stress(), direct.get_stress(), atol=1e-14)
    asked = CliRunner().invoke(build_app(), ["crystals", str(file), "-o", str(tmp_path / "crystals")])
    assert isinstance(asked.exception, ConfigError)
    assert "knows 89 elements; say of which the crystals are" in str(asked.exception)


def test_what_another_python_runs_needs_nothing_of_unnp() -> None:
    files = [Path(serve.__file__), *(Path(serve.__file__).parent / "packages").glob("*.py")]
    assert {file.stem for file in files} == {*teachers_here(), "serve", "__init__"}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "unnp" for name in names), file


@pytest.mark.parametrize(("name", "package", "water"), [("chgnet", "chgnet", -14.9), ("sevennet", "sevenn", -14.2)])
def test_the_true_packages_where_they_are_installed(name: str, package: str, water: float) -> None:
    """Water has -14.2 eV in VASP; CHGNet's zero has the correction of an oxide for its oxygen, -0.687 eV."""
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    teacher = build_labeller({"kind": "universal", "name": name, "device": "cpu"}, Path())
    energies = [teacher.label(Structure.from_atoms(bulk("Cu", a=a))).energy for a in (3.4, 3.6, 3.9)]
    assert energies[1] == pytest.approx(-4.09, abs=0.1)  # VASP, PBE, pseudopotential Cu_pv of the Materials Project
    assert energies[1] == min(energies)
    alone: Atoms = molecule("H2O")
    assert teacher.label(Structure.from_atoms(alone)).energy == pytest.approx(water, abs=0.3)
