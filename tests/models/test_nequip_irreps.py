"""NequIP with every kind of tensor: which of them are there, and that energies do not know the frame with any of them."""

from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError
from unnp.models import architecture
from unnp.models.architectures.nequip.irreps import Irrep, irreps_of_layers, paths_between
from unnp.testing import Subject, checks, example, run_checks

NAMES = ["forces", "rotations and reflections", "smoothness", "torchscript", "exported file"]
CHECKS = [check for check in checks() if check.name in NAMES]
SETTINGS = {
    "l2 one layer": {"layers": 1},
    "l2 parity": {"parity": True, "layers": 6},
    "l3": {"l_max": 3, "features": 3},
}


def test_names_of_checks():
    assert len(CHECKS) == len(NAMES)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_physics(settings: dict):
    torch.set_num_threads(1)
    outcomes = run_checks(Subject(example("nequip", **settings)), CHECKS)
    assert [outcome for outcome in outcomes if outcome.verdict != "passed"] == []


def test_all_kinds_are_tried():
    """Odd scalars, which come of three products, are in the largest settings above, and their gradient is not zero."""
    assert Irrep(0, -1) in irreps_of_layers(2, True, 6)[3]
    subject = Subject(example("nequip", parity=True, layers=6))
    graph = subject.graph(subject.crystal())
    subject.potential(*graph.arguments[:4], torch.zeros(1, dtype=torch.int64), len(graph.species), 0).sum().backward()
    none = [name for name, p in subject.potential.representation.named_parameters() if not p.grad.abs().max() > 0]
    assert none == []


@pytest.mark.parametrize("parity", [False, True])
@pytest.mark.parametrize("l_max", range(4))
@pytest.mark.parametrize("layers", range(1, 8))
def test_scalars_at_both_ends_and_nothing_without_use(layers: int, l_max: int, parity: bool):
    irreps = irreps_of_layers(l_max, parity, layers)
    assert len(irreps) == layers + 1
    assert irreps[0] == irreps[-1] == [Irrep(0, 1)]
    for before, behind in pairwise(irreps):
        paths = paths_between(before, l_max, behind)
        assert {path.source for path in paths} == set(range(len(before)))
        assert {path.target for path in paths} == set(range(len(behind)))
    if not parity:
        assert all(irrep.parity == (-1) ** irrep.degree for kinds in irreps for irrep in kinds)


def test_degrees_beyond_three_are_refused():
    with pytest.raises(ValidationError, match="less than or equal to 3"):
        architecture("nequip").Config(l_max=4)
