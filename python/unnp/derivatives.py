"""Energy -> forces, stress and per-atom virial, by differentiation with respect to the bond vectors alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from unnp.atoms.graph import Graph
from unnp.atoms.outputs import Output
from unnp.atoms.quantities import Quantity
from unnp.nn.fused import plain_operators


@dataclass
class Prediction:
    """What a potential says of a graph.

    Attributes:
        energy: (n_graphs,) float64 [eV].
        atomic_energy: (n_atoms,) float64 [eV].
        forces: (n_atoms, 3) [eV/A], or None where not asked for.
        stress: (n_graphs, 3, 3) [eV/A^3], positive in tension; NaN where the structure is not fully periodic.
        atomic_virial: (n_atoms, 3, 3) [eV], each bond's ``-r (x) dE/dr`` shared equally by its two atoms.
        outputs: other declared outputs by name, but for the features; empty where not asked for.
        bond_vector: (n_bonds, 3) [A], by which forces can be differentiated once more; None but in training.
    """

    energy: Tensor
    atomic_energy: Tensor
    forces: Tensor | None = None
    stress: Tensor | None = None
    atomic_virial: Tensor | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)
    bond_vector: Tensor | None = None

    def get(self, quantity: Quantity) -> Tensor | None:
        """Return the prediction of a quantity; None where there is none."""
        found: Tensor | None = (
            self.outputs.get(quantity.name) if quantity.origin == "head" else getattr(self, quantity.name)
        )
        return found


def predict(
    potential: Any,
    graph: Graph,
    *,
    derivatives: bool = True,
    atomic_virial: bool = False,
    outputs: bool = False,
    training: bool = False,
    curvature: bool = False,
    of: Output | None = None,
) -> Prediction:
    """Evaluate a potential on a graph.

    With ``g = dE/dr`` of a bond ``r = r_j - r_i``: ``F_i = sum g``, ``F_j = -sum g``,
    ``stress = (1/V) sum r (x) g`` (symmetrised: rotational invariance makes the sum symmetric up to rounding).

    Args:
        potential: maps the ``arguments`` of a graph to atomic energies.
        graph: one or several structures.
        derivatives: compute forces and stress.
        atomic_virial: compute the per-atom virial too.
        outputs: give the other declared outputs too.
        training: keep the graph of the derivatives, so that a loss on them can be differentiated.
        curvature: as ``training``, and the forces can be differentiated once more before, by ``bond_vector``.
        of: another output, a number for each atom or structure, which then stands in the place of the energy.
    """
    vector = graph.bond_vector.detach()
    graph = replace(graph, bond_vector=vector)
    training = training or curvature
    # The fused operators can be differentiated twice: for the forces and for a loss on them.
    operators = plain_operators() if curvature else nullcontext()
    with operators, torch.set_grad_enabled(training or derivatives or atomic_virial):
        if derivatives or atomic_virial:
            vector.requires_grad_(True)
        atomic, others = _evaluate(potential, graph, outputs, of)
        of_structure = of is not None and of.per == "structure"
        energy = atomic if of_structure else atomic.new_zeros(graph.n_graphs).index_add(0, graph.atom_graph, atomic)
        if not (derivatives or atomic_virial):
            return Prediction(energy, atomic, outputs=others)
        (gradient,) = torch.autograd.grad(energy.sum(), vector, create_graph=training)
    forces = sum_over_bonds(gradient, graph)
    dyad = (vector.detach().double().unsqueeze(2) * gradient.double().unsqueeze(1)).flatten(1)
    per_atom = _atomic_virial(dyad, graph) if atomic_virial else None
    stress = _stress(dyad, graph)
    if training:
        return Prediction(energy, atomic, forces, stress, per_atom, others, vector)
    others = {name: value.detach() for name, value in others.items()}
    return Prediction(energy.detach(), atomic.detach(), forces, stress, per_atom, others)


def _evaluate(potential: Any, graph: Graph, outputs: bool, of: Output | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the energies of the atoms, or the output in their place, and the other outputs, where asked for; float64."""
    if of is not None:
        return potential.outputs(*graph.arguments)[of.name].double(), {}
    if not outputs:
        return potential(*graph.arguments).double(), {}
    given = dict(potential.outputs(*graph.arguments))
    del given["features"]
    return given.pop("energy").double(), {name: value.double() for name, value in given.items()}


def _stress(dyad: Tensor, graph: Graph) -> Tensor:
    total = dyad.new_zeros(graph.n_graphs, 9).index_add(0, graph.atom_graph[graph.bond_index[0]], dyad).view(-1, 3, 3)
    volume = graph.volume.view(-1, 1, 1)
    periodic = torch.isfinite(volume)  # dividing by NaN would make the gradient of every parameter NaN
    stress = 0.5 * (total + total.transpose(1, 2)) / torch.where(periodic, volume, 1.0)
    return torch.where(periodic, stress, torch.nan)


def _atomic_virial(dyad: Tensor, graph: Graph) -> Tensor:
    i, j = graph.bond_index[0], graph.bond_index[1]
    return dyad.new_zeros(graph.n_atoms, 9).index_add(0, i, dyad).index_add(0, j, dyad).mul(-0.5).view(-1, 3, 3)


def predict_members(members: Callable[..., Tensor], graph: Graph) -> tuple[Tensor, Tensor]:
    """Return energies (n_members, n_graphs) [eV] and forces (n_members, n_atoms, 3) [eV/A] of a committee.

    Args:
        members: maps what a potential takes to atomic energies (n_members, n_atoms).
        graph: one or several structures.
    """
    vector = graph.bond_vector.detach().requires_grad_(True)
    graph = replace(graph, bond_vector=vector)
    with torch.enable_grad():
        atomic = members(*graph.arguments).double()
        gradients = [torch.autograd.grad(e.sum(), vector, retain_graph=True)[0] for e in atomic]
    energy = atomic.new_zeros(atomic.shape[0], graph.n_graphs).index_add(1, graph.atom_graph, atomic)
    return energy.detach(), torch.stack([sum_over_bonds(g, graph) for g in gradients])


def sum_over_bonds(gradient: Tensor, graph: Graph) -> Tensor:
    """Return ``-dx/dr_i`` (n_atoms, 3) of the gradient ``dx/dr`` (n_bonds, 3) with respect to the bond vectors."""
    zero = gradient.new_zeros(graph.n_atoms, 3)
    return zero.index_add(0, graph.bond_index[0], gradient).index_add(0, graph.bond_index[1], -gradient)
