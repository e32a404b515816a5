"""What is made of the observe stage: basins of the order parameter, and a grid that follows solid and liquid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from momt_runs import make
from unnp.errors import LammpsError
from unnp.units import BOLTZMANN_EV_PER_K
from unnp.workflows.momt.observation import basins_of

CAPACITY, LATENT = 0.02, 12.0  # eV/K and eV of a cell: H = C T, and L more in the liquid
SOLID, LIQUID = 0.8, 0.05
HEADER = {
    "mode": "opes",
    "needs_freezing": False,
    "order": "sk",
    "temperature": 900,
    "pressure": 0.0,
    "atoms": 108,
    "boltzmann": BOLTZMANN_EV_PER_K,
    "nktv2p": 1602176.5,
    "units": "metal",
}
COLUMNS = "step energy volume enthalpy order bias effective_temperature order_force updates round_trips"


def write_logs(folder: Path, temperatures: tuple[float, float], latent: float = LATENT) -> None:
    """Write logs of both phases whose enthalpies fluctuate as much as the heat capacity asks for."""
    (folder / "observe").mkdir()
    rng = np.random.default_rng(5)
    for phase, temperature, order in zip(("solid", "liquid"), temperatures, (SOLID, LIQUID), strict=True):
        width = np.sqrt(BOLTZMANN_EV_PER_K * temperature**2 * CAPACITY)
        mean = -380 + CAPACITY * temperature + (latent if phase == "liquid" else 0.0)
        rows = [
            f"{25 * n} {h} 1800 {h} {s} 0 {temperature} 0 0 0.0"
            for n, (h, s) in enumerate(zip(rng.normal(mean, width, 4000), rng.normal(order, 0.01, 4000), strict=True))
        ]
        lines = ["# unnp momt log 1", f"# {json.dumps(HEADER)}", f"# {COLUMNS}", *rows]
        (folder / f"observe/momt.{phase}.log").write_text("\n".join(lines) + "\n")


def test_the_grid_follows_the_line_of_solid_and_liquid(tmp_path: Path) -> None:
    write_logs(tmp_path, (850, 1250))
    config = make(temperatures=[850, 1250], temperature=950, bias={"kind": "wl"})
    basins = basins_of(config, tmp_path)
    assert basins.grid.tilt == pytest.approx(LATENT / (SOLID - LIQUID), rel=0.05)
    # Solid and liquid of the lowest temperature are both at its lower end, but for one standard deviation.
    solid = -380 + CAPACITY * 850
    for h in (solid + basins.grid.tilt * SOLID, solid + LATENT + basins.grid.tilt * LIQUID):
        assert basins.grid.low < h < basins.grid.low + 2 * basins.grid.width
    width = np.sqrt(BOLTZMANN_EV_PER_K * CAPACITY) * np.mean([850, 1250])
    assert basins.grid.width == pytest.approx(width, rel=0.05)
    assert basins.liquid == pytest.approx(LIQUID + 0.1 * (SOLID - LIQUID), abs=0.01)
    assert basins.solid == pytest.approx(LIQUID + 0.5 * (SOLID - LIQUID), abs=0.01)


def test_a_tilt_may_be_given_and_amplitudes_have_basins_of_their_own(tmp_path: Path) -> None:
    write_logs(tmp_path, (850, 1250))
    settings = {"temperatures": [850, 1250], "temperature": 950, "order": {"kind": "fk"}}
    basins = basins_of(make(**settings, bias={"kind": "wl", "tilt": 0.0}), tmp_path)
    assert basins.grid.tilt == 0.0
    assert basins.grid.high - basins.grid.low > 0.9 * (LATENT + CAPACITY * 400)
    assert basins.liquid == pytest.approx(LIQUID + 0.3 * (SOLID - LIQUID), abs=0.01)


def test_an_enthalpy_that_falls_is_refused(tmp_path: Path) -> None:
    write_logs(tmp_path, (850, 1250), latent=-20.0)
    with pytest.raises(LammpsError, match="does not hold this structure"):
        basins_of(make(temperatures=[850, 1250], temperature=950), tmp_path)


def test_a_tilt_that_turns_the_grid_over_is_refused(tmp_path: Path) -> None:
    write_logs(tmp_path, (850, 1250))
    config = make(temperatures=[850, 1250], temperature=950, bias={"kind": "wl", "tilt": 60.0})
    with pytest.raises(LammpsError, match=r"bias\.tilt: with 60 eV .* Leave it out, or give less"):
        basins_of(config, tmp_path)
