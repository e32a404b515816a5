"""The loss table against sums done by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from unnp.atoms.graph import Graph
from unnp.config import from_dict
from unnp.data.dataset import Batch, Labels
from unnp.derivatives import Prediction, predict
from unnp.errors import ConfigError
from unnp.train.loss import Loss, LossConfig
from unnp.train.terms.robust import DEVIATIONS, robust_error, spread

NAN = float("nan")


def make_batch(**labels: Any) -> Batch:
    """Two structures, of one and of two atoms; groups 0 and 1."""
    tensors = {
        "energy": torch.tensor([1.0, 2.0]),
        "forces": torch.zeros(3, 3),
        "stress": torch.zeros(2, 3, 3),
        **labels,
    }
    graph = Graph(
        torch.zeros(3, dtype=torch.int64),
        torch.zeros(2, 0, dtype=torch.int64),
        torch.zeros(0, 3),
        torch.tensor([0, 1, 1]),
        torch.tensor([10.0, 20.0], dtype=torch.float64),
    )
    return Batch(graph, Labels({k: v.double() for k, v in tensors.items()}, torch.tensor([0, 1])))


def make_prediction(requires_grad: bool = False) -> Prediction:
    energy = torch.tensor([1.5, 5.0], dtype=torch.float64, requires_grad=requires_grad)
    forces = torch.full((3, 3), 0.5, requires_grad=requires_grad)
    stress = torch.full((2, 3, 3), 0.1, dtype=torch.float64, requires_grad=requires_grad)
    return Prediction(energy, torch.zeros(3), forces, stress)


def terms(table: dict[str, Any], batch: Batch, prediction: Prediction) -> list[float]:
    loss = Loss(from_dict(table, LossConfig), ["a", "b"])
    return (loss.sums(prediction, batch)[:3] / loss.counts(batch)[:3]).tolist()


def test_mean_square_of_energy_per_atom_force_and_stress_components() -> None:
    table = {"stress": {"weight": 1.0}}
    expected = [(0.5**2 + (3.0 / 2) ** 2) / 2, 0.25, 0.01]
    assert terms(table, make_batch(), make_prediction()) == pytest.approx(expected)


def test_mean_absolute_and_huber() -> None:
    table = {"energy": {"kind": "huber", "delta": 1.0}, "forces": {"kind": "mae"}}
    expected = [(0.5 * 0.25 + 1.0 * (1.5 - 0.5)) / 2, 0.5, 0.0]
    assert terms(table, make_batch(), make_prediction()) == pytest.approx(expected)


def test_group_weights_multiply_the_terms_of_their_structures() -> None:
    table = {"group_weights": {"b": 3.0}, "stress": {"weight": 1.0}}
    forces = (3 * 1 + 6 * 3) * 0.25 / 9
    expected = [(0.25 + 3 * 2.25) / 2, forces, (1 + 3) * 0.01 / 2]
    assert terms(table, make_batch(), make_prediction()) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["mse", "mae", "huber"])
def test_absent_labels_take_no_part_and_leave_gradients_finite(kind: str) -> None:
    row = {"weight": 1.0, "kind": kind} | ({"delta": 0.1} if kind == "huber" else {})
    loss = Loss(from_dict({"energy": row, "forces": row, "stress": row}, LossConfig), ["a", "b"])
    forces = torch.zeros(3, 3)
    forces[1:] = NAN
    stress = torch.zeros(2, 3, 3)
    stress[0] = NAN
    batch = make_batch(energy=torch.tensor([NAN, 2.0]), forces=forces, stress=stress)
    assert loss.counts(batch)[:3].tolist() == [1, 3, 9]
    prediction = make_prediction(requires_grad=True)
    (loss.sums(prediction, batch)[:3] / loss.counts(batch)[:3]).sum().backward()
    assert prediction.forces is not None
    assert prediction.stress is not None
    for tensor, present in ((prediction.energy, 1), (prediction.forces, 3), (prediction.stress, 9)):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert int((tensor.grad != 0).sum()) == present


def test_stress_of_a_cluster_does_not_spoil_the_gradients_of_the_weights() -> None:
    class Springs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.strength = torch.nn.Parameter(torch.tensor(2.0))

        def forward(
            self, species: Any, index: Any, vector: Any, graph: Any, head: Any, n_updated: int, halo: int
        ) -> torch.Tensor:
            energy = self.strength * vector.square().sum(1)
            return energy.new_zeros(n_updated).index_add(0, index[0], energy)

    batch = make_batch()
    graph = replace(
        batch.graph,
        bond_index=torch.tensor([[1], [2]]),
        bond_vector=torch.tensor([[1.0, 2.0, 0.5]]),
        volume=torch.tensor([NAN, NAN], dtype=torch.float64),
    )
    batch = Batch(graph, batch.labels)
    springs = Springs()
    loss = Loss(from_dict({"stress": {"weight": 1.0}}, LossConfig), ["a", "b"])
    prediction = predict(springs, graph, training=True)
    assert prediction.stress is not None
    assert prediction.stress.isnan().all()
    assert loss.counts(batch)[2] == 0
    loss.sums(prediction, batch).sum().backward()
    assert springs.strength.grad is not None
    assert math.isfinite(springs.strength.grad.item())
    assert springs.strength.grad.item() != 0


def test_weights_change_by_equal_factors_between_the_points_and_stay_after_the_last() -> None:
    table = from_dict({"energy": {"weight": 0.1, "schedule": [[0.5, 1.0], [0.7, 1.0], [0.9, 100.0]]}}, LossConfig)
    loss = Loss(table, [])
    found = [loss.weights(p)["energy"] for p in (0.0, 0.25, 0.5, 0.6, 0.8, 0.9, 1.0)]
    assert found == pytest.approx([0.1, 0.1 * 10**0.5, 1.0, 1.0, 10.0, 100.0, 100.0])


def test_a_weight_comes_from_0_along_a_line() -> None:
    table = from_dict({"stress": {"weight": 0.0, "schedule": [[0.5, 4.0]]}}, LossConfig)
    assert [Loss(table, []).weights(p)["stress"] for p in (0.0, 0.25, 0.5)] == pytest.approx([0.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"kind": "huber"}, "delta"),
        ({"delta": 1.0}, "delta"),
        ({"weight": -1.0}, "greater than or equal to 0"),
        ({"kind": "mean"}, "'mse', 'mae' or 'huber'"),
        ({"wieght": 1.0}, "Did you mean 'weight'"),
        ({"schedule": [[0.5, 1.0], [0.4, 2.0]]}, "rising fractions"),
        ({"schedule": [[1.5, 1.0]]}, "rising fractions"),
        ({"schedule": [[0.5]]}, "schedule"),
    ],
)
def test_wrong_rows_are_explained(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict({"energy": row}, LossConfig)


def test_unknown_group_is_explained() -> None:
    with pytest.raises(ConfigError, match=r"unknown group 'surfase'.*Did you mean 'surface'"):
        Loss(from_dict({"group_weights": {"surfase": 2.0}}, LossConfig), ["bulk", "surface"])


def test_labels_of_robust_groups_count_by_the_biweight_on_their_own_scale() -> None:
    n, far = 9, 40.0
    residuals = torch.linspace(-0.4, 0.4, n, dtype=torch.float64)
    residuals[-1] = far
    graph = Graph(
        torch.zeros(n + 1, dtype=torch.int64),
        torch.zeros(2, 0, dtype=torch.int64),
        torch.zeros(0, 3),
        torch.arange(n + 1),
        torch.full((n + 1,), 10.0, dtype=torch.float64),
    )
    group = torch.tensor([0] * n + [1])
    batch = Batch(graph, Labels({"energy": torch.zeros(n + 1, dtype=torch.float64)}, group))
    energy = torch.cat([residuals, torch.tensor([far], dtype=torch.float64)]).requires_grad_()
    table = {"robust_groups": ["a"], "forces": {"weight": 0}}
    loss = Loss(from_dict(table, LossConfig), ["a", "b"])
    total = loss.sums(Prediction(energy, torch.zeros(n + 1)), batch)[0]
    total.backward()
    median = sorted(residuals.tolist())[n // 2]
    scale = 1.4826 * sorted(abs(r - median) for r in residuals.tolist())[n // 2]
    c = 4.6851 * scale

    def rho(r: float) -> float:
        return c**2 / 3 * (1 - (1 - min(1.0, (r / c) ** 2)) ** 3)

    assert total.item() == pytest.approx(sum(map(rho, residuals.tolist())) + far**2)  # group b stays a square
    assert energy.grad is not None
    assert energy.grad[n - 1] == 0.0
    assert energy.grad[n] == pytest.approx(2 * far)
    slope = (rho(-0.4 + 1e-6) - rho(-0.4 - 1e-6)) / 2e-6
    assert energy.grad[0].item() == pytest.approx(slope, rel=1e-6)
    assert rho(1e-3 * scale) == pytest.approx((1e-3 * scale) ** 2, rel=1e-5)


@pytest.mark.parametrize("alike", [[30.0], [30.0, 30.0], [0.0, 1e-30, 2e-30, 1e-9, 30.0]])
def test_robust_labels_without_a_spread_have_a_gradient(alike: list[float]) -> None:
    """One label in the last batch of an epoch, or forces that symmetry makes zero: nothing tells which are far off."""
    residual = torch.tensor([*alike, 7.0], requires_grad=True)
    doubtful = torch.tensor([True] * len(alike) + [False])
    robust_error(residual, residual.square(), doubtful).sum().backward()
    assert residual.grad is not None
    assert torch.equal(residual.grad, 2 * residual.detach())


def test_a_single_robust_label_is_a_square_and_groups_are_checked() -> None:
    table = {"robust_groups": ["b"]}
    expected = [(0.5**2 + (3.0 / 2) ** 2) / 2, 0.25, 0.0]
    assert terms(table, make_batch(), make_prediction()) == pytest.approx(expected)
    with pytest.raises(ConfigError, match=r"loss\.robust_groups: .*c"):
        Loss(from_dict({"robust_groups": ["c"]}, LossConfig), ["a", "b"])


@pytest.mark.parametrize(
    ("residuals", "expected"),
    [([1.0, 4.0], 1.5), ([0.0, 1.0, 3.0, 9.0], 1.5), ([0.0, 1.0, 3.0], 1.0), ([5.0], 0.0)],
)
def test_the_scale_is_the_median_deviation_from_the_median_of_even_numbers_too(
    residuals: list[float], expected: float
) -> None:
    assert spread(torch.tensor(residuals)).item() == pytest.approx(DEVIATIONS * expected)
