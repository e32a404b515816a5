"""SOAP: the optimizer in the eigenbasis of the gradients."""

import pytest
import torch
from torch import Tensor, nn
from unnp.train.config import OptimizerConfig
from unnp.train.optim import build_optimizer, optimizer_sizes, optimizer_tensors, restore_optimizer
from unnp.train.soap import LONGEST_SIDE, Soap, is_matrix


def problem(seed: int = 0) -> tuple[nn.Parameter, Tensor, Tensor]:
    """Return a matrix to be found, badly scaled inputs in a turned basis, and their outputs."""
    generator = torch.Generator().manual_seed(seed)
    turned, _ = torch.linalg.qr(torch.randn(8, 8, generator=generator))
    inputs = torch.randn(400, 8, generator=generator) * torch.logspace(0, -1.5, 8) @ turned
    target = torch.randn(8, 5, generator=generator)
    return nn.Parameter(torch.zeros(8, 5)), inputs, inputs @ target


def loss_after(kind: str, steps: int) -> float:
    matrix, inputs, outputs = problem()
    holder = nn.Module()
    holder.matrix = matrix
    optimizer = build_optimizer(holder, OptimizerConfig(kind=kind, weight_decay=0.0, betas=(0.9, 0.95)))
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (inputs @ matrix - outputs).square().mean()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = 0.03
        optimizer.step()
    return (inputs @ matrix - outputs).square().mean().item()


def test_it_finds_a_badly_scaled_matrix_sooner_than_adam() -> None:
    assert loss_after("soap", 150) < 0.2 * loss_after("adamw", 150)


def test_the_first_gradient_makes_the_basis_and_the_second_a_step_of_adam_in_it() -> None:
    matrix = nn.Parameter(torch.zeros(4, 4))
    first, second = torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(1))
    optimizer = Soap([matrix], lr=0.5)
    matrix.grad = first.clone()
    optimizer.step()
    assert matrix.abs().max() == 0
    matrix.grad = second.clone()
    optimizer.step()
    u, _, v = torch.linalg.svd(first)
    change = u.T @ (-matrix.detach() / 0.5) @ v.T
    torch.testing.assert_close(change.abs(), torch.ones(4, 4), atol=1e-3, rtol=0)
    torch.testing.assert_close(change.sign(), (u.T @ second @ v.T).sign(), atol=0, rtol=0)


def test_the_basis_stays_orthogonal_and_follows_the_gradients() -> None:
    matrix, inputs, outputs = problem(3)
    optimizer = Soap([matrix], lr=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        (inputs @ matrix - outputs).square().mean().backward()
        optimizer.step()
    state = optimizer.state[matrix]
    basis, square = state["left_basis"], state["left"]
    torch.testing.assert_close(basis.T @ basis, torch.eye(8), atol=1e-5, rtol=0)
    inside = basis.T @ square @ basis
    off = inside - torch.diag(inside.diag())
    assert off.norm() < 0.05 * inside.norm()
    assert (state["exp_avg_sq"] >= 0).all()


@pytest.mark.parametrize("shape", [(5,), (1, 6), (3, 1), (2, 3, 4), (LONGEST_SIDE + 1, 2), ()])
def test_what_is_no_matrix_is_treated_as_by_adam(shape: tuple[int, ...]) -> None:
    start = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    one, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    assert not is_matrix(one)
    optimizers = [Soap([one], lr=0.01, weight_decay=0.1), torch.optim.AdamW([other], lr=0.01, weight_decay=0.1)]
    for k in range(12):
        for parameter, optimizer in zip((one, other), optimizers, strict=True):
            parameter.grad = torch.cos(parameter.detach() + k)
            optimizer.step()
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["soap", "adamw"])
def test_the_state_is_as_large_as_said_and_continues_to_the_same_bits(kind: str) -> None:
    def steps(optimizer: torch.optim.Optimizer, model: nn.Module, first: int, last: int) -> None:
        for k in range(first, last):
            optimizer.zero_grad()
            model(torch.sin(torch.arange(12.0).view(3, 4) + k)).square().sum().backward()
            optimizer.step()

    def make() -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        return model, build_optimizer(model, OptimizerConfig(kind=kind))

    whole, optimizer = make()
    steps(optimizer, whole, 0, 25)
    part, before = make()
    steps(before, part, 0, 13)
    kept = {name: tensor.clone() for name, tensor in optimizer_tensors(before).items()}
    sizes = {name: (tensor.shape, tensor.dtype) for name, tensor in optimizer_sizes(before).items()}
    assert sizes == {name: (tensor.shape, tensor.dtype) for name, tensor in kept.items()}
    weights = {name: tensor.clone() for name, tensor in part.state_dict().items()}
    again, after = make()
    again.load_state_dict(weights)
    restore_optimizer(after, kept)
    steps(after, again, 13, 25)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
