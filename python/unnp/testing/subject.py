"""What is checked: a small potential of an architecture with random weights, and structures to try it on."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unnp.atoms.elements import Elements, atomic_number
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import Prediction, predict
from unnp.errors import ConfigError
from unnp.exported.export import export_model
from unnp.exported.loader import LoadedPotential, load_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, architecture, build_potential
from unnp.models.checkpoint import number_type

SYMBOLS = ("Al", "Ni")
ENERGIES = (-3.125, 2.71828182845904)
AVERAGE_NEIGHBORS = 20.0
ENERGY_SCALE = 1.5
STRONG = 3.0
"""force [eV/A] at which the dynamics moves energy to and fro"""


def example(name: str, **settings: Any) -> PotentialConfig:
    """Return the configuration of the small model that an architecture names as its example, with further settings.

    Raises:
        ConfigError: there is no such architecture, or it cannot be imported.
    """
    return PotentialConfig(architecture=name, settings={**architecture(name).example_settings, **settings})


class Subject:
    """A potential and the structures to try it on.

    Lengths of structures are in units of the cutoff, so that they have bonds whatever the architecture. Weights are random,
    biases too: nothing may depend on training.

    Args:
        config: the potential's configuration, see :func:`example`.
        symbols: two elements.

    Attributes:
        name: the architecture's name.
        potential: float64.
        cutoff: [A].

    Raises:
        ConfigError: there is no such architecture, a setting is wrong, or there are not two elements.
    """

    def __init__(self, config: PotentialConfig, symbols: Sequence[str] = SYMBOLS) -> None:
        if len(set(symbols)) != 2:
            raise ConfigError(f"checks are made with two elements, got {', '.join(symbols) or 'none'}.")
        self.config, self.symbols, self.name = config, list(symbols), config.architecture
        self.numbers = np.array([atomic_number(symbol) for symbol in self.symbols])
        self.reference_energies = dict(zip(symbols, ENERGIES, strict=True))
        self.cutoff = config.cutoff()
        self.energy_scale = ENERGY_SCALE
        self.potential = self.build()
        self._strengthen()

    def build(self, dtype: str = "float64", seed: int = 0) -> Potential:
        """Return a potential of the configuration with other weights."""
        return random_potential(self.config, self.symbols, self.head, dtype, seed)

    def _strengthen(self) -> None:
        """Choose the unit of energy of a network whose random weights make weak forces, so that these can be measured."""
        forces = self.predict(self.crystal()).forces
        largest = 0.0 if forces is None else float(forces.abs().max())
        if 0 < largest < STRONG:
            self.energy_scale *= STRONG / largest
            self.potential = self.build()

    @property
    def head(self) -> Head:
        """The level of theory."""
        return Head(self.energy_scale, self.reference_energies)

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="unnp-checks-")

    @property
    def folder(self) -> Path:
        """A folder for files, which goes when the subject goes."""
        return Path(self._folder.name)

    @cached_property
    def exported(self) -> LoadedPotential:
        """The potential, exported to a file and loaded again."""
        path = self.folder / "exported.pt"
        export_model([self.potential], path, name=self.name)
        return load_model(path, device="cpu")

    def graph(self, structure: Structure, cutoff: float | None = None) -> Graph:
        """Return a structure with its bonds."""
        return Graph.of(structure, Elements(self.symbols), cutoff or self.cutoff)

    def predict(self, structure: Structure | Graph, **options: Any) -> Prediction:
        """Return what the potential in memory says; options as of :func:`unnp.derivatives.predict`."""
        graph = self.graph(structure) if isinstance(structure, Structure) else structure
        return predict(self.potential, graph, **options)

    def energy(self, structure: Structure | Graph) -> float:
        """Return the energy [eV]."""
        return float(self.predict(structure, derivatives=False).energy.sum())

    def crystal(self, seed: int = 0) -> Structure:
        """Return four disturbed atoms in a sheared cell shorter than the cutoff: atoms are bonded to own images."""
        fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        noise = np.random.default_rng(seed).uniform(-0.04, 0.04, (4, 3))
        cell = 0.8 * self.cutoff * np.array([[1.0, 0, 0], [0.06, 1.03, 0], [-0.04, 0.08, 0.97]])
        return Structure(self.numbers[[0, 1, 1, 0]], (fcc + noise) @ cell, cell, np.ones(3, dtype=bool))

    def cluster(self) -> Structure:
        """Return five atoms without symmetry."""
        positions = np.array([[0, 0, 0], [0.55, 0.1, 0], [0.1, 0.6, 0.15], [0.2, 0.2, 0.62], [0.7, 0.65, 0.4]])
        return self.atoms(positions, [0, 1, 0, 0, 1])

    def atoms(self, positions: Any, species: Sequence[int]) -> Structure:
        """Return atoms without a cell; positions (n_atoms, 3) in units of the cutoff."""
        scaled = self.cutoff * np.asarray(positions, dtype=float).reshape(-1, 3)
        return Structure(self.numbers[np.array(species, dtype=int)], scaled)

    def structures(self) -> dict[str, Structure]:
        """Return one structure with and one without a cell."""
        return {"crystal": self.crystal(), "cluster": self.cluster()}


def random_potential(
    config: PotentialConfig, symbols: Sequence[str], head: Head, dtype: str = "float64", seed: int = 0
) -> Potential:
    """Return a potential with random weights and biases."""
    torch.manual_seed(seed)
    with number_type(dtype):
        potential = build_potential(config, list(symbols), [head], TrainingData(AVERAGE_NEIGHBORS))
    with torch.no_grad():
        for parameter in potential.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return potential


def size_of(prediction: Prediction) -> float:
    """Return the largest component of the forces [eV/A], at least 1: what rounding errors are measured by."""
    assert prediction.forces is not None
    return max(1.0, float(prediction.forces.abs().max())) if prediction.forces.numel() else 1.0
