"""The range in which a potential has seen data, in a few lines for the card, the manifest and the log of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, FiniteFloat

from unnp.atoms.graph import Graph
from unnp.config import from_dict
from unnp.models.potential import Potential

FIRST_PAIRS = 6


class _Seen(BaseModel):
    """What of the summary is looked at."""

    shortest_distances: dict[str, FiniteFloat] = {}
    volume_per_atom: tuple[FiniteFloat, FiniteFloat] | None = None
    forces_max: FiniteFloat | None = None


def validity(data: dict[str, Any], potential: Potential) -> dict[str, str]:
    """Return what limits the use of a potential, by name; nothing where the summary of its data does not say.

    Args:
        data: summary of the training data (``Statistics.to_dict``).
        potential: what was trained on them.

    Raises:
        ConfigError: the summary, which may come from a file, holds something else.
    """
    lines: dict[str, str] = {}
    seen = from_dict(data, _Seen, where="summary of the training data")
    if seen.shortest_distances:
        lines["closest atoms"] = _listed({pair: f"{d:.2f} A" for pair, d in seen.shortest_distances.items()})
        lines["closer than that"] = _repulsion(potential)
    if seen.volume_per_atom is not None:
        lines["volumes"] = "{:.1f} to {:.1f} A^3/atom".format(*seen.volume_per_atom)
    if seen.forces_max is not None:
        lines["largest force"] = f"{seen.forces_max:.1f} eV/A"
    return lines


def missing_repulsion(data: Mapping[str, Any], potential: Potential) -> str | None:
    """Return what to say where nothing keeps atoms apart that come closer than in any training structure."""
    distances: Mapping[str, float] = data.get("shortest_distances") or {}
    if not distances or any(term.repulsive for term in potential.summands()):
        return None
    pair, shortest = min(distances.items(), key=lambda item: item[1])
    outer = math.floor(97 * shortest) / 100
    return (
        f"No training structure has atoms closer than {shortest:.2f} A ({pair}), and nothing in the potential keeps them "
        "apart there: in a long, hot or dense run they may fall into each other. Add under `potential:` "
        f"`add: {{zbl: {{inner: {0.7 * outer:.2f}, outer: {outer:.2f}}}}}`, which is zero at all distances of these data."
    )


def closer_than_seen(data: Mapping[str, Any], symbols: Sequence[str], graph: Graph) -> str:
    """Return what to say where the two closest atoms are closer than such atoms in any training structure; else nothing.

    Args:
        data: summary of the training data, as a manifest holds it.
        symbols: elements, by species.
        graph: the graph of one structure.
    """
    distances = data.get("shortest_distances")
    if not isinstance(distances, dict) or not len(graph.bond_vector):
        return ""
    lengths = graph.bond_vector.norm(dim=1)
    closest = int(lengths.argmin())
    pair, length = [symbols[int(s)] for s in graph.species[graph.bond_index[:, closest]]], float(lengths[closest])
    seen = distances.get("-".join(pair), distances.get("-".join(reversed(pair))))
    if not isinstance(seen, float) or length >= seen:
        return ""
    return (
        f"two atoms ({'-'.join(pair)}) are {length:.2f} A apart; in the training data of this model the closest were "
        f"{seen:.4g} A. Energies there are extrapolated: see the range of validity that `unnp info` prints."
    )


def _repulsion(potential: Potential) -> str:
    terms = [term for term in potential.summands() if term.repulsive]
    if not terms:
        return "nothing keeps atoms apart, energies there mean nothing"
    listed = ", ".join(f"{term.name} within {term.config.cutoff:g} A" for term in terms)
    return f"{listed} keeps atoms apart; energies there are a guess"


def _listed(values: Mapping[str, str]) -> str:
    listed = [f"{name} {value}" for name, value in list(values.items())[:FIRST_PAIRS]]
    more = len(values) - len(listed)
    return ", ".join(listed) + (f" and {more} more pairs" if more > 0 else "")
