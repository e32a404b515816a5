"""The optimizer, gradient clipping and weight-tied groups of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from unnp.train.config import OptimizerConfig
from unnp.train.soap import Soap, state_like


def build_optimizer(
    potential: nn.Module, config: OptimizerConfig, rates: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Return the optimizer; only matrices decay, biases and single numbers do not.

    Args:
        potential: what is trained.
        config: settings.
        rates: factor on the learning rate of each parameter by name, which its group keeps as ``factor``; parameters with 0 are
            left out. None: 1 for all.
    """
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in potential.named_parameters():
        factor = 1.0 if rates is None else rates[name]
        if factor > 0:
            groups.setdefault((parameter.dim() < 2, factor), []).append(parameter)
    kept = [
        {"params": groups[key], "weight_decay": 0.0 if key[0] else config.weight_decay, "factor": key[1]}
        for key in sorted(groups)
    ]
    if config.kind == "soap":
        return Soap(kept, lr=config.learning_rate, betas=config.betas, eps=config.epsilon)
    return torch.optim.AdamW(kept, lr=config.learning_rate, betas=config.betas, eps=config.epsilon, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all groups, each times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["factor"] * rate


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of the optimizer as ``<parameter number>.<name>``."""
    state = optimizer.state_dict()["state"]
    return {f"{k}.{name}": tensor for k, entry in state.items() for name, tensor in entry.items()}


def optimizer_sizes(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return tensors of the names, number types and shapes of ``optimizer_tensors`` after a step; values do not count."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    like = state_like if isinstance(optimizer, Soap) else _adam_like
    return {f"{k}.{name}": tensor for k, p in enumerate(parameters) for name, tensor in like(p).items()}


def _adam_like(parameter: Tensor) -> dict[str, Tensor]:
    return {"step": torch.zeros((), dtype=torch.float32), "exp_avg": parameter, "exp_avg_sq": parameter}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        k, _, name = key.partition(".")
        state.setdefault(int(k), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


@torch.no_grad()
def tie(groups: Sequence[Sequence[nn.Parameter]]) -> None:
    """Give all members of each group the value of the first."""
    for first, *others in groups:
        for other in others:
            other.copy_(first)


@torch.no_grad()
def sum_tied_gradients(groups: Sequence[Sequence[nn.Parameter]]) -> None:
    """Give all members of each group the sum of their gradients, so that equal members stay equal."""
    for group in groups:
        gradients = [p.grad for p in group if p.grad is not None]
        if gradients:  # none where they are frozen
            total = torch.stack(gradients).sum(0)
            torch._foreach_copy_(gradients, [total] * len(gradients))


@torch.no_grad()
def clip_gradients(gradients: Sequence[Tensor], limit: float | None) -> Tensor:
    """Scale gradients so that their common norm is at most ``limit``; return the norm before, on the device."""
    norm = torch.nn.utils.get_total_norm(list(gradients), foreach=True)
    if limit is not None:
        # on the device, without a look at the norm: 1e-12 is for gradients that are all 0
        torch._foreach_mul_(list(gradients), torch.clamp(limit / (norm + 1e-12), max=1.0))
    return norm
