"""`hybrid` and `hybrid/overlay`: the sum of the parts, each part as if it were alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structures
from lammps_run import Dump, Run, measure, read_dump, run_lammps, write_data
from reference import Reference, evaluate
from toy_model import CUTOFF, ELEMENTS

LJ = "pair_coeff * 3 {lj}0.02 2.3 8.0\n"
D3 = "pair_coeff * * dispersion/d3 Ni Al Cu\n"
ZBL = "pair_coeff 1 1 zbl 28 28\npair_coeff 2 2 zbl 13 13\npair_coeff 3 3 zbl 29 29\n"

PAIRS = {
    # The third type belongs to another style, which reaches further than the model.
    "hybrid": "pair_style hybrid unnp lj/cut 8.0\npair_coeff * * unnp {model} Ni Al NULL\n" + LJ.format(lj="lj/cut "),
    "hybrid_rest": "pair_style lj/cut 8.0\npair_coeff * * 0.0 2.3 8.0\n" + LJ.format(lj=""),
    "overlay": "pair_style hybrid/overlay unnp dispersion/d3 bj pbe 12.0 8.0 zbl 2.0 3.0\n"
    "pair_coeff * * unnp {model} Ni Al Cu\n" + D3 + ZBL,
    "overlay_rest": "pair_style hybrid/overlay dispersion/d3 bj pbe 12.0 8.0 zbl 2.0 3.0\n" + D3 + ZBL,
    "twice": "pair_style hybrid/overlay unnp unnp halo wide\n"
    "pair_coeff * * unnp 1 {model} Ni Al Cu\npair_coeff * * unnp 2 {model} Ni Al Cu\n",
}


@pytest.fixture(scope="module", params=["1ranks", "4ranks", "4ranks_newton_off"])
def run(request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hybrid")
    write_data(folder / "a.data", structures.crystal(), ELEMENTS)
    newton = "newton off\n" if request.param.endswith("off") else ""
    deck = ""
    for name, pair in PAIRS.items():
        deck += (
            f"clear\nunits metal\natom_modify map yes\n{newton}read_data a.data\n{pair.format(model=models / 'toy.pt')}"
        )
        deck += measure(name)
    return run_lammps(folder, deck, int(request.param[0]))


def check_sum(run: Run, whole: str, rest: str, expected: Reference, rows: np.ndarray) -> None:
    dumps: list[Dump] = [read_dump(run.folder / f"{name}.dump") for name in (whole, rest)]
    assert run.printed(whole)[0] - run.printed(rest)[0] == pytest.approx(expected.energy, rel=1e-9)
    np.testing.assert_allclose((dumps[0].forces - dumps[1].forces)[rows], expected.forces, atol=1e-9)
    np.testing.assert_allclose((dumps[0].atom_energy - dumps[1].atom_energy)[rows], expected.atom_energy, atol=1e-9)
    difference = dumps[0].centroid_virial - dumps[1].centroid_virial
    np.testing.assert_allclose(difference[rows], expected.atom_virial, atol=1e-8)


def test_null_types_belong_to_another_style(run: Run, models: Path) -> None:
    dump = read_dump(run.folder / "hybrid.dump")
    rows = dump["type"] < 3
    atoms = dump.atoms(ELEMENTS)[rows]
    check_sum(run, "hybrid", "hybrid_rest", evaluate(models / "toy.pt", atoms, ELEMENTS, CUTOFF), rows)


def test_overlay_with_dispersion_and_zbl(run: Run, models: Path) -> None:
    dump = read_dump(run.folder / "overlay.dump")
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    check_sum(run, "overlay", "overlay_rest", expected, np.ones(len(dump["id"]), dtype=bool))


def test_two_models_at_once(run: Run, models: Path) -> None:
    dump = read_dump(run.folder / "twice.dump")
    expected = evaluate(models / "toy.pt", dump.atoms(ELEMENTS), ELEMENTS, CUTOFF)
    assert run.printed("twice")[0] == pytest.approx(2 * expected.energy, rel=1e-10)
    np.testing.assert_allclose(dump.forces, 2 * expected.forces, atol=1e-10)
