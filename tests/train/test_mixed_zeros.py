"""Energies of several zeros in one head: found by files, by groups and without either; kinds of structures are no zeros."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.reference_energies import reference_energies
from unnp.errors import ConfigError
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.mixed import mixed_zeros
from unnp.train.replay import open_all
from unnp.train.run import train
from unnp.train.zeros import MOST, sampled

Settings = Callable[..., dict[str, Any]]
PLATINUM = 3.92


def rattled(atoms: Atoms, by: float, rng: np.random.Generator) -> Atoms:
    atoms = atoms.copy()
    atoms.positions += by * rng.standard_normal(atoms.positions.shape)
    return atoms


def pushed(rng: np.random.Generator) -> Atoms:
    """Return a crystal in which one atom is pushed onto a neighbour."""
    atoms = rattled(bulk("Pt", cubic=True) * 2, 0.05, rng)
    nearest = atoms.get_distances(0, range(1, len(atoms)), mic=True).argmin() + 1
    atoms.set_distance(0, nearest, rng.uniform(1.5, 2.2), fix=0, mic=True)
    return atoms


KINDS: dict[str, Callable[[np.random.Generator], Atoms]] = {
    "crystals": lambda rng: rattled(bulk("Pt", cubic=True, a=PLATINUM * rng.uniform(0.95, 1.08)) * 2, 0.08, rng),
    "slabs": lambda rng: rattled(fcc111("Pt", (2, 2, rng.integers(1, 5)), vacuum=6.0, periodic=True), 0.05, rng),
    "liquids": lambda rng: rattled(bulk("Pt", cubic=True, a=PLATINUM * 1.03) * 2, 0.45, rng),
    "dimers": lambda rng: Atoms("Pt2", [[0, 0, 0], [0, 0, rng.uniform(2, 6)]]),
    "atoms": lambda _: Atoms("Pt"),
    "pushed": pushed,
    "alloys": lambda rng: mixed_crystal(rng),
}


def mixed_crystal(rng: np.random.Generator) -> Atoms:
    atoms = rattled(bulk("Pt", cubic=True) * 2, 0.08, rng)
    atoms.symbols[rng.permutation(32)[: rng.integers(1, 32)]] = "Cu"
    return atoms


def structures(kinds: tuple[str, ...] = tuple(KINDS), n: int = 12, seed: int = 0) -> list[Structure]:
    """Return structures with the energies and forces of EMT, each kind a group and a file."""
    rng, found = np.random.default_rng(seed), []
    for kind in kinds:
        for k in range(n):
            atoms = KINDS[kind](rng)
            atoms.calc = EMT()
            labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
            found.append(replace(Structure.from_atoms(atoms), **labels, group=kind, source=f"{kind}.xyz frame {k}"))
    return found


def shifted(given: list[Structure], zero: float, which: Callable[[int], bool]) -> list[Structure]:
    return [replace(s, energy=s.energy + zero * len(s)) if which(k) else s for k, s in enumerate(given)]


def said(given: list[Structure]) -> str:
    elements = Elements(["Cu", "Pt"])
    return mixed_zeros(given, reference_energies(given, elements, "least-squares"))


@pytest.mark.parametrize("seed", range(4))
def test_kinds_of_structures_are_no_zeros_of_energy(seed: int) -> None:
    """Each its own group and file; several potential energies; and all of them without names."""
    given = structures(seed=seed)
    assert said(given) == ""
    assert said([replace(s, group="", source="") for s in given]) == ""
    assert (
        said([replace(s, energy=4 * s.energy, forces=4 * s.forces) for s in given]) == ""
    )  # as if bonds were of tungsten


@pytest.mark.parametrize("zero", [3.0, -1.0, 300.0])
def test_half_of_the_structures_from_another_zero(zero: float) -> None:
    """A file, a group, or structures that no name tells apart; other kinds beside them do not hide it."""
    for kinds in (("crystals",), tuple(KINDS)):
        half = shifted(structures(kinds, 16), zero, lambda k: k % 2 == 0)
        assert "structures of the same files and groups (" in said(half)
        in_files = [replace(s, source=f"{'ab'[k % 2]}.xyz frame {k}", group="") for k, s in enumerate(half)]
        told = re.search(r"file a.xyz \(\d+ of the structures looked at\): (\S+) eV/atom", said(in_files))
        assert told
        assert float(told[1]) == pytest.approx(zero, abs=0.2)
        in_groups = [replace(s, group="ab"[k % 2]) for k, s in enumerate(half)]
        assert f"group a ({len(half) // 2} of the" in said(in_groups)


def test_a_few_structures_are_no_reason_for_doubt() -> None:
    assert said(shifted(structures(("crystals",), 6), 3.0, lambda k: k < 3)) == ""


def test_the_sample_is_drawn_from_all_and_of_each_group() -> None:
    one, other = (replace(s, forces=None) for s in structures(("atoms", "dimers"), 1))
    given = [replace(one, source=str(k)) for k in range(3 * MOST)] + [replace(other, source=f"d{k}") for k in range(20)]
    drawn = [s.source for s in sampled(given)]
    assert MOST <= len(drawn) <= MOST + 10
    numbers = [int(name) for name in drawn if name.isdecimal()]
    assert sum(numbers) / len(numbers) == pytest.approx(1.5 * MOST, rel=0.1)
    assert sum(name.startswith("d") for name in drawn) == 8


@pytest.fixture(scope="module")
def first(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on Al-Cu."""
    path = tmp_path_factory.mktemp("first") / "run"
    train(from_dict(settings(epochs=20, validation_interval=20), TrainConfig), path)
    return path


def copper(n: int, seed: int, a: float = 3.6) -> list[Atoms]:
    rng, found = np.random.default_rng(seed), []
    for _ in range(n):
        atoms = rattled(bulk("Cu", cubic=True, a=a), 0.1, rng)
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels)
        found.append(atoms)
    return found


def moved(frames: list[Atoms], zero: float) -> list[Atoms]:
    for atoms in frames:
        atoms.calc.results["energy"] += zero * len(atoms)
    return frames


@pytest.fixture
def begin(first: Path, settings: Settings, tmp_path: Path) -> Callable[..., None]:
    """A function that begins a training on files of frames, with or without the run as its start."""

    def begun(files: dict[str, list[Atoms]], start: bool = True, **changes: Any) -> None:
        for name, frames in files.items():
            write(tmp_path / f"{name}.extxyz", frames)
        data = {"train": [str(tmp_path / f"{name}.extxyz") for name in files], "validation": 0.1}
        further = {"start": str(first), "optimizer": {"learning_rate": 1e-3}} if start else {}
        config = from_dict(
            settings(data=data, **further, loss={"energy": {"weight": 1}, "forces": {"weight": 1}}, **changes),
            TrainConfig,
        )
        build(config, open_all(config))

    return begun


def test_half_of_a_file_from_another_zero_is_refused_with_a_start_and_told_without(
    begin: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    files = {"cu": [frame for k, atoms in enumerate(copper(20, 1)) for frame in moved([atoms], 3.0 * (k % 2))]}
    with pytest.raises(ConfigError, match=r"heads.default: .*same files and groups \(.*: \+3\.\d\d eV/atom"):
        begin(files)
    shift = {"fine": {"copy_of": "default", "reference_energies": "shift"}}
    with pytest.raises(ConfigError, match=r"heads.fine: .*same files and groups"):
        begin(files, heads=shift)
    with caplog.at_level(logging.WARNING):
        begin(files, start=False)
    assert "heads.default: the energies of some of its structures lie a constant beside" in caplog.text


def test_a_file_from_another_zero_is_named(begin: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(
        ConfigError, match=r"heads.default: .*file \S*far.extxyz \(9 of the structures looked at\): \+7"
    ):
        begin({"near": copper(10, 1), "far": moved(copper(10, 2), 7.0)})
    with caplog.at_level(logging.WARNING):
        begin({"near": copper(10, 1), "corrected": moved(copper(10, 2), 0.4)})
    assert "corrected.extxyz (9 of the structures looked at): +0.4" in caplog.text


def test_a_file_from_another_zero_without_others_like_it_is_told(
    begin: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        begin({"near": copper(10, 1), "far": moved(copper(10, 2, a=4.3), 7.0)})
    assert re.search(r"heads.default: the energies of file \S*far.extxyz differ .* by nearly a constant", caplog.text)
    assert "near.extxyz" not in caplog.text


def test_kinds_that_the_start_has_not_seen_are_no_zeros(
    first: Path, begin: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    slabs = [fcc111("Cu", (1, 1, n), vacuum=6.0, periodic=True) for n in (2, 3, 4, 5, 6, 7)]
    pairs = [Atoms("Cu2", [[0, 0, 0], [0, 0, d]], cell=[15] * 3, pbc=True) for d in (2.1, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9)]
    liquids = [rattled(bulk("Cu", cubic=True, a=3.75) * 2, 0.4, np.random.default_rng(k)) for k in range(6)]
    for frames in (slabs, pairs, liquids):
        for atoms in frames:
            atoms.calc = EMT()
            labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
            atoms.calc = SinglePointCalculator(atoms, **labels)
    with caplog.at_level(logging.WARNING):
        begin({"solid": copper(10, 1), "slabs": slabs, "dimers": pairs, "liquids": liquids})
    assert "constant" not in caplog.text
