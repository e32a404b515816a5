"""Losses on energies, forces and stresses can be differentiated by every parameter, also where atoms sit symmetrically."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unnp.atoms.structure import Structure
from unnp.derivatives import Prediction, predict
from unnp.models import Potential
from unnp.models.still import check_still
from unnp.testing.checking import CheckSkipped, Measurement, at_most, check, is_true
from unnp.testing.subject import Subject


def loss_of(prediction: Prediction) -> Tensor:
    """Return a number that depends on energy, forces and stress."""
    assert prediction.forces is not None
    assert prediction.stress is not None
    stress = torch.where(prediction.stress.isnan(), 0.0, prediction.stress)
    return prediction.energy.square().sum() + (prediction.forces - 0.1).square().sum() + stress.square().sum()


def _symmetric_structures(subject: Subject) -> dict[str, Structure]:
    cell = 0.8 * subject.cutoff * np.eye(3)
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) @ cell
    return {
        "perfect fcc": Structure(np.full(4, subject.numbers[0]), fcc, cell, np.ones(3, dtype=bool)),
        "dimer": subject.atoms([[0, 0, 0], [0, 0, 0.6]], [0, 1]),
        "dimer at the cutoff": subject.atoms([[0, 0, 0], [0, 0, 1.0]], [0, 0]),
        "line": subject.atoms([[0, 0, -0.6], [0, 0, 0], [0, 0, 0.6]], [1, 0, 1]),
        "single atom": subject.atoms([[0, 0, 0]], [0]),
        "nothing": subject.atoms([], []),
    }


def _trainable(subject: Subject) -> Potential:
    if not list(subject.potential.parameters()):
        raise CheckSkipped("it has no parameters.")
    return copy.deepcopy(subject.potential)


def _gradients(potential: Potential, subject: Subject, structure: Structure) -> tuple[Prediction, list[Tensor | None]]:
    potential.zero_grad()
    prediction = predict(potential, subject.graph(structure), training=True)
    loss_of(prediction).backward()
    return prediction, [parameter.grad for parameter in potential.parameters()]


@check
def check_finite_gradients(subject: Subject) -> Iterator[Measurement]:
    """Forces, and the gradients of a loss on them, are finite for perfect crystals, lines, pairs, single atoms and none."""
    potential = _trainable(subject)
    for name, structure in _symmetric_structures(subject).items():
        prediction, gradients = _gradients(potential, subject, structure)
        assert prediction.forces is not None
        yield is_true(f"finite forces, {name}", torch.isfinite(prediction.forces).all())
        yield is_true(f"finite gradients, {name}", all(g is None or bool(torch.isfinite(g).all()) for g in gradients))


@check
def check_every_parameter_takes_part(subject: Subject) -> Iterator[Measurement]:
    """A loss on energy, forces and stress has a gradient for every parameter."""
    potential = _trainable(subject)
    _, gradients = _gradients(potential, subject, subject.crystal())
    without = [name for (name, _), g in zip(potential.named_parameters(), gradients, strict=True) if g is None]
    yield at_most(f"parameters without a gradient ({', '.join(without[:3]) or 'none'})", len(without), 0)


@check
def check_gradient_of_the_loss(subject: Subject) -> Iterator[Measurement]:
    """The gradient of a loss on forces and stress, differentiated twice, is that of finite differences."""
    potential, structure = _trainable(subject), subject.crystal()
    _, gradients = _gradients(potential, subject, structure)
    torch.manual_seed(5)
    parameters = list(potential.parameters())
    direction = [torch.randn_like(p) for p in parameters]
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, direction, strict=True) if g is not None)
    step, reached, losses = 1e-5, 0, {}
    for steps in (-2, -1, 1, 2):
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p.add_((steps - reached) * step * d)
        reached = steps
        losses[steps] = float(loss_of(predict(potential, subject.graph(structure))))
    # of fourth order: along a direction of many parameters the error of second order would be above what is allowed
    found = (8 * (losses[1] - losses[-1]) - (losses[2] - losses[-2])) / (12 * step)
    yield at_most("relative error of the slope along random parameters", abs(slope - found), 1e-6 * abs(found))


@check
def check_tied_parameters(subject: Subject) -> Iterator[Measurement]:
    """Parameters that are one during a weight-tied warm start are the architecture's own, of one shape, and in one group."""
    own = {id(p) for p in subject.potential.parameters()}
    groups = subject.potential.tied_parameters()
    members = [id(p) for group in groups for p in group]
    yield is_true("groups of several parameters", all(len(group) > 1 for group in groups))
    yield is_true("one shape in each group", all(len({p.shape for p in group}) == 1 for group in groups))
    yield is_true("parameters of the potential", set(members) <= own)
    yield is_true("each in one group", len(set(members)) == len(members))


@check
def check_nothing_moves_by_itself(subject: Subject) -> Iterator[Measurement]:
    """No buffer changes by itself, and energies are the same in training and in use."""
    check_still(copy.deepcopy(subject.potential))
    yield is_true("what moves by itself is refused", True)
