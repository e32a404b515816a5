"""Structures of one metal made into another's: lengths, elements, labels, and a labelling that goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.data.labellers import build_labeller
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED
from unnp.data.translation import factor_of_volumes, parse_elements, translate
from unnp.data.writing import write_structures
from unnp.errors import ConfigError, DataError, UnnpError

Make = Callable[..., list[Structure]]
EMT = {"kind": "ase", "name": "emt"}


def test_lengths_are_scaled_elements_renamed_and_no_label_stays(make_structures: Make) -> None:
    structures = make_structures(3, symbols=("Al", "Cu", "Al", "Cu"))
    structures[0].forces_weight = np.ones(len(structures[0]))
    structures[1].further["charges"] = np.zeros(len(structures[1]))
    translated = translate(structures, {"Al": "Ni", "Cu": "Cu"}, 1.25)
    assert any(structure.energy is not None for structure in structures)
    for old, new in zip(structures, translated, strict=True):
        assert np.allclose(new.positions, 1.25 * old.positions)
        assert np.allclose(new.cell, 1.25 * old.cell)
        assert new.numbers.tolist() == [{13: 28, 29: 29}[z] for z in old.numbers.tolist()]
        assert (new.group, new.source, new.pbc.tolist()) == (old.group, old.source, old.pbc.tolist())
        assert all(new.label(name) is None for name in QUANTITIES)
        assert new.forces_weight is None


def test_factors_of_the_paper() -> None:
    """E. Jung, G. Lee, J. Choi, arXiv:2311.05407: Ni to Al 4.05 / 3.52 = 1.15, Ni to Nb by volumes per atom 1.183."""
    assert factor_of_volumes(3.52**3 / 4, 4.05**3 / 4) == pytest.approx(4.05 / 3.52)
    bond = {"Ni": 2.49, "Nb": 2.860}  # fcc and bcc, relaxed
    volumes = bond["Ni"] ** 3 / 2**0.5, (2 * bond["Nb"] / 3**0.5) ** 3 / 2
    assert factor_of_volumes(*volumes) == pytest.approx(1.183, abs=0.003)


@pytest.mark.parametrize(
    ("elements", "factor", "message"),
    [
        ({"Cu": "Al"}, 1.1, "has Al, of which is not said what it becomes"),
        ({"Al": "Ni", "Nb": "Ti"}, 1.1, "no structure has Nb; there are Al"),
        ({"Al": "Nj"}, 1.1, "not a chemical symbol"),
        ({"Al": "Ni"}, 0.0, "not between 0.25 and 4"),
        ({"Al": "Ni"}, float("nan"), "not between 0.25 and 4"),
    ],
)
def test_what_cannot_be_translated_says_why(
    elements: dict[str, str], factor: float, message: str, make_structures: Make
) -> None:
    with pytest.raises(UnnpError, match=message):
        translate(make_structures(2, symbols=("Al",) * 4), elements, factor)


@pytest.mark.parametrize("text", ["", "Ni", "Ni=", "Ni=Al=Cu", "Ni=Al,,", "Ni=Al,Ni=Cu"])
def test_pairs_of_elements_are_checked(text: str) -> None:
    with pytest.raises(ConfigError, match="write OLD=NEW"):
        parse_elements(text)
    assert parse_elements("Ni=Al, Nb=Ti") == {"Ni": "Al", "Nb": "Ti"}


@pytest.fixture
def files(make_structures: Make, tmp_path: Path) -> Path:
    write_structures(make_structures(4, symbols=("Al",) * 4), tmp_path / "al.extxyz")
    (tmp_path / "emt.yaml").write_text("{kind: ase, name: emt}")
    return tmp_path


def run(folder: Path, *words: object) -> str:
    command = ["data", "translate", folder / "al.extxyz", "-o", folder / "out", "--workers", 1, *words]
    result = CliRunner().invoke(build_app(), [str(word) for word in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_labels_are_those_of_the_new_structures(files: Path) -> None:
    output = run(files, "--elements", "Al=Cu", "--lattice-constants", 4.05, 3.61, "-c", files / "emt.yaml")
    assert "labels dropped: energy (4), forces (4)" in output
    old, labeller = open_structures([files / "al.extxyz"], UNLABELLED), build_labeller(EMT, files)
    for before, after in zip(old, open_structures([files / "out"]), strict=True):
        atoms = before.to_atoms()
        atoms.set_cell(atoms.cell * (3.61 / 4.05), scale_atoms=True)
        atoms.symbols = ["Cu"] * len(atoms)
        expected = labeller.label(Structure.from_atoms(atoms))
        assert after.energy == pytest.approx(expected.energy, abs=1e-9)
        assert np.allclose(after.forces, expected.forces, atol=1e-9)
    assert not (files / "out.unfinished").exists()


def test_without_a_calculator_there_are_no_labels(files: Path) -> None:
    run(files, "--elements", "Al=Cu", "--scale", 0.9)
    assert all(structure.energy is None for structure in open_structures([files / "out"], UNLABELLED))


def test_volumes_are_those_of_relaxed_crystals_of_a_potential(files: Path) -> None:
    """The lattice constants of EMT: Al 3.994 A, Cu 3.590 A."""
    for old in (files / "emt.yaml", 3.994**3 / 4):
        output = run(files, "--elements", "Al=Cu", "--volumes", old, files / "emt.yaml", "--overwrite")
        found = re.search(r"lengths times (\S+);", output)
        assert found
        assert float(found[1]) == pytest.approx(3.590 / 3.994, abs=5e-4)


def test_run_again_the_labelling_goes_on(make_structures: Make, files: Path) -> None:
    structures = make_structures(4, symbols=("Al", "Al", "W", "Al"), labelled=False)
    write_structures(structures, files / "al.extxyz", overwrite=True)
    words = ("--elements", "Al=Cu,W=W", "--scale", 0.9, "-c", files / "emt.yaml")
    with pytest.raises(DataError, match="cannot be labelled"):
        run(files, *words)
    assert (files / "out.unfinished").is_dir()
    with pytest.raises(DataError, match="unfinished"):
        run(files, *words[:3], 0.95, *words[4:])
    output = run(files, *words, "--skip-failures")
    assert "were finished before" in output
    assert len(open_structures([files / "out"])) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "in one way"),
        (("--scale", 1.1, "--volumes", 1, 2), "in one way"),
        (("--lattice-constants", 0, 3), "no positive number"),
        (("--volumes", 10, "missing.yaml"), "no positive number, nor a potential's file"),
        (("--volumes", 10, 12, "--lattices", "fcc", "bcc"), "--lattices says"),
        (("--volumes", 10, "emt.yaml", "--lattices", "fcc", "fc"), "unknown prototype"),
        (("--volumes", 10, "wrong.yaml"), "kind"),
    ],
)
def test_options_that_say_no_factor_are_explained(
    words: tuple, message: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    (files / "wrong.yaml").write_text("{kind: nothing}")
    with pytest.raises(ConfigError, match=message):
        run(files, "--elements", "Al=Cu", *words)
    assert not (files / "out").exists()
