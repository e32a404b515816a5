"""Values of the fix against the oracle; forces and pressure against differences of pe + Vb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from lammps_run import run_lammps
from momt_decks import dump, forces, head, write_structure
from momt_differences import Differences, differentiate
from momt_oracle import NKTV2P
from momt_systems import ORDERS, PRESSURE, T0, Bias, Order, prepare, write_state

CASES = [(name, "opes") for name in ORDERS]
CASES += [("fcc", "wt"), ("q6_tilted", "wt"), ("fcc_tilted", "wl"), ("q6", "wl"), ("none", "wl")]
Plain = dict[str, tuple[float, np.ndarray]]


@dataclass
class Case:
    """A structure under a frozen bias, and the same structure without one (pe and forces)."""

    order: Order
    bias: Bias
    found: Differences
    pe: float
    forces: np.ndarray


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """Return pe [eV] and forces [eV/A] of the structures without the fix."""
    folder = tmp_path_factory.mktemp("plain")
    deck = ""
    for name, order in ORDERS.items():
        write_structure(folder, order.atoms(), f"{name}.data")
        deck += "clear\n" + head(f"{name}.data") + dump(name) + f'print "{name}: $(pe:%.17g)"\n'
    run = run_lammps(folder, deck, timeout=120)
    return {name: (run.printed(name)[0], forces(run, name)) for name in ORDERS}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, plain: Plain, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name, mode = request.param
    order, (pe, unbiased) = ORDERS[name], plain[name]
    atoms = order.atoms()
    folder = tmp_path_factory.mktemp(f"{name}_{mode}")
    prepared = prepare(mode, order, pe + PRESSURE * atoms.get_volume() / NKTV2P)
    write_state(folder / "s.json", mode, order, PRESSURE, prepared.state)
    fixes = f"fix momt all momt T0 {T0} temps 650 1400 12 press {PRESSURE} order {order.words} {prepared.words} "
    fixes += (
        f"pace 1 start s.json\nfix_modify momt freeze yes\nfix box all nph iso {PRESSURE} {PRESSURE} 1.0 ptemp 900\n"
    )
    return Case(order, prepared.bias, differentiate(folder, atoms, fixes), pe, unbiased)


def test_energy_stays_physical(case: Case) -> None:
    assert case.found.shown["pe"] == pytest.approx(case.pe, abs=1e-10)


def test_order_parameter_and_enthalpy(case: Case) -> None:
    shown, atoms = case.found.shown, case.order.atoms()
    assert shown["H"] == pytest.approx(case.pe + PRESSURE * atoms.get_volume() / NKTV2P, abs=1e-9)
    assert shown["s"] == pytest.approx(case.order.value(atoms), abs=1e-12)


def test_bias(case: Case) -> None:
    shown = case.found.shown
    assert shown["T_eff"] == pytest.approx(T0 / shown["alpha"], rel=1e-12)
    assert abs(shown["alpha"] - 1) > 1e-3
    point = shown["H"], shown["s"]
    assert shown["bias"] == pytest.approx(case.bias.bias(*point), abs=1e-9)
    assert shown["alpha"] == pytest.approx(case.bias.alpha(*point), abs=1e-10)
    assert shown["dVb/ds"] == pytest.approx(case.bias.order_force(*point), abs=1e-9)


def test_forces(case: Case) -> None:
    """F = -d(pe + Vb)/dr, and the bias is felt."""
    found = case.found
    largest = np.abs(found.forces).max()
    assert np.abs(found.forces - case.forces).max() > 1e-3 * largest
    expected = np.sum(found.forces * found.directions, axis=(1, 2))
    np.testing.assert_allclose(-found.slopes, expected, rtol=0, atol=1e-6 * largest)


def test_virial(case: Case) -> None:
    """p V = -d(pe + Vb)/d strain, every component, with P0 V in H."""
    virial = case.found.virial
    np.testing.assert_allclose(-case.found.strains, virial, rtol=0, atol=1e-6 * np.abs(virial).max())
