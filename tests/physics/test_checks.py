"""Every registered architecture passes the checks that need nothing but Python: whoever registers one inherits them."""

import pytest
import torch
from registered import installed_architectures
from unnp.core import core
from unnp.testing import Check, CheckSkipped, Subject, checks, example


@pytest.fixture(scope="session", params=installed_architectures())
def subject(request: pytest.FixtureRequest) -> Subject:
    """Return the small potential of an architecture."""
    torch.set_num_threads(1)
    return Subject(example(request.param))


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name.replace(" ", "-"))
def test_architecture(subject: Subject, check: Check):
    try:
        check(subject)
    except CheckSkipped as skipped:
        pytest.skip(f"{subject.name}: {skipped}")


def test_the_compiled_ops_are_loaded():
    assert core().build_info()["torch_built"].split(".")[:2] == torch.__version__.split(".")[:2]
