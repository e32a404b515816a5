"""`unnp inject`: labels, classifiers and trainings until all is done, resumable after any interruption."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unnp.config import dump_yaml, load_yaml
from unnp.config.kinds import check_kind
from unnp.config.resume import check_run
from unnp.errors import ConfigError, DataError
from unnp.executors.base import REGISTRY as EXECUTORS
from unnp.executors.base import Executor
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.train.signals import stopped_by_signals
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.judging import Outcome, outcomes
from unnp.workflows.inject.labels import Computed, check_potential, computed
from unnp.workflows.inject.maps import check_map
from unnp.workflows.inject.material import Material, open_material
from unnp.workflows.inject.report import Report, write_report
from unnp.workflows.inject.seeds import Seed
from unnp.workflows.inject.stages import train_all
from unnp.workflows.inject.trainings import check_trainings

CONFIG_FILE = "inject.yaml"
MARKS_FILE = "made-with.json"


def run_injection(config: InjectConfig, base: Path, folder: Path, *, resume: bool = False) -> Report:
    """Do what is not finished of an injection, seed by seed, and return what came of it.

    The folder gets ``inject.yaml``, ``labels`` with what each potential says, a folder ``seed-K`` for each seed and, written
    anew after each of them, ``results.json``, tables and figures.

    Args:
        config: what to inject into what.
        base: where relative paths in it begin.
        folder: of the run.
        resume: go on: what is finished is not done again.

    Raises:
        ConfigError: wrong settings, or others than the run has begun with.
        DataError: structures cannot be read, or a potential can label none.
        TrainingError: a training cannot go on; what is finished is kept.
        KeyboardInterrupt: the process was asked to stop, by Ctrl-C or SIGTERM.
    """
    base, folder = base.absolute(), folder.absolute()
    check_run(config, folder / CONFIG_FILE, resume=resume)
    if resume:
        _check_methods(config, load_yaml(folder / CONFIG_FILE, InjectConfig), folder)
    check_trainings(config)
    check_map(config.map)
    kind, own = check_kind(EXECUTORS, config.executor, "executor")
    executor = kind(own)
    material = open_material(config.data, base, _begun_with(folder / MARKS_FILE) if resume else None)
    if material.said:
        print(material.said, flush=True)
    material.check(config)
    if not resume:
        for name, potential in config.potentials.items():
            check_potential(name, potential, base, min(material.structures, key=len))
    with hold_folder(folder), stopped_by_signals(), executor:
        make_folder(folder)
        _check_marks(folder / MARKS_FILE, material.marks(config, base))
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        labels = _labels(config, material, base, folder, executor)
        found: list[Outcome] = []
        seeds: list[Seed] = []
        for number in config.seeds:
            seeds.append(Seed(config, material, labels, number, folder))
            found += outcomes(seeds[-1], train_all(seeds[-1], executor, config.attempts))
            report = Report(config, material, seeds, found)
            write_report(folder, report)
    return report


def _labels(
    config: InjectConfig, material: Material, base: Path, folder: Path, executor: Executor
) -> dict[str, Computed]:
    found = {}
    for name, given in config.potentials.items():
        print(f"labels of {name}", flush=True)
        place = folder / "labels" / name
        found[name] = computed(material.structures, given, base, place, executor, config.attempts)
    return found


def _check_methods(now: InjectConfig, before: InjectConfig, folder: Path) -> None:
    """Raise ConfigError where a method differs from one of the run that has its name."""
    for name, method in now.methods.items():
        if name in before.methods and method.without_alpha() != before.methods[name].without_alpha():
            raise ConfigError(
                f"methods.{name} changed since {folder} was made; only its `alpha` may. Restore it, or give it another name."
            )


def _begun_with(path: Path) -> str | None:
    """Return the fingerprint of the structures that a run has begun with; None where no file says it."""
    try:
        return str(read_json(path)["structures"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _check_marks(path: Path, marks: Mapping[str, Any]) -> None:
    """Note what data and potentials a run is made with; raise ConfigError where it was made with others."""
    now = json.loads(json.dumps(marks))
    if path.is_file():
        try:
            before = dict(read_json(path))
        except (OSError, ValueError, TypeError):
            raise DataError(f"{path} is damaged. Delete it if neither data nor potentials have changed.") from None
        if changed := [name for name in now if name in before and before[name] != now[name]]:
            raise ConfigError(
                f"{', '.join(changed)} changed since {path.parent} was made. Restore them, or name another folder with -o."
            )
        if before.keys() >= now.keys():
            return
    write_atomically(path, json.dumps(now, indent=1) + "\n")
