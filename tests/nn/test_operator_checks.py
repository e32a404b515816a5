"""The fused operators read and write plain memory, so what they are given is checked: an error, not a crash."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from unnp.nn.bonds import aggregate, combine, multipoles, project
from unnp.nn.products import products
from unnp.nn.spectrum import spectrum
from unnp.nn.tensors import norms

N_ATOMS, N_BONDS, CHANNELS = 4, 5, 3


def arguments() -> dict[str, list[Tensor]]:
    """Return arguments that fit, with the bond index last of the tensors."""
    torch.manual_seed(0)
    index = torch.randint(0, N_ATOMS, (2, N_BONDS))
    bonds = {n: torch.rand(N_BONDS, n) for n in (1, 3, CHANNELS, 6)}
    v, t = torch.rand(N_ATOMS, 3, CHANNELS), torch.rand(N_ATOMS, 6, CHANNELS)
    return {
        "project": [v, t, bonds[CHANNELS], bonds[1], bonds[3], index],
        "combine": [torch.rand(N_ATOMS, 2 * CHANNELS), bonds[CHANNELS], bonds[CHANNELS], bonds[1], index],
        "aggregate": [bonds[6], bonds[3], index],
        "multipoles": [bonds[CHANNELS], torch.rand(N_BONDS, 7), index],
    }


def call(
    op: str, tensors: list[Tensor], n_atoms: int = N_ATOMS, vectors: int = 2, tensors_of_rank_2: int = 1
) -> Tensor:
    if op == "aggregate":
        return aggregate(*tensors, n_atoms, vectors, tensors_of_rank_2)
    if op == "multipoles":
        return multipoles(*tensors, n_atoms, 3)
    return {"project": project, "combine": combine}[op](*tensors)


OPS = ["project", "combine", "aggregate", "multipoles"]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("with_gradient", [False, True])
@pytest.mark.parametrize("wrong", [N_ATOMS, -1, 10**12, -(10**18)])
def test_bonds_to_atoms_that_are_not_there(op: str, with_gradient: bool, wrong: int) -> None:
    tensors = arguments()[op]
    tensors[0].requires_grad_(with_gradient)
    call(op, tensors)
    tensors[-1][1, 2] = wrong
    with pytest.raises(RuntimeError, match=rf"unnp::{op}: 1 bonds refer to atoms beyond the {N_ATOMS} that are given"):
        call(op, tensors)


@pytest.mark.parametrize("op", OPS)
def test_shapes_and_types_that_do_not_fit(op: str) -> None:
    for k, tensor in enumerate(arguments()[op]):
        variants = [
            tensor[1:],
            tensor[..., :-1],
            tensor.unsqueeze(0),
            tensor.flatten(),
            tensor.to(torch.int32),
            tensor[:0],
        ]
        variants += [tensor.double()] if tensor.is_floating_point() and k > 0 else []
        for variant in variants:
            tensors = arguments()[op]
            if variant.shape == tensor.shape and variant.dtype == tensor.dtype:
                continue
            may_be_absent = op == "combine" and k == 2 and variant.shape[0] == 0
            is_other_size = k == 0
            tensors[k] = variant
            if may_be_absent:
                call(op, tensors)
            elif not (is_other_size and variant.dim() == tensor.dim() and variant.is_floating_point()):
                with pytest.raises(RuntimeError, match=f"unnp::{op}"):
                    call(op, tensors)


def test_numbers_of_channels_that_do_not_fit() -> None:
    tensors = arguments()["aggregate"]
    for vectors, rank_2 in ((-1, 1), (2, -1), (7, 0), (0, 7), (4, 4)):
        with pytest.raises(RuntimeError, match="unnp::aggregate"):
            call("aggregate", tensors, vectors=vectors, tensors_of_rank_2=rank_2)
    with pytest.raises(RuntimeError, match="unnp::aggregate"):
        call("aggregate", tensors, n_atoms=-1)


def test_harmonics_that_are_not_all_of_some_degrees() -> None:
    weights, index = torch.rand(N_BONDS, CHANNELS), torch.randint(0, N_ATOMS, (2, N_BONDS))
    for components, first in ((8, 3), (7, 2), (7, -1), (0, 3), (7, 10**12), (96, 5)):
        with pytest.raises(RuntimeError, match="unnp::multipoles"):
            multipoles(weights, torch.rand(N_BONDS, components), index, N_ATOMS, first)
    for components, first in ((8, 3), (7, 2), (7, -1), (0, 3), (7, 10**12)):
        with pytest.raises(RuntimeError, match="unnp::spectrum"):
            spectrum(torch.rand(2, CHANNELS, components), torch.rand(0, 0), first)
    for first, last in ((-1, 3), (4, 3), (0, 13), (0, 10**12)):
        with pytest.raises(RuntimeError, match="unnp::harmonics"):
            torch.ops.unnp.harmonics(torch.rand(2, 3), first, last)
    for unit in (torch.rand(2, 2), torch.rand(3), torch.zeros(2, 3, dtype=torch.int64)):
        with pytest.raises(RuntimeError, match="unnp::harmonics"):
            torch.ops.unnp.harmonics(unit, 0, 2)


def test_vectors_and_tensors_that_do_not_fit() -> None:
    for vectors, tensors in (
        ((2, 3, 3), (2, 6, 3)),
        ((2, 3, 4), (2, 6, 2)),
        ((2, 3, 4), (1, 6, 4)),
        ((2, 4, 4), (2, 6, 4)),
    ):
        with pytest.raises(RuntimeError, match="unnp::products"):
            products(torch.rand(vectors), torch.rand(tensors), True)
    with pytest.raises(RuntimeError, match="unnp::products"):
        products(torch.rand(2, 3, 4), torch.rand(2, 6, 4).double(), False)
    for vectors, tensors in (((2, 3, 3), (1, 6, 3)), ((2, 6, 3), (2, 6, 3)), ((2, 3), (2, 6))):
        with pytest.raises(RuntimeError, match="unnp::norms"):
            norms(torch.rand(vectors), torch.rand(tensors))


def test_distances_and_exponents_that_do_not_fit() -> None:
    for distances, exponent in ((torch.rand(3, 1), 6), (torch.zeros(3, dtype=torch.int64), 6), (torch.rand(3), 0)):
        with pytest.raises(RuntimeError, match="unnp::envelope"):
            torch.ops.unnp.envelope(distances, exponent)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_envelope_is_zero_from_the_cutoff_on_and_hides_nothing(dtype: torch.dtype) -> None:
    x = torch.tensor([0.0, 0.5, 1.0, 1.0 + 1e-6, 7.0, torch.inf, torch.nan], dtype=dtype, requires_grad=True)
    value = torch.ops.unnp.envelope(x, 6)
    (slope,) = torch.autograd.grad(value[:-1].sum(), x)
    assert value.tolist()[:1] == [1.0]
    assert value.tolist()[2:6] == [0.0] * 4
    assert slope.tolist()[2:6] == [0.0] * 4
    assert value[-1].isnan()


def test_no_bonds_and_no_atoms_are_fine() -> None:
    none = torch.zeros(2, 0, dtype=torch.int64)
    assert project(
        torch.rand(0, 3, 2), torch.rand(0, 6, 2), torch.rand(0, 2), torch.rand(0, 1), torch.rand(0, 3), none
    ).shape == (0, 10)
    assert aggregate(torch.rand(0, 6), torch.rand(0, 3), none, 2, 2, 1).shape == (2, 15)
    assert multipoles(torch.rand(0, 2), torch.rand(0, 16), none, 2, 3).shape == (2, 32)
    assert norms(torch.rand(0, 3, 2), torch.rand(0, 6, 1)).shape == (0, 3)
    assert norms(torch.rand(2, 3, 0), torch.rand(2, 6, 0)).shape == (2, 0)
    assert torch.ops.unnp.envelope(torch.rand(0), 6).shape == (0,)
    assert combine(torch.rand(3, 4), torch.rand(0, 2), torch.rand(0, 2), torch.rand(0, 1), none).shape == (0, 2)
