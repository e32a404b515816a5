"""A small potential of every registered architecture: whoever registers one inherits these tests.

Structures are made in units of the cutoff, so that they have bonds whatever the architecture. Weights are random, biases
too: nothing here may depend on training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from registered import installed_architectures
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import Prediction, predict
from unnp.exported.export import export_model
from unnp.exported.loader import LoadedPotential, load_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, architecture, build_potential
from unnp.models.checkpoint import number_type

SYMBOLS = ["Al", "Ni"]
NUMBERS = np.array([13, 28])
REFERENCE_ENERGIES = {"Al": -3.125, "Ni": 2.71828182845904}


def build(name: str, dtype: str = "float64", seed: int = 0) -> Potential:
    """Return the example of an architecture with random weights, for Al and Ni."""
    config = PotentialConfig(architecture=name, settings=architecture(name).example_settings)
    torch.manual_seed(seed)
    with number_type(dtype):
        potential = build_potential(config, SYMBOLS, [Head(1.5, REFERENCE_ENERGIES)], TrainingData(20.0))
    with torch.no_grad():
        for parameter in potential.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return potential


class Model:
    """A potential and the structures to try it on; lengths of structures are in units of its cutoff.

    Attributes:
        name: of the architecture.
        potential: float64.
        cutoff: [A].
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.potential = build(name)
        self.cutoff = self.potential.cutoff()

    def graph(self, structure: Structure, cutoff: float | None = None) -> Graph:
        return Graph.of(structure, Elements(SYMBOLS), cutoff or self.cutoff)

    def predict(self, structure: Structure | Graph, **options: Any) -> Prediction:
        graph = self.graph(structure) if isinstance(structure, Structure) else structure
        return predict(self.potential, graph, **options)

    def build(self, dtype: str = "float64", seed: int = 0) -> Potential:
        return build(self.name, dtype, seed)

    def energy(self, structure: Structure | Graph) -> float:
        return self.predict(structure, derivatives=False).energy.sum().item()

    def crystal(self, seed: int = 0) -> Structure:
        """Four disturbed atoms of both elements in a sheared cell shorter than the cutoff: atoms are bonded to own images."""
        fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        noise = np.random.default_rng(seed).uniform(-0.04, 0.04, (4, 3))
        cell = 0.8 * self.cutoff * np.array([[1.0, 0, 0], [0.06, 1.03, 0], [-0.04, 0.08, 0.97]])
        return Structure(NUMBERS[[0, 1, 1, 0]], (fcc + noise) @ cell, cell, np.ones(3, dtype=bool))

    def cluster(self) -> Structure:
        """Five atoms without symmetry."""
        positions = [[0, 0, 0], [0.55, 0.1, 0], [0.1, 0.6, 0.15], [0.2, 0.2, 0.62], [0.7, 0.65, 0.4]]
        return Structure(NUMBERS[[0, 1, 0, 0, 1]], self.cutoff * np.array(positions))

    def atoms(self, positions: Sequence[Sequence[float]], species: Sequence[int]) -> Structure:
        """Return atoms without a cell."""
        return Structure(NUMBERS[list(species)], self.cutoff * np.array(positions, dtype=float).reshape(-1, 3))


@pytest.fixture(scope="session", params=installed_architectures())
def model(request: pytest.FixtureRequest) -> Model:
    """Return the model of one architecture."""
    torch.set_num_threads(1)
    return Model(request.param)


@pytest.fixture(scope="session")
def exported(model: Model, tmp_path_factory: pytest.TempPathFactory) -> LoadedPotential:
    """Return the model, exported to a file and loaded again."""
    path: Path = tmp_path_factory.mktemp("physics") / f"{model.name}.pt"
    export_model([model.potential], path, name=model.name)
    return load_model(path, device="cpu")
