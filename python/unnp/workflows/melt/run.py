"""Melting points of a crystal on several routes, one after the other, in one folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unnp.config import dump_yaml, load_yaml
from unnp.errors import ConfigError, UnnpError
from unnp.files.locks import hold_folder
from unnp.files.writing import write_atomically
from unnp.lammps.structure_file import say_not_used
from unnp.workflows.melt.coexistence.route import CoexistenceRoute
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.crystal import Crystal, build_crystal
from unnp.workflows.melt.momt.route import MomtRoute
from unnp.workflows.melt.pinning.route import PinningRoute
from unnp.workflows.melt.report import MeltReport, write_report
from unnp.workflows.melt.routes import Route, RouteResult
from unnp.workflows.melt.two_phase.cell import TwoPhaseCell

CONFIG_FILE = "melt.yaml"
KEPT = ("structure", "potential", "pressure", "timestep")
"""Settings that may not change in a folder; with others changed, the stages that they concern are run again."""

ROUTES: dict[str, Callable[[MeltConfig, Crystal, Path], Route]] = {
    "coexistence": CoexistenceRoute,
    "pinning": PinningRoute,
    "momt": MomtRoute,
}


def run_melt(config: MeltConfig, base: Path, folder: Path) -> MeltReport:
    """Return the melting points of all routes; a folder is gone on with where it was left.

    Args:
        config: crystal, potential, routes.
        base: where relative paths in it begin.
        folder: to hold decks, logs, figures and ``report.json``.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check()
    with hold_folder(folder):
        return _run(config, base, folder)


def _run(config: MeltConfig, base: Path, folder: Path) -> MeltReport:
    crystal = prepare(config, base, folder)
    guess, results, failures = config.guess, dict[str, RouteResult](), dict[str, str]()
    for name in config.routes:
        print(f"{name}: from {guess:.0f} K, {len(crystal.atoms)} atoms", flush=True)
        try:
            results[name] = ROUTES[name](config, crystal, base).run(folder, guess)
            guess = results[name].temperature
        except UnnpError as error:
            failures[name] = str(error)
            print(f"{name}: {error}", flush=True)
        report = MeltReport(config, crystal, results, failures)
        write_report(report, folder)
    return report


def prepare(config: MeltConfig, base: Path, folder: Path) -> Crystal:
    """Write the configuration and the first decks into a folder and return the crystal.

    Raises:
        ConfigError: the folder holds a run of another crystal, potential or pressure; runs of the route momt cannot be made.
    """
    crystal = build_crystal(config, base)
    say_not_used(crystal.atoms)
    kept = folder / CONFIG_FILE
    if kept.is_file():
        _check_unchanged(config, load_yaml(kept, MeltConfig), folder)
    if MomtRoute.name in config.routes:
        MomtRoute(config, crystal, base).check(folder)
    cell = TwoPhaseCell(config, crystal, config.guess, base, folder / "cells")
    write_atomically(cell.folder / "in.solid.lammps", cell.decks.solid())
    write_atomically(cell.folder / "in.melt.1.lammps", cell.decks.melt())
    write_atomically(kept, dump_yaml(config))
    return crystal


def _check_unchanged(config: MeltConfig, before: MeltConfig, folder: Path) -> None:
    changed = [key for key in KEPT if getattr(config, key) != getattr(before, key)]
    if changed:
        raise ConfigError(
            f"{', '.join(changed)} changed since {folder} was made; name another folder with -o for another system."
        )
