"""With a frozen bias, kinetic + potential energy + Vb (+ what the barostat holds) is conserved, to second order in dt."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lammps_run import run_lammps
from momt_decks import aluminium, head, write_structure
from momt_oracle import Opes, fcc_star, structure_factor, umbrellas
from momt_systems import T0, TEMPERATURES, Order, opes_state, write_state

PRESSURE = 20000.0  # [bar]
DURATION = 0.2  # [ps]
# Not iso: in LAMMPS the `econserve` of coupled directions drifts by itself, whatever the time step, also without a bias.
BOXES = {
    "nve": "fix box all nve\n",
    "aniso": f"fix box all nph aniso {PRESSURE} {PRESSURE} 0.2\n",
    "tri": f"fix box all nph tri {PRESSURE} {PRESSURE} 0.2\n",
}
CASES = [("nve", "sk"), ("nve", "fk"), ("nve", "q6"), ("aniso", "sk"), ("tri", "sk"), ("tri", "q6")]
WORDS = {"sk": "sk fcc 2 2 3", "fk": "fk fcc 2 2 3", "q6": "q6 3.0 4.4"}
SIGMA = 0.13
SLOPE = 2.0  # [eV] of the bias along s, strong enough to be seen


def _bias() -> Opes:
    """Return umbrellas on the default range that push along s; the temperatures mix as the enthalpy asks."""
    centres = umbrellas(0.0, 1.0, SIGMA)
    return Opes(T0, TEMPERATURES, np.tile(SLOPE * centres, (12, 1)), centres, SIGMA)


def _write_state(path: Path, order: str, pressure: float | None) -> None:
    bias = _bias()
    around = -161.5 if pressure is None else -151.5
    bias.free_energies = bias.free_energies + bias.kt * (bias.exponents(around, 0.0) - bias.exponents(0.0, 0.0))
    write_state(path, "opes", Order(_atoms, WORDS[order], lambda atoms: 0.0), pressure, opes_state(bias))


def _atoms():
    return aluminium((2, 2, 3), 0.05)


def _section(name: str, box: str, order: str, timestep: float) -> str:
    press = "" if box == "nve" else f"press {PRESSURE}"
    steps = round(DURATION / timestep)
    words = f"order {WORDS[order]} mode opes free 0 range 0 1 sigma {SIGMA} pace 1 start {box}_{order}.json"
    values = "$(v_conserved:%.17g) $(f_momt[2]:%.17g) $(f_momt[3]:%.17g) $(pe:%.17g)"
    return f"""clear
{head()}{"change_box all triclinic" if box == "tri" else ""}
velocity all create 1200 4711 mom yes
fix momt all momt T0 {T0} temps 650 1400 12 {press} {words}
fix_modify momt freeze yes
{BOXES[box]}timestep {timestep}
thermo_style custom step econserve f_momt f_momt[2] f_momt[3] pe
thermo_modify format float %.17g
variable conserved equal econserve+f_momt
fix out all print {max(1, steps // 50)} "{values}" file {name}.txt screen no
run {steps} post no
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every case with three time steps in one LAMMPS, and return the folder of their tables."""
    folder = tmp_path_factory.mktemp("conserved")
    write_structure(folder, _atoms())
    deck = ""
    for box, order in CASES:
        _write_state(folder / f"{box}_{order}.json", order, None if box == "nve" else PRESSURE)
        for timestep in (0.001, 0.002, 0.004):
            deck += _section(f"{box}_{order}_{timestep}", box, order, timestep)
    run_lammps(folder, deck, timeout=200)
    return folder


@pytest.mark.parametrize(("box", "order"), CASES)
def test_conserved_to_second_order(box: str, order: str, runs: Path) -> None:
    tables = [np.loadtxt(runs / f"{box}_{order}_{dt}.txt") for dt in (0.001, 0.002, 0.004)]
    spread = [np.std(table[:, 0]) for table in tables]
    # The parts that cancel move by far more than their sum, and the forces of the bias take part.
    assert np.ptp(tables[0][:, 3]) > 1.0
    assert np.ptp(tables[0][:, 2]) > 0.02
    assert spread[0] < 1e-3 * np.ptp(tables[0][:, 3])
    for small, large in pairwise(spread):
        assert 3.0 < large / small < 5.5


def test_fields_of_the_oracle(runs: Path) -> None:
    """The bias of these runs is no constant: the oracle's value spreads over more than what must be conserved."""
    table = np.loadtxt(runs / "nve_sk_0.001.txt")
    assert np.ptp(table[:, 1]) > 0.05
    assert structure_factor(_atoms(), fcc_star(2, 2, 3)) == pytest.approx(table[0, 1], abs=0.02)
