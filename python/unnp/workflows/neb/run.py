"""A path between two minima: its ends relaxed, its images moved; where it stands is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.config.resume import check_resume
from unnp.data.journal import Journal
from unnp.errors import ModelError, printable
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder
from unnp.workflows.neb.band import Band, search
from unnp.workflows.neb.config import NebConfig
from unnp.workflows.neb.lammps.search import search as search_in_lammps
from unnp.workflows.neb.path import band_of, check_alike, check_apart, doubts, n_images
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

    It is one band, whatever ``settings.divide`` says: ``run_divided`` divides it.

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
    said = doubts(states)
    for doubt in said:  # before the long part; they are among the notes again
        print(printable(doubt), flush=True)
    with hold_folder(folder), Journal(folder / JOURNAL, run) as journal:
        ends = _ends(states, calculator, settings, journal, run)
        check_apart(*(end.atoms for end in ends))
        images = band_of([ends[0].atoms, *states[1:-1], ends[1].atoms], settings)
        band = _moved(images, calculator, settings, journal, run)
        band.doubts = [*said, *_no_minima(ends, settings)]
        write_report(folder, band)
    return band


def _ends(
    states: Sequence[Atoms], calculator: Calculator | LammpsMinimiser, settings: NebConfig, journal: Journal, run: str
) -> list[Relaxation]:
    """Return the ends at rest, or as they are given, with the forces that they have there."""
    fields = {name: getattr(settings, name) for name in ("optimiser", "max_force", "max_steps")}
    relaxing = RelaxationConfig(**fields if settings.relax_ends else {**fields, "max_steps": 0})
    found = []
    for k, (name, state) in enumerate(zip(ENDS, (states[0], states[-1]), strict=True)):
        relaxation = Relaxation.of(state, journal.finished.get(k))
        if not relaxation.is_over(relaxing):
            print(f"relaxing the {name}" if settings.relax_ends else f"forces at the {name}", flush=True)
            if isinstance(calculator, LammpsMinimiser):
                calculator.relax(relaxation, relaxing, journal.path.parent / name, run)
            else:
                relax(relaxation, calculator, relaxing, keeper(journal, k, relaxation.entry))
            journal.add(k, relaxation.entry())
        if relaxation.problem or (settings.relax_ends and relaxation.note()):
            raise ModelError(f"the {name} of the path: {sentence(relaxation.note())}")
        found.append(relaxation)
    return found


def _no_minima(ends: Sequence[Relaxation], settings: NebConfig) -> list[str]:
    """Return in a line for each end that forces there are above the limit."""
    return [
        f"! the {name} of the path is no minimum: forces up to {end.forces[-1]:.3g} eV/A, above {settings.max_force:g}; "
        "barriers count from there; relax the ends (without --no-relax-ends)"
        for name, end in zip(ENDS, ends, strict=True)
        if end.forces[-1] > settings.max_force
    ]


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
