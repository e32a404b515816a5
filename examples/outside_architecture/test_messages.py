"""The network keeps the rules of unnp; run with pytest where the package is installed."""

import pytest
from unnp.testing import CheckSkipped, Subject, checks, example, lammps_checks


@pytest.fixture(scope="module")
def subject():
    return Subject(example("messages"))


@pytest.mark.parametrize("check", [*checks(), *lammps_checks()], ids=lambda check: check.name)
def test_messages(subject, check):
    try:
        check(subject)
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))
