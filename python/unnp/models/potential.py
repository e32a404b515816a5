"""A potential: a representation with its heads and optional further terms, in eV, with reference energies."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unnp.atoms.outputs import Cost, Output
from unnp.errors import ConfigError, ModelError
from unnp.models.base import (
    Architecture,
    HaloKind,
    Representation,
    Term,
    TrainingData,
)
from unnp.models.exchanges import Communication, communication
from unnp.models.heads import Head
from unnp.models.output_heads.base import REGISTRY, declared
from unnp.nn.closest import Closest
from unnp.nn.edges import bonded
from unnp.nn.system import System


class Potential(nn.Module):
    """``E_i = scale * head(h_i, h of a lone atom) + sum_k term_k,i + reference_energy(species_i)``, summed in float64.

    Scale, head and reference energies are those of the level of theory that is asked for; representation ``h`` and terms
    are shared.

    Args:
        elements: chemical symbols; the position is the species.
        representation: the trained architecture; None where there are terms alone.
        terms: further architectures, already in eV.
        heads: one or several.
        outputs: names of the trained outputs beside the energy, which all heads share.
        closest: (n_elements, n_elements) [A], below which the representation sees two atoms no closer; terms do. Empty: none.

    Raises:
        ConfigError: a reference energy is missing, two heads have one name, or there is no such output.
    """

    reference_energies: Tensor
    __jit_unused_properties__: ClassVar[list[str]] = ["architecture", "n_parameters", "references"]
    __jit_ignored_attributes__: ClassVar[list[str]] = ["heads"]

    def __init__(
        self,
        elements: list[str],
        representation: Representation | None,
        terms: Sequence[Term],
        heads: Sequence[Head],
        outputs: Sequence[str] = (),
        closest: Sequence[Sequence[float]] = (),
    ) -> None:
        super().__init__()
        _check_heads(heads, elements)
        _check_outputs(outputs, representation)
        self.elements = elements
        self.n_elements = len(elements)
        self.representation = representation
        self.closest = Closest(closest)
        self.terms = nn.ModuleList(terms)
        self.heads = list(heads)
        self.scales = [head.energy_scale for head in heads]
        readouts = [] if representation is None else [representation.energy_head() for _ in heads]
        self.energy_heads = nn.ModuleList(readouts)
        n_features = 0 if representation is None else representation.n_features
        self.output_heads = nn.ModuleDict({name: REGISTRY.get(name)(n_features, len(elements)) for name in outputs})
        values = [[head.reference_energies[e] for e in elements] for head in heads]
        self.register_buffer("reference_energies", torch.tensor(values, dtype=torch.float64), persistent=False)

    def forward(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        """Return the energies (n_updated,) float64 [eV] of the updated atoms.

        Args:
            species: as all others but ``head`` those of :class:`unnp.nn.system.System`.
            bond_index: (2, n_bonds).
            bond_vector: (n_bonds, 3) [A].
            graph: (n_all,).
            head: (n_graphs,) int64, the level of theory of each structure.
            n_updated: number of atoms.
            halo: handle.
        """
        system = System(species, bond_index, bond_vector, graph, head.shape[0], n_updated, halo)
        return self.energies(self.represent(system), system, head)

    @torch.jit.export
    def features(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        """Return the features (n_updated, n_features) of the updated atoms; arguments as of ``forward``."""
        return self.represent(System(species, bond_index, bond_vector, graph, head.shape[0], n_updated, halo))

    @torch.jit.export
    def outputs(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> dict[str, Tensor]:
        """Return all that is declared by :meth:`declared`, by name; arguments as of ``forward``."""
        system = System(species, bond_index, bond_vector, graph, head.shape[0], n_updated, halo)
        features = self.represent(system)
        outputs = {"energy": self.energies(features, system, head), "features": features}
        if self.representation is not None:
            for name, value in self.representation.further(features, self.closest(system)).items():
                outputs[name] = value
            species = system.species[: system.n_updated]
            has_bonds = bonded(system.bond_index, system.species.shape[0], system.n_updated)
            alone = self.representation.lone_features(system)
            for name, output in self.output_heads.items():
                outputs[name] = output(features, alone, species, has_bonds)
        return outputs

    def represent(self, system: System) -> Tensor:
        """Return the features (n_updated, n_features); no columns where there are terms alone."""
        if self.representation is None:
            return system.bond_vector.new_zeros([system.n_updated, 0])
        features: Tensor = self.representation.features(self.closest(system))
        return features

    def energies(self, features: Tensor, system: System, head: Tensor) -> Tensor:
        """Return the energies (n_updated,) float64 [eV] of atoms with these features; ``head`` as of ``forward``."""
        species = system.species[: system.n_updated]
        level = head.index_select(0, system.graph[: system.n_updated])
        energy = self.network_energies(features, system, level)
        for term in self.terms:
            energy = energy + term.energies(system).double()  # type: ignore[operator]
        return energy + self.reference_energies.flatten().index_select(0, self.n_elements * level + species)

    def network_energies(self, features: Tensor, system: System, level: Tensor) -> Tensor:
        """Return the energies (n_updated,) float64 [eV] of the heads; ``level`` (n_updated,) says which of them."""
        if self.representation is None:
            return torch.zeros_like(level, dtype=torch.float64)
        species = system.species[: system.n_updated]
        has_bonds = bonded(system.bond_index, system.species.shape[0], system.n_updated)
        alone = self.representation.lone_features(system)
        if len(self.energy_heads) == 1:
            return self.scales[0] * self.energy_heads[0](features, alone, species, has_bonds).double()
        energy = torch.zeros_like(level, dtype=torch.float64)
        for k, head in enumerate(self.energy_heads):
            rows = torch.nonzero(level == k).squeeze(1)
            own = features.index_select(0, rows)
            part = head(own, alone, species.index_select(0, rows), has_bonds.index_select(0, rows))
            energy = energy.index_add(0, rows, self.scales[k] * part.double())
        return energy

    def _apply(self, fn: Callable[..., Tensor], recurse: bool = True) -> "Potential":
        """Move or convert everything; the reference energies move along but stay float64."""
        exact = self.reference_energies
        super()._apply(fn, recurse)
        self.reference_energies = exact.to(self.reference_energies.device)
        return self

    def summands(self) -> list[Architecture]:
        """Return the representation and the terms."""
        return [*([] if self.representation is None else [self.representation]), *self.terms]

    @property
    def architecture(self) -> str:
        """Name of the architecture."""
        return self.summands()[0].name

    def declared(self) -> list[Output]:
        """Return what ``outputs`` gives, in order."""
        n_features = 0 if self.representation is None else self.representation.n_features
        further = () if self.representation is None else self.representation.further_outputs
        trained = [declared(name) for name in self.output_heads]
        return [Output(name="energy", unit="eV"), Output(name="features", shape=[n_features]), *further, *trained]

    def cutoff(self) -> float:
        """Return the length [A] of the longest bond that has to be listed."""
        return max(a.config.cutoff for a in self.summands())

    def receptive_field(self) -> float:
        """Return the distance [A] up to which an atom's energy depends on others."""
        return max(a.config.receptive_field for a in self.summands())

    def cost(self) -> Cost:
        """Return what time and memory grow with: triplets where a summand makes any."""
        return "triplets" if "triplets" in [summand.cost for summand in self.summands()] else "bonds"

    def communication(self) -> Communication:
        """Return what ranks exchange and sum, measured; where the halo is wide they exchange nothing.

        Raises:
            ModelError: it is not the same for all ranks, or sums over all atoms are asked for where the halo is wide.
        """
        like = next(self.parameters(), self.reference_energies)
        found = communication(self, 0.5 * min(a.config.cutoff for a in self.summands()), like)
        if not any(summand.halo == "wide" for summand in self.summands()):
            return found
        if found.sums:
            raise ModelError(
                f'{self.architecture} sums over all atoms of a structure, which it cannot do with `halo = "wide"`: there, '
                "the rows of a rank are not its own atoms alone."
            )
        return Communication([], [])

    def halo(self) -> HaloKind:
        """Return the strategy that all summands can run with on several ranks; errors are those of ``communication``."""
        if any(summand.halo == "wide" for summand in self.summands()):
            return "wide"
        return "exchange" if self.communication().exchanges else "local"

    def adapt(self, data: TrainingData) -> None:
        """Let all summands take over what their settings left to the training data."""
        for summand in self.summands():
            summand.adapt(data)

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        """Return the groups of parameters that a weight-tied warm start makes one."""
        return [group for summand in self.summands() for group in summand.tied_parameters()]

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(p.numel() for p in self.parameters())

    @property
    def references(self) -> list[str]:
        """Publications to cite."""
        return [r for a in self.summands() for r in a.references]

    def describe(self) -> dict[str, Any]:
        """Return what :func:`potential_from_description` needs to build this potential again."""
        first, *others = self.summands()
        return {
            "architecture": first.name,
            "settings": first.config.model_dump(mode="json"),
            "add": {t.name: t.config.model_dump(mode="json") for t in others},
            "elements": self.elements,
            "heads": [head.describe() for head in self.heads],
            "outputs": list(self.output_heads),
            "closest": self.closest.table(),
        }


def _check_outputs(outputs: Sequence[str], representation: Representation | None) -> None:
    if len(set(outputs)) < len(outputs):
        raise ConfigError(f"potential.outputs: name each output once, got {', '.join(outputs)}.")
    if outputs and representation is None:
        raise ConfigError("potential.outputs: only an architecture with features can have outputs beside the energy.")


def _check_heads(heads: Sequence[Head], elements: list[str]) -> None:
    names = [head.name for head in heads]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"a potential needs heads with different names, got {', '.join(names) or 'none'}.")
    for head in heads:
        missing = [e for e in elements if e not in head.reference_energies]
        if missing:
            raise ConfigError(f"reference energies of {', '.join(missing)} are missing; give one for every element.")
