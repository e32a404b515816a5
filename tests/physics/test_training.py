"""Losses on energies, forces and stresses can be differentiated by every parameter, also where atoms sit symmetrically."""

import numpy as np
import pytest
import torch
from unnp.atoms.structure import Structure
from unnp.derivatives import predict


def loss_of(prediction) -> torch.Tensor:
    stress = torch.where(prediction.stress.isnan(), 0.0, prediction.stress)
    return prediction.energy.square().sum() + (prediction.forces - 0.1).square().sum() + stress.square().sum()


def fcc(model) -> Structure:
    positions = 0.8 * model.cutoff * np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return Structure(np.full(4, 13), positions, 0.8 * model.cutoff * np.eye(3), np.ones(3, dtype=bool))


STRUCTURES = {
    "perfect fcc": fcc,
    "dimer": lambda model: model.atoms([[0, 0, 0], [0, 0, 0.6]], [0, 1]),
    "dimer at the cutoff": lambda model: model.atoms([[0, 0, 0], [0, 0, 1.0]], [0, 0]),
    "line": lambda model: model.atoms([[0, 0, -0.6], [0, 0, 0], [0, 0, 0.6]], [1, 0, 1]),
    "single atom": lambda model: model.atoms([[0, 0, 0]], [0]),
    "nothing": lambda model: model.atoms([], []),
}


@pytest.fixture
def trained(model):
    if not list(model.potential.parameters()):
        pytest.skip(f"{model.name} has no parameters")
    model.potential.zero_grad()
    yield model
    model.potential.zero_grad()


@pytest.mark.parametrize("name", STRUCTURES)
def test_gradients_are_finite(trained, name):
    graph = trained.graph(STRUCTURES[name](trained))
    prediction = predict(trained.potential, graph, training=True)
    loss_of(prediction).backward()
    assert torch.isfinite(prediction.forces).all()
    for parameter_name, parameter in trained.potential.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), parameter_name


def test_every_parameter_takes_part(trained):
    loss_of(predict(trained.potential, trained.graph(trained.crystal()), training=True)).backward()
    without = [n for n, p in trained.potential.named_parameters() if p.grad is None]
    assert not without


def test_gradient_of_the_loss_by_differences(trained):
    """Along a random direction in the space of the parameters; forces and stress are differentiated twice."""
    graph, parameters = trained.graph(trained.crystal()), list(trained.potential.parameters())
    loss_of(predict(trained.potential, graph, training=True)).backward()
    torch.manual_seed(5)
    direction = [torch.randn_like(p) for p in parameters]
    slope = sum((p.grad * d).sum().item() for p, d in zip(parameters, direction, strict=True) if p.grad is not None)
    step, losses = 1e-5, []
    for move in (step, -2 * step, step):
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p += move * d
        losses.append(loss_of(trained.predict(graph)).item())
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slope, rel=1e-6)


def test_tied_parameters_have_equal_shapes(model):
    own = {id(p) for p in model.potential.parameters()}
    seen: set[int] = set()
    for group in model.potential.tied_parameters():
        assert len(group) > 1
        assert len({p.shape for p in group}) == 1
        members = {id(p) for p in group}
        assert members <= own
        assert not members & seen
        seen |= members
