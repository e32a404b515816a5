"""The adsorption test of all potentials of a configuration; what is finished is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from unnp.adapters.potentials import PotentialFile, identity_of, open_potential
from unnp.config import dump_yaml
from unnp.config.resume import check_run
from unnp.errors import ConfigError, ModelError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.workflows.adsorption.config import AdsorptionConfig
from unnp.workflows.adsorption.judge import DISSOCIATED, End, Known, Tested, bonds_of, judge
from unnp.workflows.adsorption.report import write_report
from unnp.workflows.adsorption.structures import (
    anchor_of,
    bare_slab,
    check_vacuum,
    crystal_of,
    shaken,
    sites_of,
    with_molecule,
)
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.divided import run_divided
from unnp.workflows.neb.report import valleys
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL
from unnp.workflows.relaxation.minimise import sentence
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations
from unnp.workflows.relaxation.structures import NAME

CONFIG_FILE = "adsorption.yaml"
CRYSTAL = RelaxationConfig(cell="all", max_force=1e-3)
"""How the crystal is relaxed from which the slab is cut."""


@dataclass(frozen=True)
class _Potential:
    """A potential at work in a folder of its own."""

    calculator: Calculator
    identity: str
    folder: Path

    def relaxed(self, structures: Sequence[Atoms], settings: RelaxationConfig, stage: str) -> list[Relaxation]:
        """Return structures at rest; a stage that was begun goes on."""
        print(f"{self.folder.name}: {stage}", flush=True)
        folder = self.folder / stage
        begun = (folder / JOURNAL).is_file()
        return run_relaxations(structures, self.calculator, settings, folder, potential=self.identity, resume=begun)


def run_adsorption(config: AdsorptionConfig, base: Path, folder: Path, *, resume: bool = False) -> dict[str, Tested]:
    """Run what is not finished of the test, write tables and figure after each potential, and return what each has done.

    Args:
        config: potentials, surface, molecule.
        base: where relative paths in it begin.
        folder: made where it is missing; each potential gets a folder in it, with the folders of ``unnp relax`` and ``neb``.
        resume: go on with the run in the folder, also with further potentials.

    Raises:
        ConfigError: wrong settings, or the folder holds a run, or none to go on with.
        DataError: a potential has changed since the run began.
        ModelError: a potential cannot be opened, or none has ends of the starts; why is told, and written.
    """
    check_run(config, folder / CONFIG_FILE, resume=resume)
    crystal = crystal_of(config.surface, base)
    slab = bare_slab(crystal, config.surface)
    # what cannot be built is said before the work
    check_vacuum(config.surface, config.molecule, config.dissociated or ())
    with_molecule(slab, config.molecule, anchor_of(slab, config.surface), config.surface, "")
    formula = str(crystal.get_chemical_formula("metal", empirical=True))
    calculators = {
        name: open_potential(name, each, [formula], base, config.device)[formula]
        for name, each in config.potentials.items()
    }
    make_folder(folder)
    with hold_folder(folder):
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        found: dict[str, Tested] = {}
        for name, calculator in calculators.items():
            potential = _potential(calculator, config.potentials[name], base, folder / name)
            found[name] = _tested(config, crystal, potential)
            write_report(folder, found, config.reference)  # a run that is killed leaves what is there
    if not any(tested.ends for tested in found.values()):
        name, tested = next(iter(found.items()))
        raise ModelError(f"none of {len(found)} potentials could be tested; {name}: {tested.problem}")
    return found


def _potential(calculator: Calculator, given: PotentialFile, base: Path, folder: Path) -> _Potential:
    make_folder(folder)
    return _Potential(calculator, identity_of(given, base), folder)


def _tested(config: AdsorptionConfig, crystal: Atoms, potential: _Potential) -> Tested:
    tested = Tested()
    try:
        known, dissociated = _starts(config, crystal, potential, tested)
        if dissociated is not None:
            tested.band = _path(config, potential, [known.adsorbed.atoms, dissociated])
            tested.on_the_way = _on_the_way(config, potential, known, tested.band)
            tested.verdict = judge(_of_test(tested.ends), tested.on_the_way)
    except (ConfigError, ModelError) as error:
        tested.problem = str(error)
    return tested


def _starts(
    config: AdsorptionConfig, unrelaxed: Atoms, potential: _Potential, tested: Tested
) -> tuple[Known, Atoms | None]:
    """Run all starts, fill in ends and verdict, and return what is known then and the dissociated state at rest."""
    (crystal,) = potential.relaxed([unrelaxed], CRYSTAL, "crystal")
    if crystal.note():
        raise ModelError(f"the crystal: {sentence(crystal.note())}")
    slab = bare_slab(crystal.atoms, config.surface)
    anchor = anchor_of(slab, config.surface)
    given, sites = with_molecule(slab, config.molecule, anchor, config.surface, "adsorbed"), sites_of(slab)
    tested.placed = sites.name(given)
    settings = RelaxationConfig(**config.relax.model_dump())
    adsorbed, bare = potential.relaxed([given, slab], settings, "starts")
    _require_rest(adsorbed, bare)
    known = Known(adsorbed, bare, bonds_of(given), sites)
    ends = [adsorbed, *potential.relaxed(_further(config, adsorbed.atoms, bare.atoms, anchor), settings, "further")]
    tested.ends = [known.end(each) for each in ends]
    tested.verdict = judge(_of_test(tested.ends))
    if config.dissociated is None:
        return known, None
    dissociated = next(end for end in ends if end.start.info[NAME] == DISSOCIATED)
    _require_rest(dissociated)
    return known, dissociated.atoms


def _of_test(ends: Sequence[End]) -> list[End]:
    return [end for end in ends if end.start != DISSOCIATED]


def _require_rest(*relaxations: Relaxation) -> None:
    """Raise ModelError where a state is not at rest that the next stage begins with: it would move when the run goes on."""
    for each in relaxations:
        if each.problem:
            raise ModelError(f"{each.start.info[NAME]}: {sentence(each.problem)}")
        if each.note():
            raise ModelError(f"{each.start.info[NAME]}: {each.note()}; --resume with more relax.max_steps goes on.")


def _further(config: AdsorptionConfig, adsorbed: Atoms, bare: Atoms, anchor: int) -> list[Atoms]:
    """Return the starts that need an end of the first ones."""
    rng = np.random.default_rng(config.seed)
    found = [with_molecule(bare, config.molecule, anchor, config.surface, "put on the slab at rest")]
    found += [shaken(adsorbed, config.shake, rng, f"shaken {k + 1}") for k in range(config.shaken)]
    if config.dissociated is not None:
        slab = adsorbed[: len(bare)]
        found.append(with_molecule(slab, config.dissociated, anchor, config.surface, DISSOCIATED))
    return found


def _path(config: AdsorptionConfig, potential: _Potential, states: Sequence[Atoms]) -> Band:
    print(f"{potential.folder.name}: path", flush=True)
    folder = potential.folder / "path"
    begun = (folder / JOURNAL).is_file()
    return run_divided(states, potential.calculator, config.path, folder, potential=potential.identity, resume=begun)


def _on_the_way(config: AdsorptionConfig, potential: _Potential, known: Known, band: Band) -> list[End]:
    """Return the ends of the images that lie in a minimum of the path, none where the band cannot be gone on with."""
    if band.energies is None or not (minima := valleys(band)):
        return []
    images = []
    for k in minima:
        image = band.images[k].copy()
        image.info[NAME] = f"on the path {k}"
        images.append(image)
    settings = RelaxationConfig(**config.relax.model_dump())
    steps = "-".join(str(each.steps) for each in (band, *band.parts))
    stage = f"on the way, step {steps}"  # a band that goes on has other minima, and so have its parts
    return [known.end(each) for each in potential.relaxed(images, settings, stage)]
