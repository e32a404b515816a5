"""Architectures that break a rule fail at the check of that rule, and others pass."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner
from unnp.cli import build_app
from unnp.errors import UnnpError
from unnp.lammps.executables import find_executable
from unnp.lammps.launch import Launch
from unnp.models import ArchitectureConfig, Representation, architectures, register, registry
from unnp.nn.system import System
from unnp.testing import CheckFailed, CheckSkipped, Subject, checks, example, lammps_checks, run_checks

CHECKS = {check.name: check for check in checks()}


class DensityConfig(ArchitectureConfig):
    """Settings."""

    cutoff: float = 4.0
    """longest bond [A]"""
    flaw: str = ""
    """what is wrong with it"""


class Density(Representation):
    """Sums over neighbours of a function of distance and element, with a flaw."""

    Config = DensityConfig
    references: ClassVar[list[str]] = []

    def __init__(self, config: DensityConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = 4
        self.flaw = config.flaw
        self.longest = config.cutoff
        self.weights = nn.Embedding(len(elements), 4)
        self.idle = nn.Parameter(torch.zeros(1))

    def features(self, system: System) -> Tensor:
        vector = system.bond_vector
        i, j = system.bond_index[0], system.bond_index[1]
        x = torch.sqrt(vector.square().sum(1, keepdim=True)) / self.longest
        power = 2.0 if self.flaw == "kink" else 4.0
        contribution = (1 - x.clamp(max=1.0)).pow(power)
        if self.flaw == "direction":
            contribution = contribution * (1 + 0.1 * vector[:, :1] / self.longest)
        h = self.weights(system.species)
        if self.flaw != "no idle parameter":
            h = h + 0 * self.idle
        if self.flaw == "one body":
            h = torch.zeros_like(h) + 1
        total = torch.zeros_like(h).index_add(0, i, contribution * h.index_select(0, j))
        if self.flaw != "one end":
            total = total.index_add(0, j, contribution * h.index_select(0, i))
        return (h + total)[: system.n_updated]


@pytest.fixture
def with_flaw(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Subject]:
    monkeypatch.setattr(registry.REGISTRY, "entries", architectures())
    register("density")(Density)
    return lambda flaw: Subject(example("density", flaw=flaw))


@pytest.mark.parametrize(
    ("flaw", "failing"),
    [
        ("direction", "rotations and reflections"),
        ("kink", "smoothness"),
        ("one end", "order of bonds"),
        ("one body", "elements"),
        ("no idle parameter", "every parameter takes part"),
    ],
)
def test_a_flaw_is_found(flaw, failing, with_flaw):
    with pytest.raises(CheckFailed, match=rf"^{failing}: .* is \S+, allowed is [<>]= "):
        CHECKS[failing](with_flaw(flaw))
    assert CHECKS[failing](with_flaw("")).holds


def test_what_an_architecture_raises_is_said(with_flaw, monkeypatch):
    subject = with_flaw("")

    def features(self: Any, system: System) -> Tensor:
        raise IndexError("row 7 of 5\nrows")

    monkeypatch.setattr(Density, "features", features)
    (outcome,) = run_checks(subject, [CHECKS["forces"]])
    assert outcome.verdict == "failed"
    assert outcome.reason == "IndexError: row 7 of 5\\nrows"


def test_without_lammps_parity_is_skipped_not_passed(with_flaw, monkeypatch):
    monkeypatch.setattr(Launch, "check", lambda launch, simulations=1: find_executable("no-such-lmp"))
    (check,) = lammps_checks([2], ["float64"])
    with pytest.raises(CheckSkipped, match="cannot find the program 'no-such-lmp'"):
        check(with_flaw(""))
    (outcome,) = run_checks(with_flaw(""), [check])
    assert outcome.verdict == "skipped"


def test_the_command_says_what_failed_and_exits_with_1(with_flaw):
    done = CliRunner().invoke(build_app(), ["models", "check", "density", "--set", "flaw=direction", "--skip-lammps"])
    assert done.exit_code == 1
    lines = {line[9:37].strip(): line for line in done.output.splitlines()}
    assert lines["rotations and reflections"].startswith("failed")
    assert "error of energies after a rotation" in lines["rotations and reflections"]
    assert lines["order of bonds"].startswith("failed")
    assert lines["translation"].startswith("passed")
    assert lines["lammps, 2 ranks, float64"].split()[0] == "skipped"
    assert "left out by --skip-lammps" in lines["lammps, 2 ranks, float64"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ranks", "0"], "give numbers from 1 to 64"),
        (["--ranks", "1,two"], "give numbers from 1 to 64"),
        (["--elements", "Al"], "two elements"),
        (["--set", "flow=1"], "flow: unknown key"),
        (["--settings", "nothing.yaml"], "nothing.yaml"),
    ],
)
def test_the_command_refuses(arguments, said, with_flaw):
    done = CliRunner().invoke(build_app(), ["models", "check", "density", *arguments])
    assert isinstance(done.exception, UnnpError)
    assert said in str(done.exception)
