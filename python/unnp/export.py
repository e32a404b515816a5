"""From trained potentials to one TorchScript file that ASE and LAMMPS run."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from unnp.derivatives import predict
from unnp.elements import Elements, atomic_number
from unnp.errors import ModelError
from unnp.graph import Graph
from unnp.loader import load_model
from unnp.manifest import MANIFEST_NAME, Manifest
from unnp.models import Potential
from unnp.models.committee import Committee
from unnp.structure import Structure

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}


def export_model(
    potentials: Sequence[Potential],
    path: str | Path,
    *,
    name: str,
    licence: str = "",
    data: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
) -> Manifest:
    """Write one file with one potential, or with a committee of several, and return its manifest.

    The file is written beside its destination, loaded again, compared with the potentials on a test structure, and only then
    moved into place.

    Args:
        potentials: of one description (architecture, settings, elements), with different weights.
        path: file to write.
        name: name for people.
        licence: licence of the model.
        data: summary of the training data.
        metrics: errors on unseen data.

    Raises:
        ModelError: the potentials do not fit together, a weight is not finite, or the reloaded file disagrees.
    """
    path = Path(path)
    _check(potentials)
    manifest = _manifest(potentials, name, licence, data or {}, metrics or {})
    scripted = torch.jit.script(Committee([p.eval() for p in potentials]))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(suffix=".pt", prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        torch.jit.save(scripted, temporary, _extra_files={MANIFEST_NAME: manifest.to_json().encode()})
        _compare(potentials, temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return manifest


def _check(potentials: Sequence[Potential]) -> None:
    if not potentials:
        raise ModelError("no potential was given to export; give at least one run.")
    first = _structure_of(potentials[0])
    for k, potential in enumerate(potentials):
        if _structure_of(potential) != first:
            raise ModelError(
                f"member {k} of the committee differs from member 0 in architecture, cutoff or elements; a committee is "
                "several trainings of one configuration with different seeds."
            )
        bad = [n for n, p in potential.named_parameters() if not bool(torch.isfinite(p).all())]
        if bad:
            raise ModelError(f"weights of {', '.join(bad[:3])} are not finite; export an earlier checkpoint.")


def _structure_of(potential: Potential) -> tuple[Any, ...]:
    return (potential.elements, potential.cutoff(), potential.receptive_field(), potential.exchange_widths(), dtype_of(potential))


def dtype_of(module: nn.Module) -> torch.dtype:
    """Return the number type of the parameters of a module."""
    return next(module.parameters()).dtype


def _manifest(
    potentials: Sequence[Potential], name: str, licence: str, data: dict[str, Any], metrics: dict[str, Any]
) -> Manifest:
    first = potentials[0]
    description = first.describe()
    return Manifest(
        name=name,
        architecture=first.network.name,
        config=description,
        elements=first.elements,
        cutoff=first.cutoff(),
        receptive_field=first.receptive_field(),
        halo=first.halo(),
        exchange_widths=first.exchange_widths() * len(potentials),
        dtype="float64" if dtype_of(first) == torch.float64 else "float32",
        reference_energies=description["reference_energies"],
        n_members=len(potentials),
        torch_version=torch.__version__,
        n_parameters=sum(p.n_parameters for p in potentials),
        data=data,
        metrics=metrics,
        references=first.references,
        licence=licence,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _compare(potentials: Sequence[Potential], file: str) -> None:
    """Raise ModelError where the reloaded file and the potentials in memory disagree on a test structure."""
    loaded = load_model(file, device="cpu")
    graph = Graph.of(_probe(potentials[0]), Elements(potentials[0].elements), potentials[0].cutoff())
    graph = graph.to("cpu", loaded.dtype)
    expected = [predict(p.cpu(), graph) for p in potentials]
    got = loaded.predict(graph)
    pairs = {
        "energy": (got.energy, torch.stack([e.energy for e in expected]).mean(0)),
        "forces": (got.forces, torch.stack([e.forces for e in expected]).mean(0)),  # type: ignore[arg-type]
    }
    for quantity, (a, b) in pairs.items():
        difference = (a - b).abs().max().item()  # type: ignore[operator, union-attr]
        allowed = TOLERANCE[loaded.dtype] * max(1.0, b.abs().max().item())
        if not difference <= allowed:
            raise ModelError(f"the exported file gives another {quantity} than the potential (difference {difference:.3g}).")


def _probe(potential: Potential) -> Structure:
    """Return a small disordered periodic crystal with all elements in turn."""
    rng = np.random.default_rng(0)
    spacing = 0.55 * potential.cutoff()
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = spacing * (grid + 0.1 * rng.uniform(-1, 1, size=grid.shape))
    z = [atomic_number(e) for e in potential.elements]
    numbers = np.array([z[k % len(z)] for k in range(len(grid))])
    return Structure(numbers, positions, cell=3 * spacing * np.eye(3), pbc=np.ones(3, dtype=bool))
