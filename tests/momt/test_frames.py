"""Choosing frames: their bytes, their rows, their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from unnp.errors import LammpsError
from unnp.sampling.log_file import LogHeader
from unnp.sampling.samples import Samples
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.momt.frames.candidates import Candidates, choose, find_candidates, frame_weights
from unnp.workflows.momt.frames.labels import read_labels

HEADER = LogHeader(
    mode="opes",
    needs_freezing=False,
    order="sk",
    temperature=900,
    pressure=0.0,
    atoms=2,
    boltzmann=BOLTZMANN_EV_PER_K,
    nktv2p=1.6e6,
    units="metal",
)


def samples(order: np.ndarray, bias: np.ndarray) -> Samples:
    n = len(order)
    zero = np.zeros(n)
    step, walker = 10.0 * np.arange(n), np.zeros(n, dtype=int)
    return Samples(step, walker, zero - 3, zero + 40, order - 3.0, order, bias, zero, HEADER)


def frame(step: int) -> str:
    return (
        f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS pp pp pp\n0 4\n0 4\n0 4\n"
        f"ITEM: ATOMS id type x y z\n1 1 0 0 {step}\n2 1 2 2 2\n"
    )


def test_frames_are_found_once_and_cut_out_whole(tmp_path: Path) -> None:
    (tmp_path / "frames.1.0.lammpstrj").write_text("".join(map(frame, (0, 20, 40))))
    (tmp_path / "frames.2.0.lammpstrj").write_text("".join(map(frame, (40, 60, 85))))
    (tmp_path / "frames.3.0.lammpstrj").write_text(frame(80)[:40])  # a chunk that is not finished
    found = find_candidates(tmp_path, 2, samples(np.zeros(10), np.zeros(10)))
    assert found.row.tolist() == [0, 2, 4, 6]  # step 85 has no row
    text = b"".join(found.text(np.array([1, 3]), first=5)).decode()
    assert text == frame(20).replace("TIMESTEP\n20", "TIMESTEP\n5") + frame(60).replace("TIMESTEP\n60", "TIMESTEP\n6")
    with pytest.raises(LammpsError, match="holds no frames"):
        find_candidates(tmp_path, 0, samples(np.zeros(10), np.zeros(10)))


def candidates(n: int) -> Candidates:
    index = np.arange(n)
    return Candidates(0 * index, 0 * index, 0 * index, index, [])


@pytest.mark.parametrize("bins", [10, None])
def test_weights_undo_bias_and_thinning(bins: int | None) -> None:
    rng = np.random.default_rng(1)
    n = 60_000
    order = np.concatenate([rng.uniform(0.0, 0.2, n * 9 // 10), rng.uniform(0.2, 1.0, n // 10)])
    # p(s) ~ exp(-Vb / kT) * truth: the weight exp(Vb / kT) makes it the truth
    bias = 900 * BOLTZMANN_EV_PER_K * order
    chosen = samples(order, bias)
    truth = np.average(order, weights=np.exp(order))
    kept = choose(candidates(n), chosen, 8000, bins, seed=2)
    assert len(kept) == 8000
    weight = frame_weights(chosen, candidates(n), kept, bins)
    assert weight.mean() == pytest.approx(1.0)
    assert np.average(order[kept], weights=weight) == pytest.approx(truth, abs=0.005)
    share_of_rare = (order[kept] > 0.2).mean()
    assert share_of_rare > 0.5 if bins else share_of_rare < 0.12


def test_a_tilted_box_is_read_as_lammps_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_text(
        "ITEM: TIMESTEP\n1\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
        "-1.5 6 1\n2 7 -0.5\n0 4 -1\nITEM: ATOMS type x y z fx fy fz\n1 1 2 3 0.1 0.2 0.3\n"
    )
    columns = " ".join(f"c_virial[{k}]" for k in range(1, 7))
    row = "1 -3.5 1602176.634 0 0 0 0 -1602176.634"
    (tmp_path / "a.log").write_text(
        f"Per MPI rank memory allocation (min/avg/max) = 1 | 1 | 1 Mbytes\n   Step PotEng {columns}\n{row}\n"
        "Loop time of 1 on 1 procs for 1 steps with 1 atoms\n"
    )
    (structure,) = read_labels(tmp_path / "a.dump", tmp_path / "a.log", ["Al"])
    # bounds are those of the box plus the smallest and largest of 0, xy, xz, xy + xz, and of 0, yz
    assert structure.cell.tolist() == [[6.0, 0, 0], [1, 4, 0], [-0.5, -1, 4]]
    assert structure.positions.tolist() == [[2.0, -1.0, 3.0]]
    assert structure.forces is not None
    assert structure.forces.tolist() == [[0.1, 0.2, 0.3]]
    assert structure.energy == -3.5
    expected = np.zeros((3, 3))
    expected[0, 0], expected[1, 2], expected[2, 1] = -1, 1, 1
    assert np.allclose(structure.stress, expected)
    (tmp_path / "a.dump").write_text("")
    with pytest.raises(LammpsError, match="0 frames"):
        read_labels(tmp_path / "a.dump", tmp_path / "a.log", ["Al"])
