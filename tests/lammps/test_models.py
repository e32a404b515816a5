"""Exported models of this package in LAMMPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structures
import torch
from lammps_run import measure, read_dump, run_lammps, virial, write_data
from reference import evaluate
from toy_model import ELEMENTS
from unnp.exported.export import export_model
from unnp.models import Head, Potential, PotentialConfig, TrainingData, build_potential

SETTINGS = {"layer_cutoffs": [4.2, 3.4, 3.0], "scalars": 8, "vectors": 4, "tensors": 4, "hidden": 8}


def build(dtype: torch.dtype, seed: int) -> Potential:
    """Return a small random TeaNet with a repulsive term."""
    torch.manual_seed(seed)
    head = Head(0.05, dict(zip(ELEMENTS, [-0.3, 0.7, 0.1], strict=True)))
    config = PotentialConfig(architecture="teanet", settings=SETTINGS, add={"zbl": {}})
    return build_potential(config, ELEMENTS, [head], TrainingData(20.0)).to(dtype)


@pytest.fixture(scope="module", params=["float64", "float32"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float, float]:
    """Return the file of a committee of two, its cutoff and the agreement to expect."""
    path = tmp_path_factory.mktemp("teanet") / "model.pt"
    members = [build(getattr(torch, request.param), seed) for seed in (1, 2)]
    for member in members:  # references stay float64 whatever the network's type
        member.reference_energies = member.reference_energies.double()
    manifest = export_model(members, path, name="test")
    return path, manifest.cutoff, 1e-10 if request.param == "float64" else 1e-5


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_teanet(model: tuple[Path, float, float], ranks: int, tmp_path: Path) -> None:
    path, cutoff, tolerance = model
    deck = ""
    shapes = {"tilted": structures.tilted, "slab": structures.slab, "molecule": structures.molecule}
    runs = [(name, shape, "halo exchange") for name, shape in shapes.items()]
    runs += [("primitive", structures.primitive, "halo exchange"), ("tilted_wide", structures.tilted, "halo wide")]
    for name, shape, style in runs:
        write_data(tmp_path / f"{name}.data", shape(), ELEMENTS)
        boundary = " ".join("p" if p else "f" for p in shape().pbc)
        deck += f"clear\nunits metal\nboundary {boundary}\nread_data {name}.data\npair_style unnp {style}\n"
        deck += f"pair_coeff * * {path} {' '.join(ELEMENTS)}\n{measure(name)}"
    run = run_lammps(tmp_path, deck, ranks)
    for name, _, _ in runs:
        dump = read_dump(tmp_path / f"{name}.dump")
        expected = evaluate(path, dump.atoms(ELEMENTS), ELEMENTS, cutoff)
        assert run.printed(name)[0] == pytest.approx(expected.energy, rel=1e-10 if tolerance < 1e-9 else 1e-6)
        np.testing.assert_allclose(dump.forces, expected.forces, atol=tolerance)
        np.testing.assert_allclose(dump.atom_energy, expected.atom_energy, atol=tolerance)
        np.testing.assert_allclose(dump.centroid_virial, expected.atom_virial, atol=10 * tolerance)
        symmetric = (expected.virial + expected.virial.T) / 2
        np.testing.assert_allclose(virial(run.printed(name)), symmetric, atol=len(dump["id"]) * tolerance)
