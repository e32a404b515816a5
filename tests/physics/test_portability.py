"""The same numbers from TorchScript, from an exported file, from a description and in other number types."""

import numpy as np
import pytest
import torch
from unnp.core import core
from unnp.derivatives import predict
from unnp.exported.export import export_model
from unnp.exported.loader import load_model
from unnp.models import potential_from_description


@pytest.mark.parametrize("kind", ["crystal", "cluster"])
def test_torchscript_is_eager(model, kind):
    graph = model.graph(getattr(model, kind)())
    scripted = torch.jit.script(model.potential)
    for _ in range(3):  # the profiling executor takes other paths from the second call on
        eager, other = model.predict(graph), predict(scripted, graph)
        size = max(eager.forces.abs().max().item(), 1.0)
        np.testing.assert_allclose(other.atomic_energy, eager.atomic_energy, atol=1e-12 * size)
        np.testing.assert_allclose(other.forces, eager.forces, atol=1e-11 * size)


@pytest.mark.parametrize("kind", ["crystal", "cluster"])
def test_exported_file(model, exported, kind):
    graph = model.graph(getattr(model, kind)())
    expected, found = model.predict(graph, atomic_virial=True), exported.predict(graph, atomic_virial=True)
    size = max(expected.forces.abs().max().item(), 1.0)
    for name in ("energy", "atomic_energy", "forces", "stress", "atomic_virial"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-11 * size, err_msg=name)


def test_manifest(model, exported):
    manifest = exported.manifest
    assert manifest.architecture == model.name
    assert manifest.cutoff == model.potential.cutoff()
    assert manifest.receptive_field == model.potential.receptive_field() >= manifest.cutoff
    assert manifest.halo == model.potential.halo()
    assert manifest.exchange_widths == model.potential.exchange_widths()
    assert manifest.n_parameters == model.potential.n_parameters
    assert manifest.heads[0].reference_energies == {"Al": -3.125, "Ni": 2.71828182845904}
    assert manifest.references == model.potential.references


def test_description_and_weights_are_everything(model):
    other = potential_from_description(model.potential.describe()).double()
    other.load_state_dict(model.potential.state_dict())
    expected, found = model.predict(model.crystal()), predict(other, model.graph(model.crystal()))
    np.testing.assert_allclose(found.atomic_energy, expected.atomic_energy, atol=1e-6)  # buffers were made in float32
    assert other.describe() == model.potential.describe()


def test_seeds(model):
    if not list(model.potential.parameters()):
        pytest.skip(f"{model.name} has no parameters")
    first, same, other = model.build().state_dict(), model.build().state_dict(), model.build(seed=1).state_dict()
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_float32(model, tmp_path):
    """Computed in float32, summed in float64; weights made in float32 give the same energies when converted to float64."""
    single = model.build("float32")
    graph = model.graph(model.crystal())
    found = predict(single, graph.to("cpu", torch.float32))
    assert found.energy.dtype == torch.float64
    export_model([single], tmp_path / "single.pt", name="single")
    double = load_model(tmp_path / "single.pt", device="cpu", dtype="float64")
    expected = double.predict(graph)
    assert double.manifest.dtype == ("float32" if list(single.parameters()) else "float64")
    size = max(expected.forces.abs().max().item(), 1.0)
    np.testing.assert_allclose(found.atomic_energy, expected.atomic_energy, atol=1e-6 * size)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-5 * size)


def test_conversion_keeps_reference_energies(model):
    potential = model.build().float()
    assert potential.describe()["heads"][0]["reference_energies"] == {"Al": -3.125, "Ni": 2.71828182845904}
    alone = model.graph(model.atoms([[0, 0, 0]], [1])).to("cpu", torch.float32)
    assert predict(potential, alone).energy.item() == pytest.approx(2.71828182845904, rel=0, abs=2e-6)


def test_the_compiled_ops_are_loaded():
    assert core().build_info()["torch_built"].split(".")[:2] == torch.__version__.split(".")[:2]
