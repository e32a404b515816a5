"""The fused bond operators against their plain twins: times of value, gradient and second derivative, beside the floor.

The floor is what the machine allows: every array read or written once at the measured bandwidth of a copy, or the arithmetic
at the measured rate of a matrix product, whichever is longer. One thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from measuring import Report, Row, nickel
from torch import Tensor
from unnp.nn import bonds

ORDERS = ["forward", "backward", "double backward"]
# Vectors, tensors and projections of preset M, and its hidden width, which is summed as scalars too.
CHANNELS, HIDDEN, SCALARS = 16, 48, 48


@dataclass(frozen=True)
class Op:
    """An operator: both forms as functions of the same differentiable inputs, and its arithmetic.

    Attributes:
        flops: of the value, per bond, counted in cpp/src/ops/kernels (an exponential as 10). A gradient takes at least twice
            as many; the second derivative runs value and gradient with their directional derivatives, three times both.
    """

    name: str
    fused: Callable[..., Tensor]
    plain: Callable[..., Tensor]
    inputs: list[Tensor]
    flops: int

    def total_flops(self, order: str) -> int:
        """Return the arithmetic of an order of differentiation for all bonds."""
        n_bonds = self.inputs[-1].shape[0]
        return n_bonds * self.flops * {"forward": 1, "backward": 2, "double backward": 9}[order]


def operators(n_atoms: int) -> list[Op]:
    """Return the operators on the bonds of an fcc crystal with cutoff 5 A; the last input of each has a row per bond."""
    from unnp.atoms.elements import Elements
    from unnp.atoms.graph import Graph
    from unnp.atoms.structure import Structure

    graph = Graph.of(Structure.from_atoms(nickel(n_atoms)), Elements(["Ni"]), 5.0)
    index, vector = graph.bond_index, graph.bond_vector.float()
    n_bonds, c, h = graph.n_bonds, CHANNELS, HIDDEN
    unit = vector / vector.norm(dim=1, keepdim=True)
    f = torch.rand(n_bonds, 1)

    def bind(function: Callable[..., Tensor], *more: Any) -> Callable[..., Tensor]:
        return lambda *inputs: function(*inputs, index, *more)

    project = [torch.randn(n_atoms, 3, c), torch.randn(n_atoms, 6, c), torch.randn(n_bonds, c), f, unit]
    combine = [torch.randn(n_atoms, 2 * h), torch.randn(n_bonds, h), torch.randn(n_bonds, h), f]
    aggregate = [torch.randn(n_bonds, SCALARS + 2 * c), unit]
    sizes = (n_atoms, c, c)
    ops = [
        Op("project", bind(bonds.project), bind(bonds.project_plain), project, 58 * c),
        Op("combine", bind(bonds.combine), bind(bonds.combine_plain), combine, 37 * h),
        Op(
            "aggregate",
            bind(bonds.aggregate, *sizes),
            bind(bonds.aggregate_plain, *sizes),
            aggregate,
            2 * SCALARS + 27 * c,
        ),
    ]
    for op in ops:
        for tensor in op.inputs:
            tensor.requires_grad_(True)
    return ops


def measure(op: Op, order: str, function: Callable[..., Tensor]) -> tuple[float, int]:
    """Return seconds of one order of differentiation, and the bytes that it has to read and write."""
    value = function(*op.inputs)
    g = torch.randn_like(value).requires_grad_(True)
    n_in, n_out = sum(x.nbytes for x in op.inputs), value.nbytes
    n_index = 16 * op.inputs[-1].shape[0]
    if order == "forward":
        return seconds(lambda: function(*op.inputs)), n_in + n_out + n_index
    if order == "backward":
        run = lambda: torch.autograd.grad(value, op.inputs, g, retain_graph=True)  # noqa: E731
        return seconds(run), 2 * n_in + n_out + n_index
    gradients = torch.autograd.grad(value, op.inputs, g, create_graph=True)
    directions = [torch.randn_like(x) for x in gradients]
    run = lambda: torch.autograd.grad(gradients, [*op.inputs, g], directions, retain_graph=True)  # noqa: E731
    return seconds(run), 3 * n_in + 2 * n_out + n_index


def seconds(function: Callable[[], Any], least: float = 0.3) -> float:
    """Return the shortest time of a call, over at least five calls and some time."""
    function()
    times: list[float] = []
    while len(times) < 5 or sum(times) < least:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def machine_rates() -> Row:
    """Return the bandwidth of a copy of 16 MiB [GB/s] and the rate of a float32 matrix product [Gflop/s]."""
    source = torch.rand(2**22)
    target, a = torch.empty_like(source), torch.rand(1024, 1024)
    return {
        "copy_gb_s": 2e-9 * source.nbytes / seconds(lambda: target.copy_(source)),
        "gemm_gflop_s": 2e-9 * 1024**3 / seconds(lambda: a @ a),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--atoms", type=int, default=1372)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    from unnp.train.memory import keep_freed_memory

    keep_freed_memory()
    report = Report("fused_ops", {"atoms": arguments.atoms, "cutoff_A": 5.0, "dtype": "float32", "threads": 1})
    rates = report.add(machine_rates())
    for op in operators(arguments.atoms):
        for order in ORDERS:
            fused, n_bytes = measure(op, order, op.fused)
            plain, _ = measure(op, order, op.plain)
            memory, arithmetic = (
                1e-6 * n_bytes / rates["copy_gb_s"],
                1e-6 * op.total_flops(order) / rates["gemm_gflop_s"],
            )
            row: Row = {"op": op.name, "order": order, "n_bonds": op.inputs[-1].shape[0]}
            row |= {"fused_ms": 1e3 * fused, "plain_ms": 1e3 * plain, "floor_ms": max(memory, arithmetic)}
            report.add(row | {"memory_floor_ms": memory, "arithmetic_floor_ms": arithmetic})


if __name__ == "__main__":
    main()
