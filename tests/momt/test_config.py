"""Wrong settings and crystals that the order parameter does not see are refused with advice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from momt_runs import AL, make
from unnp.config import from_dict
from unnp.errors import ConfigError, DataError, LammpsError
from unnp.lammps.system import build_structure
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.order_parameters.structure_factor import SkOrder, structure_factor
from unnp.workflows.momt.run import run_momt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperatures": [1400, 650]}, r"must be \[lowest, highest\], got \[1400, 650\]"),
        ({"temperatures": [650, 650]}, "must be"),
        ({"temperatures": [0, 650]}, "temperatures"),
        ({"temperatures": [float("nan"), 650]}, "temperatures"),
        ({"temperature": 1500}, r"\(1500 K\) must lie within \[650, 1400\] K"),
        ({"n_temperatures": 1}, "n_temperatures"),
        ({"pressure": None, "coupling": "tri"}, "needs a `pressure`"),
        ({"order": {"kind": "none"}, "bias": {"kind": "wt"}}, "use opes or wl"),
        ({"bias": {"kind": "opes", "bridge": [1200, 900]}}, r"must be \[lower, higher\]"),
        ({"bias": {"kind": "opes", "bridge": [660, 670]}}, "holds none of the temperatures, which are 650, 718"),
        ({"bias": {"kind": "opes", "bridge": [900, 1200], "free": 0}}, "give `free` above 0"),
        ({"order": {"kind": "q4"}}, "order"),
        ({"order": {}}, "order: give its `kind`"),
        ({"order": {"kind": "q6", "inner": 4.0, "outer": 3.0}}, r"`inner` \(4\) must be smaller"),
        ({"order": {"kind": "sk", "range": [0.5, 0.1]}}, "smaller, larger"),
        ({"order": {"kind": "sk", "wave_vectors": [[0, 0, 0]]}}, "none of them"),
        ({"order": {"kind": "sk", "wave_vectors": [[1, 0, 0]], "star": "fcc"}}, "give either `wave_vectors`"),
        ({"bias": {"kind": "opes", "barier": 3}}, "Did you mean 'barrier'"),
        ({"bias": {"kind": "wt", "gamma": 1}}, "gamma"),
        ({"stages": {"adapt": {"min": 200, "max": 100}}}, "is larger than `max`"),
        ({"stages": {"melt_temperature": 1000}}, "must not be below 1400 K"),
        ({"gates": {"effective_fraction": 1}}, "effective_fraction"),
        ({"walkers": 0}, "walkers"),
        ({"frames": {"wanted": 0}}, "wanted"),
        ({"presure": 1}, "Did you mean 'pressure'"),
    ],
)
def test_wrong_settings_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict({**AL, **change}, MomtConfig)


def test_wrong_input_is_said_before_lammps_is_started(tmp_path: Path) -> None:
    for settings, error, message in [
        ({"order": {"kind": "sk", "cells": [3, 3, 3]}}, ConfigError, "sees a structure factor of 0.000 in the crystal"),
        ({"order": {"kind": "sk", "star": "bcc"}}, ConfigError, "sees a structure factor of "),
        ({"structure": {"element": "Mg", "repeat": [3, 3, 3]}}, ConfigError, "structure.lattice is 'hcp'"),
        ({"structure": {"element": "Al"}}, ConfigError, "4 atoms are no liquid"),
        ({"structure": {"file": "absent.xyz"}}, DataError, "does not exist"),
        ({"potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.sf Al"]}}, DataError, "Did you mean"),
        ({"launcher": "mpirun_absent -n {ranks}"}, LammpsError, "cannot find the program 'mpirun_absent'"),
        ({"launcher": ""}, LammpsError, "without a launcher"),
    ]:
        with pytest.raises(error, match=message):
            run_momt(make(**settings), tmp_path, tmp_path / "run")
        assert not (tmp_path / "run/progress.json").exists()


@pytest.mark.parametrize(("element", "lattice", "n_vectors"), [("Al", "fcc", 4), ("Fe", "bcc", 6)])
def test_the_star_sees_its_crystal_and_nothing_else(element: str, lattice: str, n_vectors: int) -> None:
    config = make(structure={"element": element, "repeat": [2, 3, 4]})
    atoms = build_structure(config.structure, Path())
    order = config.order.settled(config.structure, atoms)
    assert isinstance(order, SkOrder)
    assert order.words() == f"sk {lattice} 2 3 4"
    amplitude = make(order={"kind": "fk"}).order.settled(config.structure, atoms)
    assert amplitude.words() == f"fk {lattice} 2 3 4"
    triplets = order.triplets()
    assert len(triplets) == n_vectors
    assert not any(np.array_equal(a, -b) for a in triplets for b in triplets)
    assert structure_factor(atoms, triplets) == pytest.approx(1.0)
    moved = atoms.copy()
    moved.positions += [0.3, 0.7, 1.1]
    moved.set_cell(moved.cell[:] @ (np.eye(3) + 0.1 * np.triu(np.ones((3, 3)))), scale_atoms=True)
    assert structure_factor(moved, triplets) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    gas = [structure_factor(_gas(atoms, rng), triplets) for _ in range(200)]
    assert np.mean(gas) == pytest.approx(1 / len(atoms), rel=0.2)


def _gas(atoms, rng):
    copy = atoms.copy()
    copy.set_scaled_positions(rng.random((len(atoms), 3)))
    return copy


def test_wave_vectors_of_any_crystal_may_be_given(tmp_path: Path) -> None:
    config = make(
        structure={"element": "Si", "lattice": "diamond", "repeat": [2, 2, 2]},
        order={"kind": "sk", "wave_vectors": [[4, 4, 0], [0, 4, 4]]},
    )
    atoms = build_structure(config.structure, tmp_path)
    assert config.order.settled(config.structure, atoms).words() == "sk list 2 4 4 0 0 4 4"
    atoms.pbc = False
    with pytest.raises(ConfigError, match="periodic in all directions"):
        config.order.settled(config.structure, atoms)


def test_a_structure_from_a_file_may_be_warm_but_its_cells_must_be_named(tmp_path: Path) -> None:
    atoms = bulk("Al", cubic=True) * 2
    atoms.rattle(0.2, seed=1)
    atoms.write(tmp_path / "warm.xyz")
    structure = {"file": "warm.xyz"}
    config = make(structure=structure, order={"kind": "sk", "star": "fcc", "cells": [2, 2, 2]})
    assert config.order.settled(config.structure, build_structure(config.structure, tmp_path)) == config.order
    config = make(structure=structure, order={"kind": "sk", "star": "fcc"})
    with pytest.raises(ConfigError, match=r"order.cells: how many"):
        config.order.settled(config.structure, atoms)
