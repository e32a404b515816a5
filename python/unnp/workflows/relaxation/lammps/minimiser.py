"""A structure on its way to the nearest minimum of the energy by LAMMPS' own minimiser, on any number of ranks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.errors import ConfigError, ModelError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.launch import Launch
from unnp.lammps.log import LammpsLog, ThermoBlock, joined, logs_of
from unnp.lammps.restart_file import newest_restart
from unnp.lammps.run import run_lammps
from unnp.lammps.structure_file import fixed_atoms
from unnp.lammps.system import DATA_FILE, System, place_potential
from unnp.lammps.system_config import InteractionConfig
from unnp.workflows.relaxation.config import LAMMPS, RelaxationConfig, SearchConfig
from unnp.workflows.relaxation.lammps.deck import END_FILE, FORCE, PRESSURES, START_FILE, relaxation_deck
from unnp.workflows.relaxation.lammps.leftovers import clear, clear_of_others
from unnp.workflows.relaxation.lammps.state import as_given, state_of
from unnp.workflows.relaxation.minimise import FAILURES, reason
from unnp.workflows.relaxation.relaxation import Relaxation

SECONDS_BETWEEN_LINES = 30.0


@dataclass(frozen=True)
class LammpsMinimiser:
    """What moves atoms with LAMMPS, to a minimum or, see ``unnp.workflows.neb.lammps``, along a path.

    Attributes:
        potential: as a deck has it, see ``unnp.lammps.opening.open_interaction``.
        base: where relative paths in it begin.
        launch: how LAMMPS is started.
    """

    potential: InteractionConfig
    base: Path
    launch: Launch = field(default_factory=Launch)

    def relax(self, relaxation: Relaxation, settings: RelaxationConfig, folder: Path, run: str) -> None:
        """Take a relaxation further: to the minimum, to its last step, or to what goes wrong, which it then says.

        Args:
            relaxation: it is changed; where it stands is read from the folder.
            settings: limits, and what relaxes.
            folder: of this structure alone; gets data file, potential, decks, logs and restart files.
            run: digest of all that the course of the run depends on; what the folder has of another is removed.

        Raises:
            UnnpError: another run is going on in the folder, as of a process that was just killed; or it cannot be made.
        """
        make_folder(folder)
        with hold_folder(folder):
            try:
                clear_of_others(folder, run)
                self._run(relaxation.start, settings, folder)
                _take(relaxation, settings, folder)
            except FAILURES as error:
                relaxation.problem = reason(error)

    def system(self, start: Atoms, folder: Path) -> System:
        """Return what decks say of a structure, with the files of the potential placed into their folder.

        Raises:
            ConfigError, DataError, ModelError: a file is missing, or the potential does not know an element or the head.
        """
        atoms = as_given(start)
        elements, potential = place_potential(self.potential, atoms, self.base, folder, device=self.launch.device)
        title = f"{atoms.get_chemical_formula(empirical=True)}, {len(atoms)} atoms"
        fixed = (fixed_atoms(start) + 1).tolist()
        return System(title, elements, boundary(atoms), potential, fixed, n_atoms=len(atoms))

    def _run(self, start: Atoms, settings: RelaxationConfig, folder: Path) -> None:
        system = self.system(start, folder)
        restart = newest_restart(folder)
        if restart is None:
            clear(folder)  # of logs: their run stopped before there was anything to go on with
            text = data_file(as_given(start), system.elements, triclinic=settings.cell == "all")
            write_atomically(folder / DATA_FILE, text)
        part = f"{len(logs_of(folder))}." if restart else ""
        deck = folder / f"in.{part}lammps"
        shown = f"{self.launch.shown()} -in {deck.name}"
        write_atomically(deck, relaxation_deck(settings, system, shown, restart.name if restart else None))
        run_lammps(deck, self.launch, log=f"log.{part}lammps", follow=_telling(folder.name))


def check_optimiser(calculator: Calculator | LammpsMinimiser, settings: SearchConfig, simulations: int = 1) -> None:
    """Raise an error where a potential is not as the optimiser takes it, or LAMMPS cannot be started.

    Args:
        calculator: of ASE, or what moves atoms with LAMMPS.
        settings: with the optimiser.
        simulations: how many run side by side.

    Raises:
        ConfigError: optimiser and calculator do not belong together.
        LammpsError: LAMMPS or mpirun is missing.
    """
    in_lammps = isinstance(calculator, LammpsMinimiser)
    if in_lammps != (settings.optimiser == LAMMPS):
        raise ConfigError(
            f"optimiser '{settings.optimiser}' does not go with a {type(calculator).__name__}; `{LAMMPS}` takes a "
            "LammpsMinimiser, all others a calculator of ASE."
        )
    if isinstance(calculator, LammpsMinimiser):
        calculator.launch.check(simulations)


def _take(relaxation: Relaxation, settings: RelaxationConfig, folder: Path) -> None:
    """Read what came out of a run into a relaxation."""
    table = joined(_blocks(logs_of(folder)))
    energies, forces = table["PotEng"], np.maximum(table[FORCE], 0.0)  # of no atom that moves, it is below zero
    if not (np.isfinite(energies).all() and np.isfinite(forces).all()):
        raise ModelError("forces are not finite; begin nearer to the minimum, or check the potential there.")
    state = state_of(relaxation.start, folder / START_FILE, folder / END_FILE, cell_moves=settings.cell != "none")
    relaxation.energies, relaxation.forces = energies.tolist(), forces.tolist()
    relaxation.at_rest = bool(forces[-1] <= settings.max_force)
    relaxation.atoms.set_cell(state.cell)
    relaxation.atoms.set_positions(state.positions, apply_constraint=False)
    relaxation.atomic_forces = state.forces
    if relaxation.start.pbc.all():
        relaxation.stress = state.stress([table[name.capitalize()][-1] for name in PRESSURES])
    if not relaxation.is_over(settings):
        relaxation.problem = (
            f"after {relaxation.steps} steps LAMMPS' line search finds no lower energy; ask for less with --max-force, or "
            "take another optimiser"
        )


def _blocks(logs: list[LammpsLog]) -> list[ThermoBlock]:
    return [block for log in logs for block in log.blocks if FORCE in block.names]


def _telling(name: str) -> Callable[[LammpsLog], None]:
    """Return what says now and then where a run is."""
    last = time.monotonic()

    def tell(log: LammpsLog) -> None:
        nonlocal last
        rows = [(block, row) for block in _blocks([log])[-1:] for row in block.rows[-1:]]
        if rows and time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            step, energy, force, *_ = rows[0][1]
            print(f"{name}: step {step:.0f}  {energy:.3f} eV  largest force {force:.3g} eV/A", flush=True)

    return tell
