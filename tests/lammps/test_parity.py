"""LAMMPS on 1, 2 and 4 ranks gives what plain Python gives: energies, forces, virials, also per atom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import pytest
import structures
from lammps_run import KCAL_MOL_PER_EV, Run, measure, read_dump, run_lammps, virial, write_data
from reference import Reference, evaluate
from toy_model import CUTOFF, ELEMENTS

RANKS = [1, 2, 4]


@dataclass(frozen=True)
class Scenario:
    """One system and how LAMMPS runs it."""

    structure: Callable[[], ase.Atoms]
    style: str = ""
    model: str = "toy.pt"
    before: str = ""
    """commands before the box is read"""
    after: str = ""
    """commands before the measurement"""
    units: str = "metal"
    float32: bool = False


WIDE = "halo wide"
ROUGH = "velocity all create 8000 4711\nfix nve all nve\ntimestep 0.002\nrun 40 post no\n"
SCENARIOS = {
    "crystal": Scenario(structures.crystal),
    "crystal_wide": Scenario(structures.crystal, WIDE),
    "newton_off": Scenario(structures.crystal, before="newton off\n"),
    "newton_pair_off": Scenario(structures.crystal, before="newton off on\n"),
    "newton_off_wide": Scenario(structures.crystal, WIDE, before="newton off\n"),
    "tilted": Scenario(structures.tilted),
    "tilted_wide": Scenario(structures.tilted, WIDE),
    "tilted_newton_off": Scenario(structures.tilted, before="newton off\n"),
    "primitive": Scenario(structures.primitive),
    "primitive_wide": Scenario(structures.primitive, WIDE),
    "pair_cell": Scenario(structures.pair_cell),
    "slab": Scenario(structures.slab),
    "slab_wide": Scenario(structures.slab, WIDE),
    "molecule": Scenario(structures.molecule),
    "molecule_shrink": Scenario(structures.molecule, before="boundary s s s\n"),
    "molecule_loose": Scenario(structures.molecule, model="loose.pt"),
    "molecule_wide": Scenario(structures.molecule, WIDE),
    "lone_atom": Scenario(structures.lone_atom, before="processors * 1 1\n"),
    "lone_atom_loose": Scenario(structures.lone_atom, model="loose.pt", before="processors * 1 1\n"),
    "tiled": Scenario(structures.slab, after="comm_style tiled\nbalance 1.0 rcb\n"),
    "tiled_tilted": Scenario(structures.tilted, after="comm_style tiled\nbalance 1.0 rcb\n"),
    "tiled_newton_off": Scenario(
        structures.crystal, before="newton off\n", after="comm_style tiled\nbalance 1.0 rcb\n"
    ),
    "tiled_wide": Scenario(structures.large_crystal, WIDE, after="comm_style tiled\nbalance 1.0 rcb\n"),
    "balanced": Scenario(structures.slab, after="balance 1.0 shift xyz 10 1.05\n"),
    "migrating": Scenario(structures.crystal, after=ROUGH),
    "migrating_tilted": Scenario(structures.tilted, after=ROUGH),
    "migrating_wide": Scenario(structures.slab, WIDE, after=ROUGH),
    "migrating_molecule": Scenario(structures.molecule, before="boundary s s s\n", after=ROUGH),
    "no_skin": Scenario(structures.crystal, after="neighbor 0.0 bin\nneigh_modify every 1 delay 0 check no\n"),
    "nsq": Scenario(structures.slab, after="neighbor 1.0 nsq\n"),
    "no_sort": Scenario(structures.crystal, before="atom_modify sort 0 0.0\n", after=ROUGH),
    "long_ghosts": Scenario(structures.crystal, after="comm_modify cutoff 9.0\n"),
    "committee": Scenario(structures.crystal, model="committee.pt"),
    "float32": Scenario(structures.crystal, model="toy32.pt", float32=True),
    "float32_molecule": Scenario(structures.molecule, model="toy32.pt", float32=True),
    "model_as_float32": Scenario(structures.tilted, "dtype float32", float32=True),
    "model_as_float64": Scenario(structures.tilted, "dtype float64", model="toy32.pt"),
    "real": Scenario(structures.crystal, units="real"),
}


def section(name: str, scenario: Scenario, models: Path) -> str:
    """Return the commands of one scenario."""
    boundary = " ".join("p" if p else "f" for p in scenario.structure().pbc)
    return f"""
clear
units {scenario.units}
boundary {boundary}
{scenario.before}read_data {name}.data
pair_style unnp {scenario.style}
pair_coeff * * {models / scenario.model} {" ".join(ELEMENTS)}
{scenario.after}{measure(name)}"""


@pytest.fixture(scope="module", params=RANKS, ids=lambda n: f"{n}ranks")
def run(request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run all scenarios in one LAMMPS."""
    folder = tmp_path_factory.mktemp(f"parity{request.param}")
    for name, scenario in SCENARIOS.items():
        write_data(folder / f"{name}.data", scenario.structure(), ELEMENTS)
    deck = "".join(section(name, scenario, models) for name, scenario in SCENARIOS.items())
    return run_lammps(folder, deck, request.param)


@pytest.mark.parametrize("name", SCENARIOS)
def test_lammps_agrees_with_python(name: str, run: Run, models: Path) -> None:
    scenario = SCENARIOS[name]
    dump, printed = read_dump(run.folder / f"{name}.dump"), run.printed(name)
    expected = evaluate(models / scenario.model, dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    unit = KCAL_MOL_PER_EV if scenario.units == "real" else 1.0
    tolerance = 1e-5 if scenario.float32 else 1e-10
    assert printed[0] / unit == pytest.approx(expected.energy, rel=1e-6 if scenario.float32 else 1e-10)
    np.testing.assert_allclose(dump.forces / unit, expected.forces, atol=tolerance)
    np.testing.assert_allclose(dump.atom_energy / unit, expected.atom_energy, atol=tolerance)
    if scenario.units == "metal":
        check_virials(dump, printed, expected, tolerance)


def check_virials(dump, printed: np.ndarray, expected: Reference, tolerance: float) -> None:
    symmetric = (expected.atom_virial + expected.atom_virial.transpose(0, 2, 1)) / 2
    np.testing.assert_allclose(dump.centroid_virial, expected.atom_virial, atol=tolerance)
    np.testing.assert_allclose(dump.atom_virial, symmetric, atol=tolerance)
    np.testing.assert_allclose(virial(printed), symmetric.sum(0), atol=len(symmetric) * tolerance)
