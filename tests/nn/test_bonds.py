"""The fused operators on bonds and atoms against their plain forms: values, first and second derivatives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from unnp.nn import bonds
from unnp.nn.cutoff import polynomial_cutoff, polynomial_cutoff_plain
from unnp.nn.products import products, products_plain
from unnp.nn.spectrum import spectrum, spectrum_plain, sums_of_degrees
from unnp.nn.tensors import norms, norms_plain

N_ATOMS = 7


@dataclass(frozen=True)
class Operator:
    """A fused operator, its plain form, and inputs for it.

    Attributes:
        fused, plain: functions of the inputs and the bond index.
        inputs: makes (differentiable) inputs for numbers of bonds and channels.
    """

    fused: Callable[..., Tensor]
    plain: Callable[..., Tensor]
    inputs: Callable[[int, int], list[Tensor]]


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def project_inputs(n: int, c: int) -> list[Tensor]:
    return [rows(N_ATOMS, 3, c), rows(N_ATOMS, 6, c), rows(n, c), rows(n, 1), rows(n, 3)]


def combine_inputs(n: int, c: int) -> list[Tensor]:
    return [rows(N_ATOMS, 2 * c), rows(n, c), rows(n, c), rows(n, 1)]


def even_inputs(n: int, c: int) -> list[Tensor]:
    return [rows(N_ATOMS, 2 * c), rows(n, c), rows(n, 1)]


def aggregate_inputs(scalars: int, vectors: int, tensors: int) -> Callable[[int, int], list[Tensor]]:
    return lambda n, c: [rows(n, scalars * c + vectors * c + tensors * c), rows(n, 3)]


def aggregate(function: Callable[..., Tensor], parts: tuple[int, int, int]) -> Callable[..., Tensor]:
    def call(messages: Tensor, unit: Tensor, index: Tensor) -> Tensor:
        c = messages.shape[1] // sum(parts)
        return function(messages, unit, index, N_ATOMS, parts[1] * c, parts[2] * c)

    return call


def multipoles_inputs(n: int, c: int) -> list[Tensor]:
    degrees = (c - 1) % 6 + 1  # from the third on
    return [rows(n, c), rows(n, degrees * (degrees + 6))]


def multipoles(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda weights, harmonics, index: function(weights, harmonics, index, N_ATOMS, 3)


def products_inputs(n: int, c: int) -> list[Tensor]:
    return [rows(n, 3, 2 * c), rows(n, 6, 2 * c)]


def of_atoms(function: Callable[..., Tensor], coupled: bool) -> Callable[..., Tensor]:
    return lambda vectors, tensors, _: function(vectors, tensors, coupled)


def spectrum_inputs(n: int, c: int) -> list[Tensor]:
    degrees = (c - 1) % 6 + 1  # from the third on
    return [rows(n, c, degrees * (degrees + 6))]


def of_moments(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    highest = {k * (k + 6): k + 2 for k in range(1, 7)}
    return lambda moments, _: function(moments, sums_of_degrees(3, highest[moments.shape[2]]), 3)


def norms_inputs(n: int, c: int) -> list[Tensor]:
    return [rows(n, 3, c), rows(n, 6, c // 2)]


def without_bonds(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *inputs: function(*inputs[:-1])


def distances(n: int, c: int) -> list[Tensor]:
    return [1.2 * torch.rand(n * c, dtype=torch.float64)]


def envelope(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda distance, _: function(distance, 0.9, 6)


def even(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda atom, z, f, index: function(atom, z, z[:0], f, index)


PARTS = {"all": (2, 1, 1), "scalars": (1, 0, 0), "no vectors": (1, 0, 2), "no tensors": (1, 2, 0)}
OPERATORS = {
    "project": Operator(bonds.project, bonds.project_plain, project_inputs),
    "combine": Operator(bonds.combine, bonds.combine_plain, combine_inputs),
    "multipoles": Operator(multipoles(bonds.multipoles), multipoles(bonds.multipoles_plain), multipoles_inputs),
    "products": Operator(of_atoms(products, True), of_atoms(products_plain, True), products_inputs),
    "invariants": Operator(of_atoms(products, False), of_atoms(products_plain, False), products_inputs),
    "spectrum": Operator(of_moments(spectrum), of_moments(spectrum_plain), spectrum_inputs),
    "norms": Operator(without_bonds(norms), without_bonds(norms_plain), norms_inputs),
    "envelope": Operator(envelope(polynomial_cutoff), envelope(polynomial_cutoff_plain), distances),
    "combine without odd": Operator(even(bonds.combine), even(bonds.combine_plain), even_inputs),
} | {
    f"aggregate {name}": Operator(
        aggregate(bonds.aggregate, parts), aggregate(bonds.aggregate_plain, parts), aggregate_inputs(*parts)
    )
    for name, parts in PARTS.items()
}
operators = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    torch.manual_seed(3)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def random_index(n: int) -> Tensor:
    """Return bonds between random atoms, some from an atom to itself, none to the last atom."""
    return torch.randint(N_ATOMS - 1, (2, n))


def derivatives(function: Callable[..., Tensor], inputs: list[Tensor], index: Tensor) -> list[Tensor]:
    """Return the value, its gradient along fixed directions, and the gradient of that along further ones."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    value = function(*inputs, index)
    generator = torch.Generator().manual_seed(11)

    def direction(like: Tensor) -> Tensor:
        return torch.randn(like.shape, dtype=torch.float64, generator=generator).to(like.dtype)

    g = direction(value).requires_grad_()
    first = torch.autograd.grad(value, inputs, g, create_graph=True)
    second = torch.autograd.grad(first, [*inputs, g], [direction(x) for x in first])
    return [value, *first, *second]


def assert_same(operator: Operator, inputs: list[Tensor], index: Tensor, tolerance: float = 1e-12) -> None:
    fused = derivatives(operator.fused, inputs, index)
    assert {x.dtype for x in fused} == {inputs[0].dtype}
    exact = derivatives(operator.plain, [x.double() for x in inputs], index)
    for k, (a, b) in enumerate(zip([x.double() for x in fused], exact, strict=True)):
        assert a.shape == b.shape, k
        size = max(b.abs().max().item(), 1.0) if b.numel() else 1.0
        assert torch.allclose(a, b, rtol=0, atol=tolerance * size), (k, (a - b).abs().max())


@operators
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33])
def test_any_number_of_channels(operator, channels):
    assert_same(operator, operator.inputs(23, channels), random_index(23))


@operators
@pytest.mark.parametrize("n_bonds", [0, 1, 2])
def test_few_bonds(operator, n_bonds):
    assert_same(operator, operator.inputs(n_bonds, 5), random_index(n_bonds))


@operators
def test_no_atoms(operator):
    inputs = [x[:0] for x in operator.inputs(0, 5)]
    fused, plain = (function(*inputs, random_index(0)) for function in (operator.fused, operator.plain))
    assert fused.shape == plain.shape
    assert not fused.any()


@operators
def test_float32(operator):
    inputs = [x.float() for x in operator.inputs(40, 9)]
    assert_same(operator, inputs, random_index(40), tolerance=3e-6)


@operators
def test_bonds_of_an_atom_to_itself(operator):
    """In a cell shorter than the cutoff both ends of a bond are one atom."""
    index = random_index(11)
    index[1] = index[0]
    assert_same(operator, operator.inputs(11, 5), index)


@operators
def test_derivatives_by_differences(operator):
    inputs = [x.requires_grad_() for x in operator.inputs(4, 3)]
    index = torch.tensor([[0, 1, 2, 2], [1, 0, 5, 2]])
    function = lambda *x: operator.fused(*x, index)  # noqa: E731
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


@operators
def test_inputs_that_are_not_contiguous(operator):
    inputs, index = operator.inputs(30, 6), random_index(30)
    strided = [torch.stack([x, 0 * x], dim=-1)[..., 0] for x in inputs]
    transposed = [x.transpose(0, -1).contiguous().transpose(0, -1) for x in inputs]
    assert not any(x.is_contiguous() for x in strided)
    expected = derivatives(operator.fused, inputs, index)
    for views in (strided, transposed):
        found = derivatives(operator.fused, views, torch.stack([index, index], dim=-1)[..., 0])
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@operators
def test_directions_that_are_not_contiguous(operator):
    """Gradients arrive as expanded or transposed views."""
    inputs = [x.requires_grad_() for x in operator.inputs(12, 5)]
    index = random_index(12)
    results = []
    for function in (operator.fused, operator.plain):
        value = function(*inputs, index)
        first = torch.autograd.grad(value.sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(x.sum() for x in first), inputs, allow_unused=True, materialize_grads=True)
        results.append([*first, *second])
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-11)


@operators
@pytest.mark.parametrize("threads", [2, 3])
def test_threads(operator, threads):
    """Each thread sums over its own bonds; with enough bonds to share, results are those of one thread up to rounding."""
    inputs, index = operator.inputs(5000, 3), random_index(5000)
    expected = derivatives(operator.fused, inputs, index)
    torch.set_num_threads(threads)
    for a, b in zip(derivatives(operator.fused, inputs, index), expected, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12 * max(b.abs().max().item(), 1.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_combine_of_large_arguments(dtype):
    """The exponential of the fused form neither overflows nor loses the limits of silu and tanh."""
    z = torch.tensor([[-1e4, -800.0, -90.0, -87.5, -20.0, 0.0, 20.0, 87.5, 90.0, 800.0, 1e4]], dtype=dtype)
    atom, one = torch.zeros(2, 22, dtype=dtype), torch.ones(1, 1, dtype=dtype)
    index = torch.tensor([[0], [1]])
    operator = OPERATORS["combine"]
    assert_same(operator, [atom, z, z, one], index, tolerance=1e-6 if dtype == torch.float32 else 1e-14)
    value = bonds.combine(atom, z, z, one, index)
    plain = bonds.combine_plain(atom, z, z, one, index)
    assert torch.allclose(value, plain, rtol=4 * torch.finfo(dtype).eps, atol=1e-30)


def test_second_derivatives_of_combine_do_not_overflow():
    """In single precision exp(85) times a tangent of 100 would; a close pair of atoms early in a training had both."""
    z = torch.full((1, 8), -85.0, requires_grad=True)
    atom, one, index = torch.zeros(2, 16), torch.ones(1, 1), torch.tensor([[0], [1]])
    (first,) = torch.autograd.grad(bonds.combine(atom, z, z, one, index).sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first, z, torch.full_like(z, 1e4))
    assert torch.allclose(first, torch.tensor(-1.0))  # of d tanh(d / 2); silu is flat here
    assert torch.allclose(second, torch.tensor(0.0), atol=1e-25)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_not_hidden(bad):
    for name, operator in OPERATORS.items():
        if name == "envelope" and bad == float("inf"):
            continue  # an infinite distance is beyond the cutoff
        inputs = operator.inputs(3, 5)
        inputs[0][1] = bad
        assert not torch.isfinite(operator.fused(*inputs, torch.tensor([[0, 1, 2], [1, 2, 3]]))).all()


@operators
def test_without_gradients(operator):
    inputs, index = operator.inputs(9, 4), random_index(9)
    expected = operator.plain(*inputs, index)
    with torch.inference_mode():
        assert torch.allclose(operator.fused(*inputs, index), expected, atol=1e-12)
    with torch.no_grad():
        value = operator.fused(*[x.requires_grad_() for x in inputs], index)
        assert not value.requires_grad


@operators
def test_mixed_number_types_are_refused(operator):
    inputs = operator.inputs(3, 4)
    if len(inputs) == 1:
        pytest.skip("one input has one number type")
    inputs[-1] = inputs[-1].float()
    with pytest.raises(RuntimeError, match=r"[Ff]loat|[Dd]ouble|dtype"):
        operator.fused(*inputs, random_index(3))
