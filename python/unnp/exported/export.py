"""From trained potentials to one TorchScript file that ASE and LAMMPS run."""

from __future__ import annotations

import copy
import datetime
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.elements import Elements, atomic_number
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.core import core
from unnp.derivatives import predict
from unnp.errors import ModelError
from unnp.exported.archive import checksum_of, inspect
from unnp.exported.loader import LoadedPotential, load_model
from unnp.exported.manifest import MANIFEST_NAME, Manifest, ManifestHead
from unnp.files.locks import hold_output
from unnp.files.writing import make_folder, write_atomically
from unnp.models import Potential
from unnp.models.committee import Committee
from unnp.models.validity import validity

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Largest difference between exported file and potential where forces are up to 1 eV/A, else in proportion to them."""


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
        potentials: potentials with one description (architecture, settings, elements) and different weights.
        path: file to write.
        name: name for people.
        licence: licence of the model.
        data: summary of the training data.
        metrics: errors on unseen data.

    Raises:
        ModelError: the potentials do not fit together, a weight is not finite, or the reloaded file disagrees.
        UnnpError: the file cannot be written, or another process writes it.
    """
    path = Path(path)
    _check(potentials)
    members = [copy.deepcopy(p).cpu().eval() for p in potentials]
    manifest = _manifest(members, name, licence, data or {}, metrics or {})
    core()  # the operators that the code of a model may name
    scripted = torch.jit.script(Committee(members))
    content, manifest = serialised(scripted, manifest)
    make_folder(path.parent)
    with hold_output(path):
        write_atomically(path, content, check=lambda written: _check_written(members, written))
    return manifest


def serialised(scripted: torch.jit.ScriptModule, manifest: Manifest) -> tuple[bytes, Manifest]:
    """Return the bytes of the file, and the manifest in it, which has their checksum."""

    def save(manifest: Manifest) -> bytes:
        file = io.BytesIO()  # torch aborts the process where it writes to a full disk itself
        torch.jit.save(scripted, file, _extra_files={MANIFEST_NAME: manifest.to_json().encode()})
        return file.getvalue()

    without = save(manifest.model_copy(update={"records_checksum": "0" * 64}))
    manifest = manifest.model_copy(update={"records_checksum": checksum_of(without)})
    return save(manifest), manifest


def _check_written(potentials: Sequence[Potential], file: Path) -> None:
    """Raise ModelError where the file would be refused, or gives other numbers than the potentials."""
    check_allowed(file)
    _compare(potentials, file)


def check_allowed(file: Path) -> None:
    """Raise ModelError where the readers would refuse the file, above all for an operator that is not on their list."""
    try:
        inspect(file)
    except ModelError as error:
        reason = str(error).removeprefix(f"{file} ").split(". Do not use this file")[0]
        raise ModelError(
            f"the exported file would be refused where it is opened: it {reason}. An architecture may use the functions that "
            "cpp/src/model_file/allowed.cpp lists; docs/architectures/adding.md says how to add one."
        ) from None


def _check(potentials: Sequence[Potential]) -> None:
    if not potentials:
        raise ModelError("no potential was given to export; give at least one run.")
    first = _structure_of(potentials[0])
    _check_reach(potentials[0])
    for k, potential in enumerate(potentials):
        if _structure_of(potential) != first:
            raise ModelError(
                f"member {k} of the committee differs from member 0 in architecture, cutoff, elements, outputs or number type; "
                "a committee is several trainings of one configuration with different seeds."
            )
        bad = [n for n, p in potential.named_parameters() if not bool(torch.isfinite(p).all())]
        if bad:
            raise ModelError(f"weights of {', '.join(bad[:3])} are not finite; export an earlier checkpoint.")


def _check_reach(potential: Potential) -> None:
    exchanges, reach = potential.communication().exchanges, potential.receptive_field()
    if exchanges and reach <= potential.cutoff():
        raise ModelError(
            f"{potential.architecture} exchanges features of its neighbours, but its settings say that it sees no farther than "
            f"its bonds, {reach:g} A; give its settings a `receptive_field`."
        )


def _structure_of(potential: Potential) -> tuple[Any, ...]:
    names = ([s.name for s in potential.summands()], [h.name for h in potential.heads])
    reach = (potential.cutoff(), potential.receptive_field(), potential.communication())
    return (names, potential.elements, reach, dtype_of(potential), potential.declared())


def dtype_of(potential: Potential) -> torch.dtype:
    """Return the number type of the parameters; of a potential without any, float64, in which it computes."""
    return next((p.dtype for p in potential.parameters()), torch.float64)


def _manifest(
    potentials: Sequence[Potential], name: str, licence: str, data: dict[str, Any], metrics: dict[str, Any]
) -> Manifest:
    first = potentials[0]
    communication = first.communication()
    return Manifest(
        name=name,
        architecture=first.architecture,
        config=first.describe(),
        elements=first.elements,
        cutoff=first.cutoff(),
        receptive_field=first.receptive_field(),
        halo=first.halo(),
        exchange_widths=communication.exchanges * len(potentials),
        pooling_widths=communication.sums * len(potentials),
        cost=first.cost(),
        dtype="float64" if dtype_of(first) == torch.float64 else "float32",
        heads=_heads(potentials),
        outputs=Committee(potentials).declared(),
        n_members=len(potentials),
        torch_version=torch.__version__,
        n_parameters=sum(p.n_parameters for p in potentials),
        data=data,
        validity=validity(data, first),
        metrics=metrics,
        references=first.references,
        licence=licence,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _heads(potentials: Sequence[Potential]) -> list[ManifestHead]:
    first = potentials[0]
    mean = torch.stack([p.reference_energies for p in potentials]).mean(0).tolist()
    return [
        ManifestHead(name=h.name, reference_energies=dict(zip(first.elements, e, strict=True)), groups=list(h.groups))
        for h, e in zip(first.heads, mean, strict=True)
    ]


def _compare(potentials: Sequence[Potential], file: Path) -> None:
    """Raise ModelError where the reloaded file and the potentials in memory disagree on a test structure."""
    loaded = load_model(file, device="cpu")
    graph = Graph.of(_probe(potentials[0]), Elements(potentials[0].elements), potentials[0].cutoff())
    graph = graph.to("cpu", loaded.dtype)
    expected = [predict(p, graph) for p in potentials]
    energies = torch.stack([e.atomic_energy for e in expected])
    forces = torch.stack([cast(Tensor, e.forces) for e in expected])
    found = loaded.predict(graph)
    members = loaded.module.members(*graph.arguments)
    pairs = {
        "energy": (found.atomic_energy, energies.mean(0)),
        "energy of a member": (members, energies),
        "force": (cast(Tensor, found.forces), forces.mean(0)),
        "force of a member": (loaded.members(graph)[1], forces),
    }
    # Not on the scale of the energies: reference energies may be thousands of eV.
    _check_equal(pairs, TOLERANCE[loaded.dtype] * max(1.0, forces.abs().max().item()))
    _compare_outputs(potentials, loaded, graph)


def _compare_outputs(potentials: Sequence[Potential], loaded: LoadedPotential, graph: Graph) -> None:
    """Raise ModelError where features or trained outputs of the reloaded file are not those of the potentials."""
    with torch.no_grad():
        expected = Committee(potentials).outputs(*graph.arguments)
    found = loaded.outputs(graph)
    for output in loaded.manifest.outputs:
        if output.name != "energy":
            a, b = found[output.name], expected[output.name]
            _check_equal({f"output '{output.name}'": (a, b)}, TOLERANCE[loaded.dtype] * max(1.0, _largest(b)))


def _check_equal(pairs: Mapping[str, tuple[Tensor, Tensor]], allowed: float) -> None:
    for quantity, (a, b) in pairs.items():
        difference = _largest(a - b)
        if not difference <= allowed:
            raise ModelError(
                f"the exported file gives another {quantity} than the potential (difference {difference:.3g})."
            )


def _largest(values: Tensor) -> float:
    """Return the largest absolute value; 0 of no values, as the features of a potential of terms alone are."""
    return values.abs().max().item() if values.numel() else 0.0


def _probe(potential: Potential) -> Structure:
    """Return a disordered periodic crystal with all elements in turn, and two atoms within the shortest cutoff."""
    rng = np.random.default_rng(0)
    spacing = 0.55 * potential.cutoff()
    n = max(3, math.ceil(len(potential.elements) ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = spacing * (grid + 0.1 * rng.uniform(-1, 1, size=grid.shape))
    positions[1] = positions[0] + [0, 0, 0.7 * min(a.config.cutoff for a in potential.summands())]
    z = [atomic_number(e) for e in potential.elements]
    numbers = np.array([z[k % len(z)] for k in range(len(grid))])
    return Structure(numbers, positions, cell=n * spacing * np.eye(3), pbc=np.ones(3, dtype=bool))
