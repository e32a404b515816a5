"""`unnp benchmark`: trains, exports, judges and times every contestant, and goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import dump_yaml
from unnp.config.resume import check_resume
from unnp.data.fingerprint import fingerprint
from unnp.data.opening import open_structures
from unnp.device import resolve_device
from unnp.errors import UnnpError, in_one_line
from unnp.exported.export import export_model
from unnp.files.kept import Result, kept
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.lammps.launch import Launch
from unnp.lammps.system_config import InteractionConfig
from unnp.models.checkpoint import load_potential, training_data
from unnp.train.datasets import open_sources
from unnp.train.labels import check_labels
from unnp.train.run import train
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.cost import cost
from unnp.workflows.benchmark.entries import Entry, entries_of, naming
from unnp.workflows.benchmark.errors import check_peer, errors_of
from unnp.workflows.benchmark.fitpod import FitpodConfig, fit_pod, pod_potential
from unnp.workflows.benchmark.identity import identity
from unnp.workflows.benchmark.report import write_report

CONFIG_FILE = "benchmark.yaml"
ERRORS_FILE = "errors.json"
COST_FILE = "cost.json"


def run_benchmark(
    config: BenchmarkConfig, base: Path, folder: Path, *, resume: bool = False
) -> dict[str, list[Result]]:
    """Run what is not finished of a benchmark and write its tables and figures; return the results by contestant.

    The folder gets a folder for each contestant and seed, with the run of `unnp train`, ``model.pt``, ``errors.json`` and
    ``cost.json``. After each of them ``results.json``, ``results.csv``, ``table.md`` and the figures are written anew:
    ``accuracy-cost.png``, ``learning-curves.png`` and, with ``fractions``, ``data-curves.png``.

    Args:
        config: what to compare.
        base: where relative paths in it begin.
        folder: of the benchmark.
        resume: go on: trainings that are over stay as they are, one that was stopped goes on, and errors and costs are
            measured again where what they depend on has changed.

    Raises:
        ConfigError: wrong settings, a device that is not there, labels that a loss needs and no structure has, a peer that
            cannot be run, or a training that has begun with other settings.
        DataError: the structures cannot be read, or those for the test have elements that are not trained on.
        InterruptedTrainingError: the process was asked to stop, and a checkpoint has been written.
        UnnpError: a contestant cannot be trained or run; what is finished is kept.
    """
    check_resume(folder, resume=resume, sign=CONFIG_FILE)
    resolve_device(config.device)
    entries = entries_of(config, base, folder)
    test = _test_structures(config, base, entries)
    for entry in entries:
        if entry.model.peer is not None:
            check_peer(entry.name, entry.model.peer, test, base, config.device)
    with hold_folder(folder):
        make_folder(folder)
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        results: dict[str, list[Result]] = {name: [] for name in config.models}
        for entry in entries:
            results[entry.name].append(_result(entry, config, base, test))
            write_report(folder, config, results)
    return results


def _test_structures(config: BenchmarkConfig, base: Path, entries: Sequence[Entry]) -> list[Structure]:
    """Return the structures for the test; where something is left to train, check those for the training too."""
    data = config.data.located(base)
    if all(entry.over for entry in entries):
        return list(open_structures(data.test, data.read))
    sources, seen = open_sources(data, config.seeds[0]), set()
    for entry in entries:
        loss = None if entry.training is None or entry.over else entry.training.loss
        if loss is not None and (settings := loss.model_dump_json()) not in seen:
            seen.add(settings)
            with naming(entry.name):
                check_labels(loss, sources.train, sources.validation)
    return list(sources.test)


def _result(entry: Entry, config: BenchmarkConfig, base: Path, test: Sequence[Structure]) -> Result:
    """Return errors, sizes and cost of a contestant with a seed: trained, exported and measured as far as is left."""
    make_folder(entry.folder)
    sizes: Result = {}
    if entry.model.peer is not None:
        potential = entry.model.peer
    elif entry.model.fitpod is not None:
        (potential, sizes), base = _fitted(entry, entry.model.fitpod, config, base), entry.folder
    else:
        potential, base = _trained(entry), entry.folder
        sizes = {**_sizes(entry.run), "fraction": entry.fraction}
    errors = {**_errors(entry, potential, config, base, test), **sizes}
    return {**errors, **_cost(entry, potential, config, base, test)} if entry.timed else errors


def _trained(entry: Entry) -> InteractionConfig:
    """Return the exported model of a training, which is done as far as is left."""
    model = entry.folder / "model.pt"
    if not entry.over:
        assert entry.training is not None
        _say(entry, "training")
        model.unlink(missing_ok=True)
        train(entry.training, entry.run, resume=entry.begun, base=entry.folder)
    if not model.is_file():
        potential, description = load_potential(entry.run)
        export_model([potential], model, name=entry.name, data=training_data(description))
    return InteractionConfig(model=Path(model.name))


def _fitted(
    entry: Entry, settings: FitpodConfig, config: BenchmarkConfig, base: Path
) -> tuple[InteractionConfig, Result]:
    """Return the POD potential, which is fitted where it is not there or was fitted to something else, and its sizes."""
    data = config.data.located(base)
    structures = open_structures(data.train, data.read)
    made_with = {
        "structures": fingerprint(structures, labels=("energy", "forces")),
        "settings": settings.model_dump(mode="json"),
    }
    folder = entry.folder / "pod"

    def fit() -> Result:
        _say(entry, "fit")
        return dict(fit_pod(settings, structures, config, folder))

    return pod_potential(folder, structures), kept(folder / "fit.json", made_with, fit)


def _errors(
    entry: Entry, potential: InteractionConfig, config: BenchmarkConfig, base: Path, test: Sequence[Structure]
) -> Result:
    made_with = {"test": fingerprint(test, labels=tuple(QUANTITIES)), "potential": identity(potential, base)}

    def measure() -> Result:
        _say(entry, "errors")
        return {"errors": errors_of(potential, test, base, config.device)}

    return kept(entry.folder / ERRORS_FILE, made_with, measure)


def _sizes(run: Path) -> Result:
    potential, description = load_potential(run)
    position = description["position"]
    return {
        "structures": description["data"]["n_structures"],
        "n_parameters": potential.n_parameters,
        "minutes": position["seconds"] / 60,
        "epochs": position["epoch"],
    }


def _cost(
    entry: Entry, potential: InteractionConfig, config: BenchmarkConfig, base: Path, test: Sequence[Structure]
) -> Result:
    """Return the cost in LAMMPS; where it cannot be had, why, and it is tried again the next time."""
    settings = config.cost
    if settings is None:
        return {}
    periodic = [s for s in test if s.pbc.all()] or test
    largest = max(periodic, key=len)
    made_with = {
        "potential": identity(potential, base),
        "structure": fingerprint([largest]),
        "cost": settings.model_dump(mode="json"),
        "launch": config.model_dump(mode="json", include=set(Launch.model_fields)),
    }

    def measure() -> Result:
        _say(entry, "cost in LAMMPS")
        return dict(cost(potential, largest, settings, config, base, entry.folder / "lammps"))

    try:
        return kept(entry.folder / COST_FILE, made_with, measure)
    except UnnpError as error:
        return {"note": in_one_line(f"no cost in LAMMPS: {error}", 300)}


def _say(entry: Entry, what: str) -> None:
    print(f"{entry.name}, {entry.folder.name}: {what}", flush=True)
