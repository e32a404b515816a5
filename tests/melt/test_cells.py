"""Cells for two phases: repeats, neighbour shells, Bragg peaks, and what is refused."""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import bulk, make_supercell
from unnp.config import from_dict
from unnp.errors import ConfigError
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import Crystal, build_crystal

ZERO = {"pair_style": "zero 5.0", "pair_coeff": ["* *"]}


def crystal(structure: dict, base: Path = Path(), **cell) -> Crystal:
    settings = {"structure": structure, "potential": ZERO, "temperatures": 900, "cell": cell}
    return build_crystal(from_dict(settings, MeltConfig), base)


@pytest.mark.parametrize(
    ("structure", "coordination", "cubic", "spacing"),
    [
        ({"element": "Al", "lattice": "fcc", "a": 4.05}, 12, True, 4.05 / 2),
        ({"element": "Fe", "lattice": "bcc", "a": 2.87}, 14, True, 2.87 / 2**0.5),
        ({"element": "Mg", "lattice": "hcp", "a": 3.2, "c": 5.2}, 12, False, 3.2 / 2),
        ({"element": "Si", "lattice": "diamond", "a": 5.43}, 16, True, 5.43 / 8**0.5),
        ({"element": "NaCl", "lattice": "rocksalt", "a": 5.64}, 18, True, 5.64 / 2),
    ],
)
def test_crystals_are_recognised(structure, coordination, cubic, spacing):
    found = crystal(structure)
    lengths = found.atoms.cell.lengths()
    assert len(found.atoms) >= 2800
    assert 2 < lengths[2] / lengths[:2].mean() < 4
    assert (found.coordination, found.cubic) == (coordination, cubic)
    assert found.bragg is not None
    k = 2 * np.pi * np.array([*found.bragg, 0]) / lengths
    assert 2 * np.pi / np.linalg.norm(k) == pytest.approx(spacing, rel=1e-6)
    assert abs(np.exp(1j * found.atoms.positions @ k).sum()) == pytest.approx(len(found.atoms))


def test_a_crystal_from_a_file_with_thermal_motion(tmp_path):
    atoms = bulk("Al", a=4.1, cubic=True) * (4, 4, 10)
    atoms.rattle(0.12, seed=3)
    ase.io.write(tmp_path / "al.xyz", atoms, format="extxyz")
    found = crystal({"file": "al.xyz"}, tmp_path, atoms=600, repeat=[1, 1, 1])
    assert (len(found.atoms), found.coordination) == (640, 12)
    assert sorted(map(abs, found.bragg or ())) == [0, 8]


def test_a_cell_is_refused_with_a_reason(tmp_path):
    al = {"element": "Al", "lattice": "fcc", "a": 4.05}
    primitive = bulk("Al", a=4.05)
    sheared = make_supercell(primitive, [[8, 0, 0], [0, 8, 0], [0, 0, 30]])
    ase.io.write(tmp_path / "sheared.xyz", sheared, format="extxyz")
    slab = bulk("Al", a=4.05, cubic=True) * (6, 6, 20)
    slab.pbc = (True, True, False)
    ase.io.write(tmp_path / "slab.xyz", slab, format="extxyz")
    cut = bulk("Al", a=4.05, cubic=True) * (6, 6, 20)
    cut.cell[2, 2] -= 1.3
    ase.io.write(tmp_path / "cut.xyz", cut, format="extxyz")
    gap = bulk("Al", a=4.05, cubic=True) * (6, 6, 20)
    gap.cell[2, 2] += 8
    ase.io.write(tmp_path / "gap.xyz", gap, format="extxyz")
    for structure, cell, message in [
        (al, {"repeat": [4, 4, 10]}, "640 atoms are too small a cell"),
        (al, {"repeat": [20, 20, 2]}, "too small for two phases"),
        (al, {"repeat": [1, 20, 40]}, "too small for two phases"),
        ({"file": "sheared.xyz"}, {"atoms": 1000}, "must be rectangular"),
        ({"file": "slab.xyz"}, {}, "periodic in all three directions"),
        ({"file": "cut.xyz"}, {"repeat": [1, 1, 1]}, "whole number of crystal cells"),
        ({"file": "gap.xyz"}, {"repeat": [1, 1, 1]}, "whole number of crystal cells"),
    ]:
        with pytest.raises(ConfigError, match=message):
            crystal(structure, tmp_path, **cell)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperatures": [1000, 900]}, "the first must be below the second"),
        ({"temperatures": -5}, "greater than 0"),
        ({"routes": []}, "at least 1 item"),
        ({"routes": ["pinning", "pinning"]}, "names a route twice"),
        ({"routes": ["melting"]}, "'coexistence', 'pinning' or 'momt'"),
        ({"coexistence": {"length": 5}}, "unknown key"),
    ],
)
def test_a_configuration_is_refused_with_a_reason(settings, message):
    base = {"structure": {"element": "Al"}, "potential": ZERO, "temperatures": 900}
    with pytest.raises(ConfigError, match=message):
        from_dict({**base, **settings}, MeltConfig)


def test_steps_are_whole_strides():
    config = from_dict({"structure": {"element": "Al"}, "potential": ZERO, "temperatures": 900}, MeltConfig)
    assert [config.steps(t) for t in (0.001, 0.4, 1.0, 50)] == [200, 200, 400, 25000]
    assert (config.guess, config.bracket) == (900, pytest.approx((540, 1440)))
