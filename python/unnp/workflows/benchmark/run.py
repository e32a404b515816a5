"""`unnp benchmark`: trains, exports, judges and times every contestant, and goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unnp.atoms.structure import Structure
from unnp.config import dump_yaml, from_dict, load_yaml
from unnp.config.resume import refusal
from unnp.data.opening import open_structures
from unnp.errors import ConfigError, UnnpError, in_one_line
from unnp.exported.export import export_model
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, read_json, write_atomically
from unnp.lammps.system_config import InteractionConfig
from unnp.models.checkpoint import load_potential, training_data
from unnp.train.config import TrainConfig
from unnp.train.run import train
from unnp.workflows.benchmark.config import BenchmarkConfig, ModelConfig
from unnp.workflows.benchmark.cost import cost
from unnp.workflows.benchmark.errors import of_model, of_peer
from unnp.workflows.benchmark.report import write_report

CONFIG_FILE = "benchmark.yaml"
RESULT_FILE = "result.json"

Result = dict[str, Any]


def run_benchmark(
    config: BenchmarkConfig, base: Path, folder: Path, *, resume: bool = False
) -> dict[str, list[Result]]:
    """Run what is not finished of a benchmark and write its tables and figures; return the results by contestant.

    The folder gets a folder for each contestant and seed, with the run of `unnp train`, ``model.pt`` and ``result.json``;
    ``results.json``, ``results.csv``, ``table.md``, ``accuracy-cost.png`` and ``learning-curves.png`` are written anew after
    each of them.

    Args:
        config: what to compare.
        base: where relative paths in it begin.
        folder: of the benchmark.
        resume: go on; what has a ``result.json`` is not done again, a training that was stopped goes on.

    Raises:
        ConfigError: wrong settings, or others than those of the benchmark in the folder.
        InterruptedTrainingError: the process was asked to stop, and a checkpoint has been written.
        UnnpError: a contestant cannot be trained or run; what is finished is kept.
    """
    tasks = [(name, seed) for name, model in config.models.items() for seed in _seeds(config, model)]
    trainings = {task: _training(config, base, folder, *task) for task in tasks if config.models[task[0]].potential}
    _check_folder(config, folder, resume)
    with hold_folder(folder):
        make_folder(folder)
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        test = list(open_structures([str(base / path) for path in config.data.test], config.data.read))
        results: dict[str, list[Result]] = {name: [] for name in config.models}
        for name, seed in tasks:
            own = folder / name / f"seed-{seed}"
            results[name].append(_result(config, base, own, name, test, trainings.get((name, seed))))
            write_report(folder, config, results)
    return results


def _seeds(config: BenchmarkConfig, model: ModelConfig) -> Sequence[int]:
    return config.seeds if model.potential is not None else [0]


def _training(config: BenchmarkConfig, base: Path, folder: Path, name: str, seed: int) -> TrainConfig:
    """Return the configuration of a training; all are checked before the first begins."""
    model = config.models[name]
    assert model.potential is not None
    settings = merged(config.training, model.training)
    given = {**settings, "potential": model.potential.model_dump(mode="json"), "seed": seed}
    given |= {
        "data": config.data.located(base).model_dump(mode="json"),
        "device": settings.get("device", config.device),
    }
    training = from_dict(given, TrainConfig, where=f"models.{name}")
    training.potential.summands()
    return training


def merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of ``own`` in the place of those of ``common``; tables are merged key by key."""
    result = dict(common)
    for key, value in own.items():
        before = result.get(key)
        result[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def _check_folder(config: BenchmarkConfig, folder: Path, resume: bool) -> None:
    exists = (folder / CONFIG_FILE).is_file()
    if not resume:
        if exists:
            raise ConfigError(
                f"{folder} already holds a benchmark; go on with --resume, or name another folder with -o."
            )
        return
    if not exists:
        raise ConfigError(f"{folder} holds no benchmark that could be resumed (no {CONFIG_FILE}); leave out --resume.")
    if reason := refusal(config, load_yaml(folder / CONFIG_FILE, BenchmarkConfig), folder, fixed=()):
        raise ConfigError(reason)


def _result(
    config: BenchmarkConfig, base: Path, own: Path, name: str, test: Sequence[Structure], training: TrainConfig | None
) -> Result:
    """Return the result of a contestant with a seed, from its file where it is finished."""
    finished = own / RESULT_FILE
    if finished.is_file():
        result: Result = read_json(finished)
        return result
    print(f"{name}, {own.name}", flush=True)
    model = config.models[name]
    make_folder(own)
    if training is None:
        assert model.peer is not None
        result = {"errors": of_peer(model.peer, test, base, config.device)}
        potential = model.peer
    else:
        result = _trained(own, training, test, config.device)
        potential, base = InteractionConfig(model=Path("model.pt")), own
    result |= _measured(config, potential, test, base, own / "lammps")
    write_atomically(finished, json.dumps(result, indent=1) + "\n")
    return result


def _trained(own: Path, training: TrainConfig, test: Sequence[Structure], device: str) -> Result:
    run = own / "run"
    if not (run / "card.yaml").is_file():
        train(training, run, resume=(run / "config.yaml").is_file(), base=own)
    potential, description = load_potential(run)
    export_model([potential], own / "model.pt", name=own.parent.name, data=training_data(description))
    position = description["position"]
    return {
        "errors": of_model(own / "model.pt", test, device),
        "n_parameters": potential.n_parameters,
        "minutes": position["seconds"] / 60,
        "epochs": position["epoch"],
    }


def _measured(
    config: BenchmarkConfig, potential: InteractionConfig, test: Sequence[Structure], base: Path, folder: Path
) -> Result:
    """Return the cost in LAMMPS; where it cannot be had, why."""
    if config.cost is None:
        return {}
    periodic = [s for s in test if s.pbc.all()] or list(test)
    largest = max(periodic, key=len)
    try:
        return dict(cost(potential, largest, config.cost, config, base, folder))
    except UnnpError as error:
        return {"note": in_one_line(f"no cost in LAMMPS: {error}", 300)}
