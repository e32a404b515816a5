"""The disagreement of a committee, as an active-learning loop reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structures
from lammps_run import read_dump, run_lammps, write_data
from reference import evaluate
from toy_model import CUTOFF, ELEMENTS, write_toy

DECK = """
units metal
{newton}
read_data a.data
pair_style unnp deviation deviation.out 4
pair_coeff * * {model} {symbols}
velocity all create 600 4711
fix 1 all nve
dump 1 all custom 4 t.dump id type x y z fx fy fz
dump_modify 1 format float %.17g
run 8
"""


@pytest.mark.parametrize(("ranks", "newton"), [(1, ""), (4, ""), (2, "newton off")])
def test_deviation_file(ranks: int, newton: str, models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    model = models / "committee.pt"
    run_lammps(tmp_path, DECK.format(model=model, symbols=" ".join(ELEMENTS), newton=newton), ranks)
    table = np.loadtxt(tmp_path / "deviation.out")
    assert table[:, 0].tolist() == [0, 4, 8]
    dump = read_dump(tmp_path / "t.dump")
    members = [evaluate(model, dump.atoms(ELEMENTS), ELEMENTS, CUTOFF, member=k) for k in range(3)]
    forces = np.stack([m.forces for m in members])
    np.testing.assert_allclose(dump.forces, forces.mean(0), atol=1e-10)
    spread = np.sqrt(((forces - forces.mean(0)) ** 2).sum(2).mean(0))
    energy = np.std([m.energy for m in members]) / len(dump["id"])
    np.testing.assert_allclose(table[-1, 1:], [spread.max(), spread.min(), spread.mean(), energy], rtol=1e-8)


def test_a_calibrated_committee_gives_calibrated_deviations(models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    scales = {"energy": 2.5, "forces": 0.25}
    write_toy(tmp_path / "calibrated.pt", n_members=3, deviation_scales=scales)
    tables, outputs = [], []
    for model in (models / "committee.pt", tmp_path / "calibrated.pt"):
        deck = DECK.format(model=model, symbols=" ".join(ELEMENTS), newton="")
        outputs.append(run_lammps(tmp_path, deck, 2).output)
        tables.append(np.loadtxt(tmp_path / "deviation.out"))
    factors = [1.0, *[scales["forces"]] * 3, scales["energy"]]
    np.testing.assert_allclose(tables[1], factors * tables[0], rtol=1e-8)
    assert "deviation energy not calibrated, forces not calibrated" in outputs[0]
    assert "deviation energy calibrated (times 2.5), forces calibrated (times 0.25)" in outputs[1]


@pytest.mark.parametrize("ranks", [1, 2])
def test_full_disk(ranks: int, models: Path, tmp_path: Path) -> None:
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    deck = DECK.format(model=models / "committee.pt", symbols=" ".join(ELEMENTS), newton="")
    run = run_lammps(tmp_path, deck.replace("deviation.out", "/dev/full"), ranks, check=False, timeout=60)
    assert run.code != 0
    errors = [line for line in run.output.splitlines() if line.startswith("ERROR")]
    assert len(errors) == 1
    assert "cannot write the deviation file '/dev/full': No space left on device" in errors[0]
