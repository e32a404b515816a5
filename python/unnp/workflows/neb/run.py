"""A path between two minima: its ends relaxed, its images moved; where it stands is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.config.resume import check_resume
from unnp.data.journal import Journal
from unnp.errors import ModelError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder
from unnp.workflows.neb.band import Band, search
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.lammps.search import search as search_in_lammps
from unnp.workflows.neb.path import band_of, check_alike, check_apart, n_images
from unnp.workflows.neb.report import write_report
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL, digest, keeper
from unnp.workflows.relaxation.lammps.minimiser import LammpsMinimiser, check_optimiser
from unnp.workflows.relaxation.minimise import sentence
from unnp.workflows.relaxation.relaxation import Relaxation, relax

ENDS = ("start", "end")
BAND = 2
"""Where the band is in the journal, behind the ends."""


def run_neb(
    states: Sequence[Atoms],
    calculator: Calculator | LammpsMinimiser,
    settings: NebConfig,
    folder: Path,
    *,
    potential: str = "",
    resume: bool = False,
) -> Band:
    """Find the path of lowest energy between two states, and write it with tables and figures into a folder.

    Args:
        states: two ends, or a path to begin with, of the same atoms in one cell.
        calculator: with energies and forces; for the optimiser ``lammps`` a ``LammpsMinimiser``.
        settings: images, springs, limits.
        folder: made where it is missing.
        potential: what tells the potential from others, see ``unnp.adapters.potentials.identity``.
        resume: go on where a run in the folder stands, or further than it went with more steps.

    Raises:
        LammpsError: LAMMPS or mpirun is missing.
        ConfigError: states that do not fit, ends that become one state, or the folder holds a run, or none to go on with.
        DataError: the run in the folder is of other structures, settings or of another potential.
        ModelError: an end finds no minimum, or the potential cannot compute a state.
    """
    check_alike(states)
    check_optimiser(calculator, settings, simulations=n_images(states, settings))
    check_resume(folder, resume=resume, sign=JOURNAL)
    make_folder(folder)
    run = digest(states, settings, potential)
    with hold_folder(folder), Journal(folder / JOURNAL, run) as journal:
        given = [states[0], states[-1]]
        ends = _relaxed_ends(states, calculator, settings, journal, run) if settings.relax_ends else given
        check_apart(*ends)
        images = band_of([ends[0], *states[1:-1], ends[1]], settings)
        band = _moved(images, calculator, settings, journal, run)
        write_report(folder, band)
    return band


def _relaxed_ends(
    states: Sequence[Atoms], calculator: Calculator | LammpsMinimiser, settings: NebConfig, journal: Journal, run: str
) -> list[Atoms]:
    fields = {name: getattr(settings, name) for name in ("optimiser", "max_force", "max_steps")}
    relaxing = RelaxationConfig(**fields)
    found = []
    for k, (name, state) in enumerate(zip(ENDS, (states[0], states[-1]), strict=True)):
        relaxation = Relaxation.of(state, journal.finished.get(k))
        if not relaxation.is_over(relaxing):
            print(f"relaxing the {name}", flush=True)
            if isinstance(calculator, LammpsMinimiser):
                calculator.relax(relaxation, relaxing, journal.path.parent / name, run)
            else:
                relax(relaxation, calculator, relaxing, keeper(journal, k, relaxation.entry))
            journal.add(k, relaxation.entry())
        if relaxation.note():
            raise ModelError(f"the {name} of the path: {sentence(relaxation.note())}")
        found.append(relaxation.atoms)
    return found


def _moved(
    images: Sequence[Atoms], calculator: Calculator | LammpsMinimiser, settings: NebConfig, journal: Journal, run: str
) -> Band:
    band = Band.of(images, journal.finished.get(BAND))
    if band.is_over(settings):
        return band
    print(f"moving {len(band.images) - 2} images", flush=True)
    if isinstance(calculator, LammpsMinimiser):
        search_in_lammps(band, calculator, settings, journal.path.parent, run, lambda: journal.add(BAND, band.entry()))
    else:
        search(band, calculator, settings, keeper(journal, BAND, band.entry))
    if band.energies is None:
        raise ModelError(f"the images of the path cannot be computed: {band.problem}")
    journal.add(BAND, band.entry())
    return band
