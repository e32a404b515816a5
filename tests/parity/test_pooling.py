"""A network whose energies depend on a mean over the whole structure: exact on any number of ranks, also on empty ones."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from lammps_run import run_lammps
from torch import Tensor, nn
from torch.nn.functional import silu
from unnp.errors import ModelError
from unnp.exported.export import export_model
from unnp.models import ArchitectureConfig, Representation, architectures, register, registry
from unnp.nn.cutoff import polynomial_cutoff
from unnp.nn.exchange import exchange
from unnp.nn.pooling import mean_by_graph, sum_by_graph
from unnp.nn.radial import SincBasis
from unnp.nn.system import System
from unnp.testing import Subject, checks, example, run_checks
from unnp.testing.committees import Committee, committee_of
from unnp.testing.parity import DTYPES, RANKS, cases_of, compare_with_lammps, run_cases


class MeanFieldConfig(ArchitectureConfig):
    """Settings."""

    cutoff: float = 4.0
    """longest bond [A]"""
    exchanges: bool = False
    """whether the neighbours' features are exchanged between mean and features"""

    @property
    def receptive_field(self) -> float:
        return self.cutoff * (2 if self.exchanges else 1)


class MeanField(Representation):
    """Densities of neighbours, mixed with their mean over the structure; then, perhaps, those of neighbours."""

    Config = MeanFieldConfig
    references: ClassVar[list[str]] = []

    def __init__(self, config: MeanFieldConfig, elements: list[str]) -> None:
        super().__init__(config, elements)
        self.n_features = 6
        self.longest = config.cutoff
        self.exchanges = config.exchanges
        self.embedding = nn.Embedding(len(elements), 6)
        self.radial = SincBasis(4, config.cutoff)
        self.filters = nn.Linear(4, 6, bias=False)
        self.mixing = nn.Linear(12, 6)

    def features(self, system: System) -> Tensor:
        distance = torch.sqrt(system.bond_vector.square().sum(1))
        weight = self.filters(self.radial(distance)) * polynomial_cutoff(distance, self.longest).unsqueeze(1)
        own = self.embedding(system.species)
        density = self.densities(own, weight, system)
        own = own[: system.n_updated]
        mean = mean_by_graph(own * density, system).index_select(0, system.graph[: system.n_updated])
        h = own + density * (
            1 + silu(self.mixing(torch.cat([own, mean], dim=1)))
        )  # the mean counts as far as there are bonds
        if self.exchanges:
            h = h + self.densities(exchange(h, system.species.shape[0], system.halo), weight, system)
        return h

    def densities(self, h: Tensor, weight: Tensor, system: System) -> Tensor:
        i, j = system.bond_index[0], system.bond_index[1]
        total = torch.zeros_like(h).index_add(0, i, weight * h.index_select(0, j))
        total = total.index_add(0, j, weight * h.index_select(0, i))
        return 0.3 * total[: system.n_updated]


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    """Return the network without and with an exchange beside the mean."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry.REGISTRY, "entries", architectures())
        register("mean-field")(MeanField)
        yield [Subject(example("mean-field", exchanges=exchanges)) for exchanges in (False, True)]


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name.replace(" ", "-"))
@pytest.mark.parametrize("k", [0, 1])
def test_physics(k: int, check, subjects: list[Subject]):
    (outcome,) = run_checks(subjects[k], [check])
    skipped = check.name in ("separation", "receptive field", "ghosts")
    assert outcome.verdict == ("skipped" if skipped else "passed"), outcome


@pytest.fixture(scope="module", params=RANKS, ids=lambda n: f"{n}ranks")
def run(request, subjects: list[Subject], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run crystal and cluster (which leaves ranks without atoms) in one LAMMPS."""
    files, folder = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("run")
    run_cases([case for cases in all_cases(subjects).values() for case in cases], files, folder, request.param)
    return folder


def all_cases(subjects: list[Subject]) -> dict[str, list]:
    pair = [*committee_of(subjects[1], "float64").potentials, subjects[1].build(seed=1)]
    cases = {"committee": cases_of(Committee("committee", pair))}
    for k, dtype in ((k, dtype) for k in range(2) for dtype in DTYPES):
        committee = Committee(f"{k}-{dtype}", committee_of(subjects[k], dtype).potentials)
        cases[committee.name] = cases_of(committee)
    return cases


@pytest.mark.parametrize("name", ["committee", *(f"{k}-{dtype}" for k in range(2) for dtype in DTYPES)])
def test_lammps(name: str, run: Path, subjects: list[Subject]):
    cases = all_cases(subjects)[name]
    assert [case.shape for case in cases] == ["crystal", "cluster"]
    for case in cases:
        for measurement in compare_with_lammps(case, run):
            assert measurement.holds, measurement


def test_what_is_communicated_is_in_the_file(subjects: list[Subject]):
    for subject, exchanges in zip(subjects, ([], [6]), strict=True):
        manifest = subject.exported.manifest
        assert (manifest.pooling_widths, manifest.exchange_widths) == ([7], exchanges)
        assert manifest.halo == ("exchange" if exchanges else "local")


def test_all_atoms_count_however_far_they_are(subjects: list[Subject]):
    subject = subjects[0]
    near = subject.atoms([[0, 0, 0], [0.6, 0, 0]], [0, 1])
    far = subject.atoms([[0, 0, 0], [0.6, 0, 0], [50, 0, 0], [50.5, 0, 0]], [0, 1, 1, 1])
    change = subject.predict(far).atomic_energy[:2] - subject.predict(near).atomic_energy
    assert change.abs().min() > 1e-4


def test_a_wide_halo_is_refused(subjects: list[Subject], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    export_model([subjects[0].potential], tmp_path / "m.pt", name="mean")
    deck = "region r block 0 9 0 9 0 9\ncreate_box 1 r\nmass 1 1\npair_style unnp halo wide\npair_coeff * * m.pt Al\n"
    run = run_lammps(tmp_path, "units metal\n" + deck, 2, check=False)
    assert run.code != 0
    assert "this model sums over all atoms, which it cannot do with halo wide" in run.output
    monkeypatch.setattr(MeanField, "halo", "wide")
    with pytest.raises(ModelError, match="mean-field sums over all atoms of a structure, which it cannot do"):
        export_model([subjects[0].potential], tmp_path / "m.pt", name="mean")


class Hasty(MeanField):
    """Sums only where there are atoms."""

    def features(self, system: System) -> Tensor:
        h = super().features(system)
        if system.n_updated > 0:
            h = h + sum_by_graph(h, system).index_select(0, system.graph[: system.n_updated])
        return h


def test_sums_do_not_depend_on_what_a_rank_owns(subjects: list[Subject]):
    register("hasty-sum")(Hasty)
    with pytest.raises(
        ModelError, match=r"with bonds sums \[7, 6\] numbers .* without atoms \[7\]: every rank has to call"
    ):
        Subject(example("hasty-sum")).potential.communication()
