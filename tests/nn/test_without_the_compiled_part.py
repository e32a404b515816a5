"""Without the compiled part, modules can be imported, and an operator says what is missing when it is needed."""

import importlib.util
import sys
from collections.abc import Iterator

import pytest
import torch
from unnp.core import core
from unnp.errors import UnnpError
from unnp.nn import bonds, exchange
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.products import products
from unnp.nn.spectrum import spectrum
from unnp.nn.spherical import SphericalHarmonics
from unnp.nn.tensors import norms


@pytest.fixture
def without_the_compiled_part(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "unnp._core", None)
    core.cache_clear()
    yield
    core.cache_clear()


CALLS = {
    "project": lambda index: bonds.project(
        torch.zeros(2, 3, 1), torch.zeros(2, 6, 1), torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 3), index
    ),
    "combine": lambda index: bonds.combine(
        torch.zeros(2, 2), torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1), index
    ),
    "aggregate": lambda index: bonds.aggregate(torch.zeros(1, 3), torch.ones(1, 3), index, 2, 1, 1),
    "multipoles": lambda index: bonds.multipoles(torch.zeros(1, 2), torch.ones(1, 3), index, 2, 1),
    "products": lambda _: products(torch.zeros(1, 3, 2), torch.zeros(1, 6, 2), True),
    "spectrum": lambda _: spectrum(torch.zeros(1, 2, 3), torch.ones(3, 1), 1),
    "norms": lambda _: norms(torch.zeros(1, 3, 2), torch.zeros(1, 6, 2)),
    "envelope": lambda _: polynomial_cutoff(torch.ones(1), 2.0),
    "harmonics": lambda _: SphericalHarmonics(2)(torch.ones(1, 3)),
    "exchange": lambda index: exchange(torch.zeros(2, 1), 2, 4711),
}


@pytest.mark.usefixtures("without_the_compiled_part")
@pytest.mark.parametrize("name", CALLS)
def test_an_operator_says_what_is_missing(name: str) -> None:
    with pytest.raises(UnnpError, match=r"compiled part of unnp is not installed.*nlohmann-json"):
        CALLS[name](torch.tensor([[0], [1]]))


@pytest.mark.usefixtures("without_the_compiled_part")
def test_the_operators_can_be_imported() -> None:
    spec = importlib.util.spec_from_file_location("bonds_anew", bonds.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.project_plain is not None
