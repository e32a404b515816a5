"""What a ramp measured, bin by bin: thermodynamics, displacements, neighbour shells and pair distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.errors import LammpsError
from unnp.lammps.log import LammpsLog, ThermoBlock
from unnp.units import GPA_PER_EV_PER_A3
from unnp.workflows.ramp.deck import NEAREST
from unnp.workflows.ramp.plan import Plan

_FRACTIONS = {"fcc": "c_fcc", "hcp": "c_hcp", "bcc": "c_bcc"}


@dataclass(frozen=True)
class Bin:
    """Averages over one bin of a ramp, after its first step.

    Attributes:
        leg: "equilibration", "heating" or "cooling".
        first_step: at which it began.
        duration: [ps].
        target: temperature of the thermostat in the middle [K].
        temperature: measured [K].
        volume: [A^3/atom].
        enthalpy: kinetic and potential energy and ``P V`` with the pressure that was asked for [eV/atom].
        potential_energy: [eV/atom].
        msd: mean square displacement from the beginning to the end of the bin [A^2].
        diffusion: a sixth of the slope of the displacement in the second half of the bin [A^2/ps].
        neighbour_distance: distance of neighbours in a crystal with this volume [A].
        solid: fraction of atoms with a crystal-like neighbourhood, by bond order.
        fcc, hcp, bcc, other: fractions of atoms by common neighbour analysis.
    """

    leg: str
    first_step: int
    duration: float
    target: float
    temperature: float
    volume: float
    enthalpy: float
    potential_energy: float
    msd: float
    diffusion: float
    neighbour_distance: float
    solid: float
    fcc: float
    hcp: float
    bcc: float
    other: float


def read_bins(logs: Sequence[LammpsLog], plan: Plan, *, n_atoms: int, pressure: float, crystal: str) -> list[Bin]:
    """Return the finished bins of a run and its continuations, in order of time.

    Args:
        logs: a bin that was run twice is taken from the later one.
        plan: the run's plan.
        n_atoms: number of atoms in the structure.
        pressure: asked for [GPa].
        crystal: lattice whose nearest neighbours are meant.
    """
    blocks: dict[int, ThermoBlock] = {}
    for log in logs:
        for block in log.blocks:
            # A restart file may have been written before the last row was: one row less is a whole bin too.
            if len(block.rows) > 2 and _covers(block, plan.steps_per_bin):
                blocks[int(block["Step"][0])] = block
    found = [(step, blocks[step]) for step in sorted(blocks) if plan.find(step)]
    return [_bin(step, block, plan, n_atoms, pressure, crystal) for step, block in found]


def _covers(block: ThermoBlock, steps: int) -> bool:
    first, second, last = (int(block["Step"][k]) for k in (0, 1, -1))
    return last - first >= steps - (second - first)


def _bin(step: int, block: ThermoBlock, plan: Plan, n_atoms: int, pressure: float, crystal: str) -> Bin:
    place = plan.find(step)
    assert place is not None
    leg, number = place

    def mean(name: str) -> float:
        return float(block[name][1:].mean())

    time, msd = block["Time"] - block["Time"][0], block["c_msd[4]"]
    half = len(time) // 2
    volume, potential = mean("Volume") / n_atoms, mean("PotEng") / n_atoms
    fractions = {name: mean(title) for name, title in _FRACTIONS.items()}
    return Bin(
        leg=leg.name,
        first_step=step,
        duration=float(time[-1]),
        target=plan.target(leg, number),
        temperature=mean("Temp"),
        volume=volume,
        enthalpy=potential + mean("KinEng") / n_atoms + pressure / GPA_PER_EV_PER_A3 * volume,
        potential_energy=potential,
        msd=float(msd[-1]),
        diffusion=float(np.polyfit(time[half:], msd[half:], 1)[0] / 6),
        neighbour_distance=float(NEAREST[crystal] * volume ** (1 / 3)),
        solid=mean("c_solid"),
        **fractions,
        other=1 - sum(fractions.values()),
    )


def read_rdf(path: Path) -> dict[int, np.ndarray]:
    """Return g(r) by the step with which its bin ended.

    Args:
        path: written by ``fix ave/time`` in the deck; a table that was written twice is taken from the later one, and one that
            is damaged, as a full disk leaves it, is left out.

    Returns:
        per step (n_points, 2): r [A] and g, over all pairs of atoms.

    Raises:
        LammpsError: the file cannot be read.
    """
    try:
        text = path.read_text(errors="replace") if path.is_file() else ""
    except OSError as error:
        raise LammpsError(f"{path} cannot be read ({error.strerror}); delete it to go on without g(r).") from None
    rows = [_numbers(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    tables: dict[int, np.ndarray] = {}
    for position, head in enumerate(rows):
        if len(head) != 2 or head[1] < 1:
            continue
        table = rows[position + 1 : position + 1 + int(head[1])]
        if len(table) == head[1] and all(len(row) == 4 for row in table):
            tables[int(head[0])] = np.array(table)[:, 1:3]
    return tables


def _numbers(line: str) -> list[float]:
    """Return the numbers of a row; none for a row in which something else stands."""
    try:
        numbers = [float(word) for word in line.split()]
    except ValueError:
        return []
    return numbers if np.isfinite(numbers).all() else []
