"""One potential, four ways: in memory, in the ASE calculator, and in LAMMPS on 1, 2 and 4 ranks, by exchange and wide."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from registered import installed_architectures
from unnp.models import Head, PotentialConfig
from unnp.testing import CheckFailed, Measurement, example
from unnp.testing.calculators import compare_with_ase
from unnp.testing.committees import SHAPES, Committee
from unnp.testing.parity import DTYPES, RANKS, cases_of, compare_with_lammps, run_cases
from unnp.testing.subject import random_potential

HEAD = Head(0.5, {"Al": -3.1, "Ni": 2.7})


@cache
def committees() -> dict[str, Committee]:
    """Return every architecture in both number types, and what else can be put together."""
    two, three = example("teanet", layer_cutoffs=[4.0, 4.0]), example("teanet", layer_cutoffs=[4.0, 3.0, 3.5])
    reaching = example("teanet", layer_cutoffs=[3.0, 3.0]).model_copy(update={"add": {"zbl": {"outer": 3.7}}})
    repulsive = two.model_copy(update={"add": {"zbl": {"outer": 3.0}}})
    made = [made_of(f"{name}-{dtype}", example(name), dtype) for name in installed_architectures() for dtype in DTYPES]
    made += [
        made_of("1-layer", example("teanet", layer_cutoffs=[4.0])),
        made_of("2-layers-1-element", two, symbols=["Ni"]),
        made_of("3-layers-float32", three, "float32"),
        made_of("zbl-that-reaches-farther", reaching),
        made_of("committee", repulsive, n_members=2),
    ]
    return {committee.name: committee for committee in made}


def made_of(
    name: str,
    config: PotentialConfig,
    dtype: str = "float64",
    symbols: list[str] = ["Al", "Ni"],  # noqa: B006
    n_members: int = 1,
) -> Committee:
    torch.set_num_threads(1)
    return Committee(name, [random_potential(config, symbols, HEAD, dtype, seed) for seed in range(n_members)])


CASES = {case.label: case for committee in committees().values() for case in cases_of(committee)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the exported files."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=RANKS, ids=lambda n: f"{n}ranks")
def run(request: pytest.FixtureRequest, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all cases in one LAMMPS and return its folder."""
    folder = tmp_path_factory.mktemp(f"ranks{request.param}")
    run_cases(CASES.values(), files, folder, request.param)
    return folder


def hold(measurements: Iterator[Measurement]) -> None:
    for measurement in measurements:
        if not measurement.holds:
            raise CheckFailed("parity", measurement)


@pytest.mark.parametrize("label", CASES)
def test_lammps(label: str, run: Path):
    hold(compare_with_lammps(CASES[label], run))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", committees())
def test_ase(name: str, shape: str, files: Path):
    hold(compare_with_ase(committees()[name], shape, files))
