"""The term of the curvature, which needs no label: against finite differences, and in a training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.data.dataset import Batch, Dataset, collate
from unnp.data.readers.reading import read_structures
from unnp.derivatives import predict
from unnp.models import (
    Head,
    Potential,
    PotentialConfig,
    Representation,
    TrainingData,
    architecture,
    architectures,
    build_potential,
)
from unnp.models.checkpoint import number_type
from unnp.train.config import TrainConfig
from unnp.train.log import read_log
from unnp.train.loss import Loss, LossConfig
from unnp.train.run import train
from unnp.train.terms.curvature import Curvature

ELEMENTS = Elements(["Al", "Cu"])
SETTINGS = {"cutoff": 4.0, "features": 8, "interactions": 2, "gaussians": 8}


NETWORKS = [name for name, kind in architectures().items() if issubclass(kind, Representation)]


@pytest.fixture(scope="module", params=NETWORKS)
def potential(request: pytest.FixtureRequest) -> Potential:
    torch.manual_seed(0)
    settings = architecture(request.param).example_settings
    with number_type("float64"):
        config = PotentialConfig(architecture=request.param, settings=settings)
        heads = [Head(1.0, {"Al": 0.0, "Cu": 0.0})]
        return build_potential(config, ELEMENTS.symbols, heads, TrainingData(20.0))


@pytest.fixture(scope="module")
def structures(data_files: dict[str, str]) -> list[Structure]:
    return read_structures(data_files["train"])[:3]


def batch_of(potential: Potential, structures: list[Structure]) -> Batch:
    dataset = Dataset(structures, ELEMENTS, potential.cutoff())
    return collate([dataset[k] for k in range(len(structures))])


def energy(potential: Potential, structure: Structure, positions: np.ndarray) -> float:
    moved = Structure(structure.numbers, positions, structure.cell, structure.pbc)
    return predict(potential, Graph.of(moved, ELEMENTS, potential.cutoff()), derivatives=False).energy.item()


def test_second_derivative_along_the_forces(potential: Potential, structures: list[Structure]) -> None:
    batch = batch_of(potential, structures)
    found = Curvature.along_forces(predict(potential, batch.graph, curvature=True), batch)
    for k, structure in enumerate(structures):
        forces = predict(potential, Graph.of(structure, ELEMENTS, potential.cutoff())).forces
        assert forces is not None
        direction, step = forces.numpy() / np.linalg.norm(forces.numpy()), 2e-4
        at = [energy(potential, structure, structure.positions + s * step * direction) for s in (1, 0, -1)]
        assert abs(found[k].item()) > 1e-4
        assert found[k].item() == pytest.approx((at[0] - 2 * at[1] + at[2]) / step**2, rel=1e-4)


def test_gradient_of_the_term_by_finite_differences(potential: Potential, structures: list[Structure]) -> None:
    batch = batch_of(potential, structures)
    loss = Loss(from_dict({"curvature": {"weight": 1.0, "limit": 0.0}}, LossConfig), batch_groups(structures))
    parameters = list(potential.parameters())
    direction = [torch.randn(p.shape, generator=torch.Generator().manual_seed(1), dtype=p.dtype) for p in parameters]

    def value() -> torch.Tensor:
        return loss.sums(predict(potential, batch.graph, curvature=True), batch)[-1]

    def shift(step: float) -> None:
        with torch.no_grad():
            torch._foreach_add_(parameters, direction, alpha=step)

    gradients = torch.autograd.grad(value(), parameters, allow_unused=True)
    slope = sum((g * d).sum().item() for g, d in zip(gradients, direction, strict=True) if g is not None)
    shift(1e-6)
    plus = value().item()
    shift(-2e-6)
    minus = value().item()
    shift(1e-6)
    assert slope == pytest.approx((plus - minus) / 2e-6, rel=1e-5)


def batch_groups(structures: list[Structure]) -> list[str]:
    return sorted({s.group for s in structures})


def test_what_is_below_the_limit_costs_nothing_and_lone_atoms_neither(potential: Potential) -> None:
    far = Structure(np.array([13, 29]), np.array([[0.0, 0, 0], [30, 0, 0]]))
    batch = batch_of(potential, [far])
    prediction = predict(potential, batch.graph, curvature=True)
    assert Curvature.along_forces(prediction, batch).tolist() == [0.0]
    loss = Loss(from_dict({"curvature": {"weight": 1.0, "limit": 1e9}}, LossConfig), [""])
    assert loss.sums(prediction, batch)[-1].item() == 0.0


def test_a_training_makes_the_curvature_small(
    configuration: Callable[..., TrainConfig], data_files: dict[str, str], tmp_path: Path
) -> None:
    potential = {"architecture": "schnet", "settings": SETTINGS}
    nothing = {"energy": {"weight": 0.0}, "forces": {"weight": 0.0}}
    for name, rows in (("free", {"forces": {"weight": 1.0}}), ("bound", {"curvature": {"weight": 1.0, "limit": 0.0}})):
        config = configuration(potential=potential, loss={**nothing, **rows, "energy": {"weight": 1e-3}}, epochs=12)
        train(config, tmp_path / name)
    first, *_, last = read_log(tmp_path / "bound/log.jsonl")
    assert last["loss_curvature"] < 0.2 * first["loss_curvature"]
    assert "loss_curvature" not in read_log(tmp_path / "free/log.jsonl")[0]
