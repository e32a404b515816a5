"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

BASIS_MEMORY = 0.95
"""Decay of the mean squares of the gradient whose eigenvectors are the basis."""
BASIS_INTERVAL = 10
"""Steps from one update of the basis to the next."""
TIE_BREAK = 1e-5
"""Share of the mean eigenvalue by which the coordinates are told apart where the first gradient says nothing."""
LONGEST_SIDE = 1024
"""Matrices with a longer side are treated as vectors are, by Adam in their own coordinates."""


class Soap(torch.optim.Optimizer):
    """For a matrix W with gradient G, running means ``L`` of ``G G^T`` and ``R`` of ``G^T G`` with eigenvectors Q_L and Q_R:
    Adam for ``Q_L^T G Q_R``, turned back. For all other parameters: AdamW.

    N. Vyas et al., SOAP: improving and stabilizing Shampoo using Adam, arXiv:2409.11321 (2024). The eigenvectors follow by
    one step of orthogonal iteration (a QR decomposition) every ten steps. A matrix of a network is badly scaled in
    combinations of its inputs and outputs, which Adam, entry by entry, cannot see.

    Args:
        params: parameters or groups of them, as for all optimizers of torch.
        lr: learning rate.
        betas: decay of the moments.
        eps: added to the root of the second moment.
        weight_decay: decoupled decay.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state.update({name: torch.zeros_like(like) for name, like in state_like(parameter).items()})
        state["step"] += 1
        if is_matrix(parameter) and state["step"] == 1:
            # In its own basis the first gradient is diagonal, and Adam would make unit steps of the rounding errors.
            _begin(gradient, state)
            return
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        if not is_matrix(parameter):
            parameter.sub_(group["lr"] * _adam(gradient, gradient, state, group))
            return
        left, right = state["left_basis"], state["right_basis"]
        change = _adam(gradient, left.T @ gradient @ right, state, group)
        parameter.sub_(group["lr"] * (left @ change @ right.T))
        _follow(gradient, state)


def is_matrix(parameter: Tensor) -> bool:
    """Return whether a parameter gets a basis of its own."""
    return parameter.dim() == 2 and min(parameter.shape) > 1 and max(parameter.shape) <= LONGEST_SIDE


def state_like(parameter: Tensor) -> dict[str, Tensor]:
    """Return tensors of the names, number types and shapes of a parameter's state; values do not count."""
    like = {"step": torch.zeros((), dtype=torch.float32), "exp_avg": parameter, "exp_avg_sq": parameter}
    if is_matrix(parameter):
        rows, columns = parameter.new_zeros(parameter.shape[0], 1), parameter.new_zeros(1, parameter.shape[1])
        left, right = rows @ rows.T, columns.T @ columns
        like |= {"left": left, "right": right, "left_basis": left, "right_basis": right}
    return like


def _begin(gradient: Tensor, state: dict[str, Tensor]) -> None:
    """Take the eigenvectors of the first gradient for the basis."""
    for side, square in (("left", gradient @ gradient.T), ("right", gradient.T @ gradient)):
        # Where the gradient is 0 any basis would do; this makes it one that rounding does not choose.
        order = torch.linspace(1, 0, len(square), dtype=torch.float64, device=square.device)
        square = square.double() + torch.diag(TIE_BREAK * square.diagonal().mean() * order)
        state[side].copy_(square)
        state[f"{side}_basis"].copy_(torch.linalg.eigh(square)[1].flip(1))


def _adam(gradient: Tensor, turned: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> Tensor:
    """Update the moments with a gradient and return Adam's change, without the learning rate, in the basis.

    The first moment is kept in the parameter's own coordinates, as the basis changes under it.

    Args:
        gradient: in the parameter's coordinates.
        turned: the same in the basis of a matrix.
        state: of the parameter.
        group: settings.
    """
    first, second = group["betas"]
    t = float(state["step"]) - ("left_basis" in state)  # the first gradient of a matrix made its basis
    mean = state["exp_avg"].lerp_(gradient, 1 - first)
    state["exp_avg_sq"].mul_(second).addcmul_(turned, turned, value=1 - second)
    if "left_basis" in state:
        mean = state["left_basis"].T @ mean @ state["right_basis"]
    root = (state["exp_avg_sq"] / (1 - second**t)).sqrt_().add_(group["eps"])
    return mean / (1 - first**t) / root


def _follow(gradient: Tensor, state: dict[str, Tensor]) -> None:
    """Update the mean squares of the gradient and, where it is due, the basis; the second moment follows its order."""
    state["left"].lerp_(gradient @ gradient.T, 1 - BASIS_MEMORY)
    state["right"].lerp_(gradient.T @ gradient, 1 - BASIS_MEMORY)
    if int(state["step"]) % BASIS_INTERVAL:
        return
    for axis, side in enumerate(("left", "right")):
        square, basis = state[side], state[f"{side}_basis"]
        turned = square @ basis
        order = (basis * turned).sum(0).argsort(descending=True, stable=True)
        state["exp_avg_sq"].copy_(state["exp_avg_sq"].index_select(axis, order))
        basis.copy_(torch.linalg.qr(turned.index_select(1, order))[0])
