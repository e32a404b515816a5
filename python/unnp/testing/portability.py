"""The same numbers from TorchScript, from an exported file, from a description and in other number types."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from unnp.core import core
from unnp.derivatives import predict
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import potential_from_description
from unnp.models.checkpoint import number_type
from unnp.testing.checking import CheckSkipped, Measurement, at_most, check, close, is_true
from unnp.testing.subject import Subject, size_of


@check
def check_torchscript(subject: Subject) -> Iterator[Measurement]:
    """TorchScript gives what Python gives, also when it has begun to optimise."""
    core()  # the operators that the code names
    scripted = torch.jit.script(subject.potential)
    for kind, structure in subject.structures().items():
        graph = subject.graph(structure)
        for _ in range(3):  # the profiling executor takes other paths from the second call on
            eager, other = subject.predict(graph), predict(scripted, graph)
            yield close(f"energies of the {kind}", other.atomic_energy, eager.atomic_energy, 1e-12 * size_of(eager))
            yield close(f"forces of the {kind}", other.forces, eager.forces, 1e-11 * size_of(eager))


@check
def check_exported_file(subject: Subject) -> Iterator[Measurement]:
    """The exported file gives what the potential in memory gives."""
    for kind, structure in subject.structures().items():
        graph = subject.graph(structure)
        expected = subject.predict(graph, atomic_virial=True)
        found = subject.exported.predict(graph, atomic_virial=True)
        for name in ("energy", "atomic_energy", "forces", "stress", "atomic_virial"):
            what = f"{name.replace('_', ' ')} of the {kind}"
            yield close(what, getattr(found, name), getattr(expected, name), 1e-11 * size_of(expected))


@check
def check_manifest(subject: Subject) -> Iterator[Measurement]:
    """The exported file says of itself what is true of the potential."""
    manifest, potential = subject.exported.manifest, subject.potential
    yield is_true("the name of the architecture", manifest.architecture == subject.name)
    yield is_true("the cutoff", manifest.cutoff == potential.cutoff())
    yield is_true("the receptive field", manifest.receptive_field == potential.receptive_field())
    yield is_true("a receptive field of a cutoff or more", manifest.receptive_field >= manifest.cutoff)
    yield is_true("the halo", manifest.halo == potential.halo())
    yield is_true("the widths of the exchanges", manifest.exchange_widths == potential.communication().exchanges)
    yield is_true("the widths of the sums over all atoms", manifest.pooling_widths == potential.communication().sums)
    yield is_true("the number of parameters", manifest.n_parameters == potential.n_parameters)
    yield is_true("the reference energies", manifest.heads[0].reference_energies == subject.reference_energies)
    yield is_true("the references", manifest.references == potential.references)


@check
def check_description(subject: Subject) -> Iterator[Measurement]:
    """Description and weights are everything: a potential built of them gives the same energies."""
    with number_type("float64"):
        other = potential_from_description(subject.potential.describe())
    other.load_state_dict(subject.potential.state_dict())
    expected, found = subject.predict(subject.crystal()), predict(other, subject.graph(subject.crystal()))
    yield close("energies", found.atomic_energy, expected.atomic_energy, 1e-12 * size_of(expected))
    yield is_true("the same description", other.describe() == subject.potential.describe())


@check
def check_seeds(subject: Subject) -> Iterator[Measurement]:
    """The seed decides on the weights."""
    if not list(subject.potential.parameters()):
        raise CheckSkipped("it has no parameters.")
    first, same, other = (subject.build(seed=seed).state_dict() for seed in (0, 0, 1))
    yield is_true("one seed, one potential", all(torch.equal(first[name], same[name]) for name in first))
    yield is_true("another seed, another potential", not all(torch.equal(first[name], other[name]) for name in first))


@check
def check_float32(subject: Subject) -> Iterator[Measurement]:
    """Computed in float32, summed in float64; weights made in float32 give the same when they are converted to float64."""
    single, graph = subject.build("float32"), subject.graph(subject.crystal())
    found = predict(single, graph.to("cpu", torch.float32))
    yield is_true("energies in float64", found.energy.dtype == torch.float64)
    path = subject.folder / "single.pt"
    export_model([single], path, name="single")
    double = load_model(path, device="cpu", dtype="float64")
    expected = double.predict(graph)
    made_in = "float32" if list(single.parameters()) else "float64"
    yield is_true("the number type in the manifest", double.manifest.dtype == made_in)
    largest = max(size_of(expected), float(expected.atomic_energy.abs().max()))
    # The argument n pi r / cutoff of a radial sine is 25 for n = 8, which float32 holds to 1e-6.
    yield close("energies", found.atomic_energy, expected.atomic_energy, 3e-6 * largest)
    yield close("forces", found.forces, expected.forces, 1e-5 * size_of(expected))


@check
def check_conversion(subject: Subject) -> Iterator[Measurement]:
    """Reference energies stay as they are when a potential is converted to float32."""
    potential = subject.build().float()
    kept = potential.describe()["heads"][0]["reference_energies"]
    yield is_true("the reference energies", kept == subject.reference_energies)
    alone = subject.graph(subject.atoms([[0, 0, 0]], [1])).to("cpu", torch.float32)
    reference = subject.reference_energies[subject.symbols[1]]
    yield at_most("error of a lone atom", (predict(potential, alone).energy - reference).abs().max(), 2e-6)
