"""Melting points of a crystal on several routes, one after the other, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unnp.errors import UnnpError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder
from unnp.lammps.run_folder import RunFolder
from unnp.lammps.structure_file import say_not_used
from unnp.lammps.system import build_structure
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.report import MeltReport, write_report
from unnp.workflows.melt.routes import ROUTES, Route, RouteResult, make_route

CONFIG_FILE = "melt.yaml"


def run_melt(config: MeltConfig, base: Path, folder: Path, *, resume: bool = False) -> MeltReport:
    """Return the melting points of all routes.

    Args:
        config: crystal, potential, routes.
        base: where relative paths in it begin.
        folder: to hold decks, logs, figures and ``report.json``.
        resume: go on with the run of this folder; only what is not finished, or has changed, is run.

    Raises:
        ConfigError, DataError, ModelError: the configuration does not fit the structure or the potential.
        LammpsError: LAMMPS or mpirun is missing; the folder already holds a run, or none that could be resumed.
        UnnpError: another run is going on in the folder, or it cannot be written.
    """
    config.check()
    if resume:
        RunFolder(folder, CONFIG_FILE).check_is_run()
    with hold_folder(folder):
        routes, _ = prepare(config, base, folder, resume=resume)
        return _run(config, routes, base, folder)


def prepare(
    config: MeltConfig, base: Path, folder: Path, *, resume: bool = False
) -> tuple[Sequence[Route], Sequence[Path]]:
    """Write the configuration and the first decks into a folder; return the routes and these decks.

    Raises:
        ConfigError: settings have changed that may not when a run is resumed; a route cannot be taken.
        LammpsError: the folder already holds a run, or none that could be resumed.
    """
    place = RunFolder(folder, CONFIG_FILE)
    if resume:
        place.check_unchanged(config)
    else:
        place.check_new(any(make_route(name, config, base).has_begun(folder) for name in ROUTES))
    say_not_used(build_structure(config.structure, base))
    routes = [make_route(name, config, base) for name in config.routes]
    make_folder(folder)
    decks = [deck for route in routes for deck in route.prepare(folder)]
    place.write_config(config)
    return routes, list(dict.fromkeys(decks))


def _run(config: MeltConfig, routes: Sequence[Route], base: Path, folder: Path) -> MeltReport:
    formula = build_structure(config.structure, base).get_chemical_formula(empirical=True)
    guess, results, failures = config.guess, dict[str, RouteResult](), dict[str, str]()
    for route in routes:
        print(f"{route.name}: from {guess:.0f} K", flush=True)
        try:
            results[route.name] = route.run(folder, guess)
            guess = results[route.name].melting_point.value
        except UnnpError as error:
            failures[route.name] = str(error)
            print(f"{route.name}: {error}", flush=True)
        report = MeltReport(config, formula, results, failures)
        write_report(report, folder)
    return report
