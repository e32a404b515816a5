"""The fused operators against their plain twins: times of value, gradient and second derivative, beside the floor.

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
from unnp.models.architectures.teanet.multipoles import HIGHEST_OF_ALL
from unnp.nn import bonds
from unnp.nn.cutoff import polynomial_cutoff, polynomial_cutoff_plain
from unnp.nn.products import products, products_plain
from unnp.nn.spectrum import spectrum, spectrum_plain, sums_of_degrees
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.tensors import norms, norms_plain

ORDERS = ["forward", "backward", "double backward"]


@dataclass(frozen=True)
class Op:
    """An operator: both forms as functions of the same differentiable inputs, and its arithmetic.

    Attributes:
        n: bonds, or atoms, that it runs over.
        flops: of the value, for each of them, counted or estimated from cpp/src/ops/kernels (an exponential as 10). A gradient
            takes at least twice as many; the second derivative runs value and gradient with their directional derivatives,
            three times both.
        over_bonds: whether it reads the two atoms of each bond.
    """

    name: str
    fused: Callable[..., Tensor]
    plain: Callable[..., Tensor]
    inputs: list[Tensor]
    n: int
    flops: int
    over_bonds: bool = True

    def total_flops(self, order: str) -> int:
        """Return the arithmetic of an order of differentiation."""
        return self.n * self.flops * {"forward": 1, "backward": 2, "double backward": 9}[order]

    @property
    def index_bytes(self) -> int:
        """What the bond index takes."""
        return 16 * self.n if self.over_bonds else 0


def operators(n_atoms: int) -> list[Op]:
    """Return the operators with the widths of preset M, on the bonds of an fcc crystal with cutoff 5 A, and on its atoms."""
    from unnp.atoms.elements import Elements
    from unnp.atoms.graph import Graph
    from unnp.atoms.structure import Structure
    from unnp.models.registry import REGISTRY

    teanet = REGISTRY.get("teanet")
    m = teanet.Config(**teanet.presets["M"])
    graph = Graph.of(Structure.from_atoms(nickel(n_atoms)), Elements(["Ni"]), 5.0)
    vector = graph.bond_vector.float()
    unit = vector / vector.norm(dim=1, keepdim=True)
    ops = [*on_bonds(m, graph.bond_index, unit, n_atoms), *on_rows(m, unit, n_atoms)]
    for op in ops:
        for tensor in op.inputs:
            tensor.requires_grad_(True)
    return ops


def on_bonds(m: Any, index: Tensor, unit: Tensor, n_atoms: int) -> list[Op]:
    """Return the operators that run over bonds, for settings of TeaNet."""
    n, c, h, s = unit.shape[0], m.projections, m.hidden, m.scalars
    width, first = harmonics_width(m), HIGHEST_OF_ALL + 1
    f = torch.rand(n, 1)

    def bind(function: Callable[..., Tensor], *more: Any) -> Callable[..., Tensor]:
        return lambda *inputs: function(*inputs, index, *more)

    project = [torch.randn(n_atoms, 3, c), torch.randn(n_atoms, 6, c), torch.randn(n, c), f, unit]
    combine = [torch.randn(n_atoms, 2 * h), torch.randn(n, h), torch.randn(n, h), f]
    sums = (n_atoms, m.vectors, m.tensors)
    aggregate = [torch.randn(n, s + m.vectors + m.tensors), unit]
    moments = [torch.randn(n, m.multipoles), torch.randn(n, width)]
    of_moments = (n_atoms, first)
    return [
        Op("project", bind(bonds.project), bind(bonds.project_plain), project, n, 58 * c),
        Op("combine", bind(bonds.combine), bind(bonds.combine_plain), combine, n, 37 * h),
        Op(
            "aggregate",
            bind(bonds.aggregate, *sums),
            bind(bonds.aggregate_plain, *sums),
            aggregate,
            n,
            2 * s + 9 * m.vectors + 18 * m.tensors,
        ),
        Op(
            "multipoles",
            bind(bonds.multipoles, *of_moments),
            bind(bonds.multipoles_plain, *of_moments),
            moments,
            n,
            4 * m.multipoles * width,
        ),
    ]


def on_rows(m: Any, unit: Tensor, n_atoms: int) -> list[Op]:
    """Return the operators that run over single bonds or atoms, for settings of TeaNet."""
    width, first, p = harmonics_width(m), HIGHEST_OF_ALL + 1, m.products
    harmonics = SphericalHarmonics(m.degree, "component", first)
    sums = sums_of_degrees(first, m.degree).float()
    vectors = [torch.randn(n_atoms, 3, 2 * p), torch.randn(n_atoms, 6, 2 * p)]
    moments = [torch.randn(n_atoms, m.multipoles, width)]
    carried = [torch.randn(n_atoms, 3, m.vectors), torch.randn(n_atoms, 6, m.tensors)]
    distances = [m.cutoff * torch.rand(unit.shape[0])]
    return [
        Op("norms", norms, norms_plain, carried, n_atoms, 8 * m.vectors + 14 * m.tensors, False),
        Op(
            "envelope",
            lambda r: polynomial_cutoff(r, m.cutoff),
            lambda r: polynomial_cutoff_plain(r, m.cutoff),
            distances,
            unit.shape[0],
            14,
            False,
        ),
        Op("harmonics", harmonics, harmonics.plain, [unit.clone()], unit.shape[0], 6 * (m.degree + 1) ** 2, False),
        Op(
            "products",
            lambda v, t: products(v, t, True),
            lambda v, t: products_plain(v, t, True),
            vectors,
            n_atoms,
            190 * p,
            False,
        ),
        Op(
            "spectrum",
            lambda x: spectrum(x, sums, first),
            lambda x: spectrum_plain(x, sums, first),
            moments,
            n_atoms,
            4 * m.multipoles * width,
            False,
        ),
    ]


def harmonics_width(m: Any) -> int:
    """Return the number of harmonics that preset M sums beyond its tensors."""
    return int((m.degree + 1) ** 2 - (HIGHEST_OF_ALL + 1) ** 2)


def measure(op: Op, order: str, function: Callable[..., Tensor]) -> tuple[float, int]:
    """Return seconds of one order of differentiation, and the bytes that it has to read and write."""
    value = function(*op.inputs)
    g = torch.randn_like(value).requires_grad_(True)
    n_in, n_out = sum(x.nbytes for x in op.inputs), value.nbytes
    n_index = op.index_bytes
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
            row: Row = {"op": op.name, "order": order, "n": op.n, "over": "bonds" if op.over_bonds else "rows"}
            row |= {"fused_ms": 1e3 * fused, "plain_ms": 1e3 * plain, "floor_ms": max(memory, arithmetic)}
            report.add(row | {"memory_floor_ms": memory, "arithmetic_floor_ms": arithmetic})


if __name__ == "__main__":
    main()
