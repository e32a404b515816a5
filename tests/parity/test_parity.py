"""One potential, four ways: in memory, in the ASE calculator, and in LAMMPS on 1, 2 and 4 ranks, by exchange and wide."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import ase
import ase.build
import numpy as np
import pytest
import torch
from lammps_run import Run, measure, read_dump, run_lammps, virial, write_data
from registered import installed_architectures
from unnp.adapters.ase import UnnpCalculator
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import Prediction, predict
from unnp.exported.export import export_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, architectures, build_potential
from unnp.models.checkpoint import number_type

REFERENCE_ENERGIES = {"Al": -3.1, "Ni": 2.7}
RANKS = [1, 2, 4]


@dataclass(frozen=True)
class Case:
    """A potential.

    Attributes:
        settings: of the architecture; others are those of its example.
        members: committee size.
    """

    architecture: str = "teanet"
    settings: dict[str, Any] = field(default_factory=dict)
    add: dict[str, dict[str, Any]] = field(default_factory=dict)
    symbols: tuple[str, ...] = ("Al", "Ni")
    dtype: str = "float64"
    members: int = 1


TWO, THREE = {"layer_cutoffs": [4.0, 4.0]}, {"layer_cutoffs": [4.0, 3.0, 3.5]}
CASES = {f"{name} example": Case(name) for name in installed_architectures()} | {
    "1 layer": Case(settings={"layer_cutoffs": [4.0]}),
    "2 layers, 1 element": Case(settings=TWO, symbols=("Ni",)),
    "3 layers, float32": Case(settings=THREE, dtype="float32"),
    "with zbl that reaches farther": Case(settings={"layer_cutoffs": [3.0, 3.0]}, add={"zbl": {"outer": 3.7}}),
    "committee": Case(settings=TWO, add={"zbl": {"outer": 3.0}}, members=2),
}


@cache
def potentials(name: str) -> list[Potential]:
    """Return the members of a case, with random weights and biases."""
    case, members = CASES[name], []
    kind = architectures()[case.architecture]
    config = PotentialConfig(
        architecture=case.architecture, settings={**kind.example_settings, **case.settings}, add=case.add
    )
    for seed in range(case.members):
        torch.manual_seed(seed)
        with number_type(case.dtype):
            potential = build_potential(config, list(case.symbols), [Head(0.5, REFERENCE_ENERGIES)], TrainingData(30.0))
        with torch.no_grad():
            for parameter in potential.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        members.append(potential)
    return members


def crystal(name: str) -> ase.Atoms:
    """Return 108 disturbed atoms in a tilted box."""
    a = 0.9 * potentials(name)[0].cutoff()
    atoms = ase.build.bulk("Al", "fcc", a=a, cubic=True).repeat(3)
    atoms.set_cell(3 * a * np.array([[1.0, 0, 0], [0.2, 1.1, 0], [-0.15, 0.3, 0.95]]), scale_atoms=True)
    return _mixed(atoms, name, 0.03 * a)


def cluster(name: str) -> ase.Atoms:
    """Return 13 atoms and, far from them, a single one: most ranks have no bonds, or no atoms."""
    a = 0.9 * potentials(name)[0].cutoff()
    atoms = ase.build.bulk("Al", "fcc", a=a, cubic=True).repeat(2)[:13]
    atoms = _mixed(atoms, name, 0.03 * a)
    atoms.positions += a
    atoms.append(ase.Atom("Al" if "Al" in CASES[name].symbols else "Ni", [9 * a, 3 * a, 3 * a]))
    atoms.set_cell([10 * a, 4 * a, 4 * a])
    atoms.pbc = False
    return atoms


def _mixed(atoms: ase.Atoms, name: str, noise: float) -> ase.Atoms:
    symbols = CASES[name].symbols
    atoms.symbols = [symbols[k % len(symbols)] for k in range(len(atoms))]
    atoms.positions += np.random.default_rng(0).normal(0, noise, atoms.positions.shape)
    return atoms


STRUCTURES: dict[str, Callable[[str], ase.Atoms]] = {"crystal": crystal, "cluster": cluster}
RUNS = [(name, shape, "auto") for name in CASES for shape in STRUCTURES]
RUNS += [(name, "crystal", "wide") for name in ("teanet example", "zbl example", "committee")]


def label_of(name: str, shape: str, halo: str) -> str:
    return f"{list(CASES).index(name)}-{shape}-{halo}"


def file_of(name: str, files: Path) -> Path:
    return files / f"{list(CASES).index(name)}.pt"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the exported file of each case."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models")
    for name in CASES:
        export_model(potentials(name), file_of(name, folder), name=name)
    return folder


@pytest.fixture(scope="module", params=RANKS, ids=lambda n: f"{n}ranks")
def run(request: pytest.FixtureRequest, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run all cases in one LAMMPS."""
    folder = tmp_path_factory.mktemp(f"ranks{request.param}")
    deck = ""
    for name, shape, halo in RUNS:
        atoms, symbols = STRUCTURES[shape](name), list(CASES[name].symbols)
        label = label_of(name, shape, halo)
        write_data(folder / f"{label}.data", atoms, symbols)
        boundary = " ".join("p" if periodic else "f" for periodic in atoms.pbc)
        deck += f"clear\nunits metal\nboundary {boundary}\nread_data {label}.data\npair_style unnp halo {halo}\n"
        deck += f"pair_coeff * * {file_of(name, files)} {' '.join(symbols)}\n{measure(label)}"
    return run_lammps(folder, deck, request.param)


def in_memory(name: str, atoms: ase.Atoms) -> Prediction:
    """Return the mean of the members of a case, evaluated as in training."""
    members = potentials(name)
    graph = Graph.of(Structure.from_atoms(atoms), Elements(members[0].elements), members[0].cutoff())
    graph = graph.to("cpu", getattr(torch, CASES[name].dtype))
    parts = [predict(member, graph, atomic_virial=True) for member in members]

    def mean(quantity: str) -> torch.Tensor:
        return torch.stack([getattr(part, quantity) for part in parts]).mean(0)

    return Prediction(*(mean(q) for q in ("energy", "atomic_energy", "forces", "stress", "atomic_virial")))


@pytest.mark.parametrize(("name", "shape", "halo"), RUNS)
def test_lammps(name: str, shape: str, halo: str, run: Run):
    label = label_of(name, shape, halo)
    dump, printed = read_dump(run.folder / f"{label}.dump"), run.printed(label)
    expected = in_memory(name, dump.atoms(list(CASES[name].symbols)))
    single = CASES[name].dtype == "float32"
    size = max(1.0, np.abs(dump.forces).max())
    tolerance = (1e-5 if single else 1e-10) * size
    assert np.abs(dump.forces).max() > 1e-2
    np.testing.assert_allclose(dump.forces, expected.forces, rtol=0, atol=tolerance)
    assert printed[0] == pytest.approx(expected.energy.item(), rel=1e-6 if single else 1e-12)
    np.testing.assert_allclose(dump.atom_energy, expected.atomic_energy, rtol=0, atol=tolerance)
    np.testing.assert_allclose(dump.centroid_virial, expected.atomic_virial, rtol=0, atol=10 * tolerance)
    total = expected.atomic_virial.sum(0).numpy()
    np.testing.assert_allclose(virial(printed), total, rtol=0, atol=10 * len(dump["id"]) * tolerance)
    if shape == "cluster":
        reference = REFERENCE_ENERGIES["Al" if "Al" in CASES[name].symbols else "Ni"]
        assert dump.atom_energy[-1] == pytest.approx(reference, rel=0, abs=2e-6 if single else 2e-15)
        assert not dump.forces[-1].any()


@pytest.mark.parametrize("shape", STRUCTURES)
@pytest.mark.parametrize("name", CASES)
def test_ase(name: str, shape: str, files: Path):
    atoms = STRUCTURES[shape](name)
    expected = in_memory(name, atoms)
    atoms.calc = UnnpCalculator(file_of(name, files), device="cpu")
    single = CASES[name].dtype == "float32"
    size = max(1.0, expected.forces.abs().max().item())
    tolerance = (1e-5 if single else 1e-10) * size
    np.testing.assert_allclose(atoms.get_forces(), expected.forces, rtol=0, atol=tolerance)
    assert atoms.get_potential_energy() == pytest.approx(expected.energy.item(), rel=1e-6 if single else 1e-12)
    np.testing.assert_allclose(atoms.get_potential_energies(), expected.atomic_energy, rtol=0, atol=tolerance)
    if shape == "crystal":
        np.testing.assert_allclose(atoms.get_stress(voigt=False), expected.stress[0], rtol=0, atol=tolerance)
