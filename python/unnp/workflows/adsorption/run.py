"""The adsorption test of all potentials of a configuration; what is finished is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

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
from unnp.workflows.adsorption.judge import Bonds, End, Verdict, bonds_of, end_of, judge
from unnp.workflows.adsorption.structures import (
    Sites,
    anchor_of,
    bare_slab,
    crystal_of,
    shaken,
    sites_of,
    with_molecule,
)
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.report import valleys
from unnp.workflows.neb.run import run_neb
from unnp.workflows.relaxation.config import RelaxationConfig
from unnp.workflows.relaxation.kept import JOURNAL
from unnp.workflows.relaxation.relaxation import Relaxation
from unnp.workflows.relaxation.run import run_relaxations
from unnp.workflows.relaxation.structures import NAME

CONFIG_FILE = "adsorption.yaml"
DISSOCIATED = "dissociated"
State = Literal["whole", "other bonds", "broken"]
CRYSTAL = RelaxationConfig(cell="all", max_force=1e-3)
"""How the crystal is relaxed from which the slab is cut."""


@dataclass
class Tested:
    """What a potential has done.

    Attributes:
        ends: of the adsorbed start, of the molecule put on the slab at rest, of the shaken ones, of the dissociated state.
        on_the_way: ends of the minima on the path to the latter.
        verdict: None: the test did not come so far.
        band: path to the dissociated state; None: there is none.
        placed: the site above which the molecule was put.
        problem: why there is no verdict, or no path; empty: there is.
    """

    ends: list[End] = field(default_factory=list)
    on_the_way: list[End] = field(default_factory=list)
    verdict: Verdict | None = None
    band: Band | None = None
    placed: str = ""
    problem: str = ""

    @property
    def all_ends(self) -> list[End]:
        """The ends of all starts, those on the path last."""
        return [*self.ends, *self.on_the_way]

    def state_of(self, end: End) -> State:
        """Return what has become of molecule and slab; the way to the dissociated state is meant to have other bonds."""
        if not end.broken:
            return "whole"
        meant = end.start == DISSOCIATED or end in self.on_the_way
        return "other bonds" if meant and not end.slab_broken else "broken"


@dataclass(frozen=True)
class _Known:
    """What the ends of starts are compared with."""

    adsorbed: Relaxation
    bare: Relaxation
    bonds: Bonds
    sites: Sites

    def end(self, relaxation: Relaxation) -> End:
        """Return what became of a start."""
        name = str(relaxation.start.info[NAME])
        if not relaxation.energies:
            return End(name, problem=relaxation.note())
        given = (self.bare.atoms, self.adsorbed.atoms, self.bonds)
        end = end_of(name, relaxation.atoms, relaxation.energies[-1], *given, relaxation.note())
        above = relaxation.energies[-1] - self.adsorbed.energies[-1]
        return replace(end, above=above, site=self.sites.name(relaxation.atoms))


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
    """Run what is not finished of the test, and return what each potential has done.

    Args:
        config: potentials, surface, molecule.
        base: where relative paths in it begin.
        folder: made where it is missing; each potential gets a folder in it, with the folders of ``unnp relax`` and ``neb``.
        resume: go on with the run in the folder, also with further potentials.

    Raises:
        ConfigError: wrong settings, or the folder holds a run, or none to go on with.
        DataError: a potential has changed since the run began.
        ModelError: a potential cannot be opened.
    """
    check_run(config, folder / CONFIG_FILE, resume=resume)
    crystal = crystal_of(config.surface, base)
    slab = bare_slab(crystal, config.surface)
    # what cannot be built is said before the work
    with_molecule(slab, config.molecule, anchor_of(slab, config.surface), config.surface, "")
    formula = str(crystal.get_chemical_formula("metal", empirical=True))
    calculators = {
        name: open_potential(name, each, [formula], base, config.device)[formula]
        for name, each in config.potentials.items()
    }
    make_folder(folder)
    with hold_folder(folder):
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        return {
            name: _tested(config, crystal, _potential(calculator, config.potentials[name], base, folder / name))
            for name, calculator in calculators.items()
        }


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
) -> tuple[_Known, Atoms | None]:
    """Run all starts, fill in ends and verdict, and return what is known then and the dissociated state at rest."""
    (crystal,) = potential.relaxed([unrelaxed], CRYSTAL, "crystal")
    if crystal.note():
        raise ModelError(f"the crystal: {crystal.note()}.")
    slab = bare_slab(crystal.atoms, config.surface)
    anchor = anchor_of(slab, config.surface)
    given, sites = with_molecule(slab, config.molecule, anchor, config.surface, "adsorbed"), sites_of(slab)
    tested.placed = sites.name(given)
    settings = RelaxationConfig(**config.relax.model_dump())
    adsorbed, bare = potential.relaxed([given, slab], settings, "starts")
    _require_rest(adsorbed, bare)
    known = _Known(adsorbed, bare, bonds_of(given), sites)
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
    return run_neb(states, potential.calculator, config.path, folder, potential=potential.identity, resume=begun)


def _on_the_way(config: AdsorptionConfig, potential: _Potential, known: _Known, band: Band) -> list[End]:
    """Return the ends of the images that lie in a minimum of the path, none where the band cannot be gone on with."""
    if band.energies is None or not (minima := valleys(band)):
        return []
    images = []
    for k in minima:
        image = band.images[k].copy()
        image.info[NAME] = f"on the path {k}"
        images.append(image)
    settings = RelaxationConfig(**config.relax.model_dump())
    stage = f"on the way, step {band.steps}"  # a band that goes on has other minima
    return [known.end(each) for each in potential.relaxed(images, settings, stage)]
