"""Predictions that are no numbers: found, and said which atom is the reason."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.derivatives import Prediction
from unnp.errors import ModelError

ADVICE = (
    "Atoms may have come too close (shorten the time step, check the structure), or the model file is damaged, or used "
    "far outside its training data."
)


class NotFiniteError(ModelError):
    """A model gives NaN or infinite energies, forces or stresses."""


def check_finite(
    prediction: Prediction, graph: Graph, elements: Elements, what: str, sources: Sequence[str] = ("",)
) -> None:
    """Raise NotFiniteError, naming the first atom, where energies, forces or stresses are not finite.

    Args:
        prediction: what a model gives; what it does not hold (None), and stresses without a volume, take no part.
        graph: what was evaluated.
        elements: elements that the model knows.
        what: begins the message: the model, or a member of it.
        sources: where each structure of the graph comes from, for the message.
    """
    outputs = {name.replace("_", " "): v for name, v in prediction.outputs.items() if len(v) == graph.n_atoms}
    for name, values in {"force": prediction.forces, "energy": prediction.atomic_energy, **outputs}.items():
        if values is not None and not bool(torch.isfinite(values).all()):
            atom = int((~torch.isfinite(values).reshape(graph.n_atoms, -1).all(1)).nonzero()[0])
            k = int(graph.atom_graph[atom])
            first = int((graph.atom_graph < k).sum())
            where = f"the {name} of atom {atom - first} ({_element(atom, graph, elements)}){_of(sources[k])}"
            raise NotFiniteError(f"{what}: {where} is not finite.{_nearest(atom, first, graph, elements)} {ADVICE}")
    if prediction.stress is not None:
        wrong = ~torch.isfinite(prediction.stress).flatten(1).all(1) & torch.isfinite(graph.volume).to(
            prediction.stress.device
        )
        if bool(wrong.any()):
            k = int(wrong.nonzero()[0])
            raise NotFiniteError(f"{what}: the stress{_of(sources[k])} is not finite. {ADVICE}")


def _of(source: str) -> str:
    return f" of {source}" if source else ""


def _element(atom: int, graph: Graph, elements: Elements) -> str:
    return elements.symbols[int(graph.species[atom])]


def _nearest(atom: int, first: int, graph: Graph, elements: Elements) -> str:
    """Say how far the nearest neighbour of an atom is; atoms of its structure begin at ``first``."""
    i, j = graph.bond_index
    own = ((i == atom) | (j == atom)).nonzero().flatten()
    if not len(own):
        return " It has no neighbours within the cutoff."
    lengths = graph.bond_vector[own].detach().double().norm(dim=1)
    nearest = own[lengths.argmin()]
    other = int(j[nearest] if int(i[nearest]) == atom else i[nearest])
    name = f"atom {other - first} ({_element(other, graph, elements)})"
    return f" Its nearest neighbour, {name}, is {float(lengths.min()):.3g} A away."
