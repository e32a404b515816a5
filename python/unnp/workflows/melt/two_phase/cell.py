"""Crystal and melt side by side at one temperature: the stages that all routes with two phases begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unnp.errors import ConfigError
from unnp.files.writing import write_atomically
from unnp.lammps.data_file import data_file
from unnp.lammps.log import LammpsLog, ThermoBlock
from unnp.lammps.run_folder import placed
from unnp.lammps.stages import StageRunner
from unnp.lammps.system import DATA_FILE
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import Crystal
from unnp.workflows.melt.two_phase.decks import SOLID_DATA, DeckWriter
from unnp.workflows.melt.two_phase.labels import LEAST_SOLID, MOST_LIQUID, Calibration, PhaseLostError


@dataclass(frozen=True)
class SolidResult:
    """The crystal at one temperature.

    Attributes:
        lengths: edges of its box, averaged [A].
        crystal_like: share of atoms that look like crystal.
        enthalpy: [eV/atom].
        order: mean ``|sum_j exp(i k r_j)| / sqrt(n_atoms)``; None without a Bragg peak.
    """

    lengths: tuple[float, float, float]
    crystal_like: float
    enthalpy: float
    order: float | None


class TwoPhaseCell:
    """Makes cells of crystal and melt in a folder of their temperature.

    Args:
        config: the run's configuration.
        crystal: crystal that is melted.
        temperature: [K].
        base: where relative paths in the configuration begin.
        folder: folder for the whole run; cells with one temperature share a folder in it.

    Raises:
        ConfigError, DataError, ModelError: the potential does not fit the structure.
    """

    def __init__(self, config: MeltConfig, crystal: Crystal, temperature: float, base: Path, folder: Path) -> None:
        self.config, self.temperature = config, round(temperature, 1)
        self.folder = folder / f"{self.temperature:g}K"
        system = placed(config, crystal.atoms, base, self.folder)
        write_atomically(self.folder / DATA_FILE, data_file(crystal.atoms, system.elements))
        self.decks = DeckWriter(config, system, crystal, self.temperature)
        copied = sorted({word for line in system.potential for word in line.split() if (self.folder / word).is_file()})
        self._stages = StageRunner(config, self.folder, [DATA_FILE, *copied])

    def run(
        self, name: str, deck: str, inputs: Sequence[str], steps: int, read: Callable[[LammpsLog], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the result of a stage, run now or before; see ``StageRunner.run``.

        Args:
            name: the stage's name: a kind of deck, with a number where there are several.
            deck, inputs, steps, read: as of ``StageRunner.run``.
        """
        return self._stages.run(name, self.decks.title(name.partition(".")[0]), deck, inputs, steps, read)

    def solid(self) -> SolidResult:
        """Return the crystal at this temperature, from a run made now or before.

        Raises:
            PhaseLostError: it melted.
            LammpsError: LAMMPS failed.
        """
        cell = self.config.cell
        steps = sum(self.config.steps(t) for t in (cell.equilibration, cell.averaging, cell.averaging / 2))
        result = SolidResult(**self.run("solid", self.decks.solid(), [], steps, _read_solid))
        if result.crystal_like < LEAST_SOLID:
            raise PhaseLostError("liquid", self.temperature, f"{self.folder}, crystal alone")
        return result

    def two_phases(self, run: int = 1) -> Calibration:
        """Return how crystal-like the two phases of a cell are, half of it molten; its atoms are in ``two-phase.<run>.data``.

        Raises:
            PhaseLostError: the crystal melted, or the melt crystallised.
            ConfigError: the melt did not melt.
            LammpsError: LAMMPS failed.
        """
        solid, cell = self.solid(), self.config.cell
        steps = sum(self.config.steps(t) for t in (cell.melting, cell.cooling, cell.cooling / 3))
        deck = self.decks.melt(run)
        melt = self.run(f"melt.{run}", deck, [SOLID_DATA], steps, _read_melt)
        if melt["hot"] > MOST_LIQUID:
            raise ConfigError(
                f"{self.folder}: {100 * melt['hot']:.0f} % of the atoms that were to be melted still look like crystal; "
                "raise cell.melt_temperature or cell.melting."
            )
        if melt["cold"] > LEAST_SOLID:
            raise PhaseLostError("solid", self.temperature, f"{self.folder}, melt cooled")
        return Calibration(solid.crystal_like, melt["hot"])


def averages(block: ThermoBlock, discard: float = 0.0) -> dict[str, np.ndarray]:
    """Return the thermo output of one ``run`` without its first row, whose averages belong to what was before.

    Args:
        block: a block of the log.
        discard: fraction of it at the beginning that is left out.

    Returns:
        columns (n_rows,) by the title LAMMPS gives them, with ``temperature`` [K] and ``crystal_like`` by name.
    """
    first = 1 + int(discard * (len(block.rows) - 1))
    table = {name: block[name][first:] for name in block.names}
    return {**table, "temperature": table["f_means[1]"], "crystal_like": table["f_crystal"]}


def _read_solid(log: LammpsLog) -> dict[str, Any]:
    averaged, fixed = averages(log.blocks[-2]), averages(log.blocks[-1])
    return {
        "lengths": [float(fixed[name][-1]) for name in ("Lx", "Ly", "Lz")],
        "crystal_like": float(fixed["crystal_like"].mean()),
        "enthalpy": float(averaged["f_means[2]"].mean()) / log.blocks[-1].n_atoms,
        "order": float(fixed["f_order_mean"].mean()) if "f_order_mean" in fixed else None,
    }


def _read_melt(log: LammpsLog) -> dict[str, Any]:
    hot, cold = (averages(block)["crystal_like"] for block in (log.blocks[-3], log.blocks[-1]))
    return {"hot": float(hot[-max(1, len(hot) // 4) :].mean()), "cold": float(cold[-1])}
