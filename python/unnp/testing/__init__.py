"""Checks of an architecture: its physics, its exported file, ASE, and LAMMPS on several ranks.

``unnp models check NAME`` runs them; the tests of a package may as well::

    subject = Subject(example("my_architecture"))

    @pytest.mark.parametrize("check", [*checks(), *lammps_checks()], ids=lambda check: check.name)
    def test_architecture(check):
        check(subject)
"""

from unnp.testing.checking import Check, CheckFailed, CheckSkipped, Measurement
from unnp.testing.parity import lammps_checks
from unnp.testing.running import Outcome, checks, run_checks
from unnp.testing.subject import Subject, example

__all__ = [
    "Check",
    "CheckFailed",
    "CheckSkipped",
    "Measurement",
    "Outcome",
    "Subject",
    "checks",
    "example",
    "lammps_checks",
    "run_checks",
]
