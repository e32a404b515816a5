"""A labeller as an ASE calculator: the same numbers, the same refusals."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from ase.build import bulk, fcc111
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT
from ase.md.verlet import VelocityVerlet
from unnp.adapters.labeller import LabellerCalculator
from unnp.adapters.opening import open_calculator
from unnp.adapters.potentials import PotentialFile, open_potential
from unnp.config import from_dict
from unnp.errors import ConfigError, DataError

EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}


def test_emt_through_the_labeller_is_emt():
    atoms = bulk("Cu", cubic=True) * 2
    atoms.rattle(0.1, seed=1)
    direct = atoms.copy()
    atoms.calc, direct.calc = LabellerCalculator({"kind": "ase", "name": "emt"}), EMT()
    assert atoms.get_potential_energy() == pytest.approx(direct.get_potential_energy(), abs=1e-12)
    assert np.allclose(atoms.get_forces(), direct.get_forces(), atol=1e-12)
    assert np.allclose(atoms.get_stress(), direct.get_stress(), atol=1e-12)


def test_stress_of_a_lammps_pair_style_is_the_derivative_of_its_energy():
    atoms = bulk("Al", a=4.0, cubic=True)
    atoms.rattle(0.05, seed=1)
    atoms.calc = LabellerCalculator(EAM)
    stress, h = atoms.get_stress(voigt=False), 1e-4
    energies = []
    for sign in (1, -1):
        deformed = atoms.copy()
        deformation = np.eye(3)
        deformation[0, 1] += sign * h
        deformed.set_cell(atoms.cell @ deformation, scale_atoms=True)
        deformed.calc = atoms.calc
        energies.append(deformed.get_potential_energy())
    assert (energies[0] - energies[1]) / (2 * h) / atoms.get_volume() == pytest.approx(stress[0, 1], abs=1e-6)


def test_dynamics_with_it_keep_the_energy():
    atoms = bulk("Al", a=4.05, cubic=True) * 2
    atoms.rattle(0.1, seed=2)
    atoms.calc = LabellerCalculator(EAM)
    before = atoms.get_total_energy()
    VelocityVerlet(atoms, timestep=0.1).run(20)
    assert atoms.get_kinetic_energy() > 0.05
    assert atoms.get_total_energy() == pytest.approx(before, abs=2e-3)


def test_a_slab_has_no_stress():
    slab = fcc111("Al", (2, 2, 3), vacuum=6.0)
    slab.calc = LabellerCalculator(EAM)
    assert np.isfinite(slab.get_forces()).all()
    with pytest.raises(PropertyNotImplementedError):
        slab.get_stress()


def test_refusals_are_those_of_the_labeller():
    with pytest.raises(ConfigError, match="unknown kind of calculator 'lamps'"):
        LabellerCalculator({**EAM, "kind": "lamps"})
    copper = bulk("Cu")
    copper.calc = LabellerCalculator(EAM)
    with pytest.raises(DataError, match="contains Cu"):
        copper.get_potential_energy()


def test_a_device_is_passed_on_or_refused(tmp_path, monkeypatch):
    """EMT runs on the CPU alone; a universal potential runs where it is told to, whatever its file says."""
    opened = []
    monkeypatch.setattr("unnp.adapters.labeller.build_labeller", lambda settings, folder: opened.append(settings))
    for name, text in {
        "emt": "kind: ase\nname: emt",
        "chgnet": "kind: universal\nname: chgnet\ndevice: cuda:1",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    for path, device in [("chgnet", "auto"), ("chgnet", "cpu"), ("chgnet", "cuda"), ("emt", "auto"), ("emt", "cpu")]:
        with suppress(AttributeError):  # there is no labeller
            open_calculator(tmp_path / f"{path}.yaml", device=device)
    assert [settings.get("device") for settings in opened] == ["cuda:1", "cpu", "cuda", None, None]
    with pytest.raises(
        ConfigError, match=r"device 'cuda': .*emt\.yaml is a calculator of a kind that runs on the CPU alone"
    ):
        open_calculator(tmp_path / "emt.yaml", device="cuda")
    given = from_dict({"file": "emt.yaml"}, PotentialFile)
    with suppress(AttributeError):  # of several potentials, those that have no choice run where they can
        open_potential("emt", given, ["Cu"], tmp_path, "cuda")
    assert len(opened) == 6
