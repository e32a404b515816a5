"""Many structures relaxed one after the other; what is finished, and where the one in work stands, is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.config.resume import check_resume
from unnp.data.journal import Journal
from unnp.data.progress import counting
from unnp.errors import ModelError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL, digest, keeper
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser, check_optimiser
from unnp.workflows.relaxation.relaxation import Relaxation, check_fits, relax
from unnp.workflows.relaxation.report import write_report
from unnp.workflows.relaxation.structures import NAME


def run_relaxations(
    structures: Sequence[Atoms],
    calculator: Calculator | LammpsMinimiser,
    settings: RelaxationConfig,
    folder: Path,
    *,
    potential: str = "",
    resume: bool = False,
) -> list[Relaxation]:
    """Relax structures, and write tables, structures and figure into a folder.

    Args:
        structures: with names in ``info["name"]`` and constraints of fixed atoms, as ``read_all`` returns them.
        calculator: with energies and forces, and with stress for the cell; for the optimiser ``lammps`` a ``LammpsMinimiser``.
        settings: how they are relaxed.
        folder: made where it is missing.
        potential: what tells the potential from others, see ``identity``; a run is resumed with the same one only.
        resume: go on where a run in the folder stands, or further than it went with more steps.

    Raises:
        LammpsError: LAMMPS or mpirun is missing.
        ConfigError: the cell of a structure cannot relax, or the folder holds a run, or none to go on with.
        DataError: the run in the folder is of other structures, settings or of another potential.
        ModelError: the potential can compute none of the structures; the first reason is told.
    """
    check_optimiser(calculator, settings)
    for k, atoms in enumerate(structures):
        check_fits(atoms, settings, str(atoms.info.get(NAME, f"structure {k}")))
    check_resume(folder, resume=resume, sign=JOURNAL)
    make_folder(folder)
    with hold_folder(folder):
        run = digest(structures, settings, potential)
        with Journal(folder / JOURNAL, run) as journal:
            relaxations = _relaxed(structures, calculator, settings, journal, run)
        write_report(folder, relaxations)
    if not any(each.energies for each in relaxations):
        raise ModelError(
            f"none of {len(relaxations)} structures could be computed; the first: {relaxations[0].problem}"
        )
    return relaxations


def _relaxed(
    structures: Sequence[Atoms],
    calculator: Calculator | LammpsMinimiser,
    settings: RelaxationConfig,
    journal: Journal,
    run: str,
) -> list[Relaxation]:
    relaxations = [Relaxation.of(atoms, journal.finished.get(k)) for k, atoms in enumerate(structures)]
    over = [each.is_over(settings) for each in relaxations]
    with counting("structures", len(relaxations), sum(over)) as advance:
        for k, relaxation in enumerate(relaxations):
            if over[k]:
                continue
            if isinstance(calculator, LammpsMinimiser):
                calculator.relax(relaxation, settings, journal.path.parent / f"structure-{k}", run)
            else:
                relax(relaxation, calculator, settings, keeper(journal, k, relaxation.entry))
            journal.add(k, relaxation.entry())
            advance()
    return relaxations
