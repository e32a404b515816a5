"""The contract of an architecture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from unnp.atoms.graph import Graph
from unnp.atoms.outputs import Cost, Output
from unnp.config import Config
from unnp.nn.heads import EnergyHead, MLPHead
from unnp.nn.linear import SILU_GAIN
from unnp.nn.system import System, lone_atoms

SAMPLED_BONDS = 20_000
"""Bonds of the training structures on which the sizes of features are measured."""

HaloKind = Literal["local", "exchange", "wide"]


@dataclass(frozen=True)
class TrainingData:
    """What an architecture may take over from its training data.

    Attributes:
        average_neighbors: mean number of neighbours of an atom within the potential's cutoff.
        graphs: the training structures, with bonds as long as the potential's cutoff; may be gone through several times.
    """

    average_neighbors: float
    graphs: Iterable[Graph] = ()

    def sample(self, dtype: torch.dtype, most_bonds: int = SAMPLED_BONDS) -> System | None:
        """Return structures at equal distances in the training data as one batch, and None where there are none.

        Args:
            dtype: number type of the bond vectors.
            most_bonds: bonds of all of them together; more only where a single structure has more.
        """
        kept: list[Graph] = []
        stride = 1
        for k, graph in enumerate(self.graphs):
            if k % stride == 0:
                kept.append(graph)
            while len(kept) > 1 and sum(graph.n_bonds for graph in kept) > most_bonds:
                kept, stride = kept[::2], 2 * stride
        if not kept:
            return None
        batch = Graph.batch(kept).to("cpu", dtype)
        return System(*batch.arguments[:4], batch.n_graphs, batch.n_atoms, 0)


class ArchitectureConfig(Config):
    """Base of the settings of an architecture, which say how far it sees before anything is built.

    ``cutoff`` is the length [A] of the longest bond that has to be listed: a setting of that name, or a property of others.
    """

    if TYPE_CHECKING:

        @property
        def cutoff(self) -> float: ...

    def completed(self, data: TrainingData) -> Self:
        """Return the settings with what they leave to the training data: an ``average_neighbors`` that is None."""
        if getattr(self, "average_neighbors", 0.0) is not None:
            return self
        return self.model_copy(update={"average_neighbors": data.average_neighbors})

    @property
    def receptive_field(self) -> float:
        """Distance [A] up to which an atom's energy depends on other atoms: the cutoff, unless the atoms hand on more."""
        return self.cutoff


class Architecture(nn.Module):
    """What representations and terms have in common.

    A subclass lives in one file of ``unnp.models.architectures``, is decorated with ``@register(name)``, is TorchScript-able,
    and fills in the class attributes and one method. Everything else (forces, stress, export, ASE, LAMMPS, tests) follows.
    """

    name: ClassVar[str]
    Config: ClassVar[type[ArchitectureConfig]]
    references: ClassVar[list[str]]
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    example_settings: ClassVar[dict[str, Any]] = {}
    """Settings that make a small model, with which ``unnp.testing`` checks the architecture."""
    halo: ClassVar[Literal["exchange", "wide"]] = "exchange"
    """How it sees beyond its own atoms on several ranks: by what it exchanges, if anything, or, where its state cannot be
    exchanged, by ghosts as far as the receptive field."""
    cost: ClassVar[Cost] = "bonds"
    """What time and memory grow with; a batch is bounded by it."""
    repulsive: ClassVar[bool] = False
    """Whether it keeps atoms apart at distances that no training structure has."""

    def __init__(self, config: Any, elements: list[str]) -> None:
        super().__init__()
        self.config = config
        self.elements = elements
        self.n_elements = len(elements)

    def adapt(self, data: TrainingData) -> None:
        """Look at the training data; called once, before the training. Settings that they complete are completed before.

        What is taken over has to be in ``self.config`` or in persistent buffers afterwards, so that it is stored and exported.
        """

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        """Return groups of parameters that are one parameter during a weight-tied warm start; empty where there is none."""
        return []


class Representation(Architecture):
    """A network that writes features of atoms, of which heads make energies; what is trained.

    Attributes:
        n_features: numbers per atom, set by the constructor.
    """

    n_features: int
    further_outputs: ClassVar[Sequence[Output]] = ()
    """What ``further`` returns beside energy and features."""

    def features(self, system: System) -> Tensor:
        """Return the features (n_updated, n_features) of the updated atoms, which rotations do not change."""
        raise NotImplementedError

    def lone_features(self, system: System) -> Tensor:
        """Return the features (n_elements, n_features) of an atom of each element without bonds.

        Args:
            system: any, of which device and number type are taken.
        """
        return self.features(lone_atoms(self.n_elements, system))

    def further(self, features: Tensor, system: System) -> dict[str, Tensor]:
        """Return the ``further_outputs`` by name, (n_updated, ...) or (n_graphs, ...)."""
        return torch.jit.annotate(dict[str, Tensor], {})

    def energy_head(self) -> EnergyHead:
        """Return the network that makes energies of the features, with random weights."""
        return MLPHead(self.n_features, self.n_features, nn.SiLU(), SILU_GAIN)


class Term(Architecture):
    """A further summand of the energy, which writes energies itself."""

    def energies(self, system: System) -> Tensor:
        """Return the energies (n_updated,) [eV] of the updated atoms; 0 for an atom without bonds."""
        raise NotImplementedError
