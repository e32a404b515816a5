"""`unnp benchmark`: trains, exports, judges and times every contestant, and goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path

from unnp.config import dump_yaml
from unnp.data.opening import open_structures
from unnp.errors import ConfigError
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.contestant import Result, contestants
from unnp.workflows.benchmark.report import write_report

CONFIG_FILE = "benchmark.yaml"


def run_benchmark(
    config: BenchmarkConfig, base: Path, folder: Path, *, resume: bool = False
) -> dict[str, list[Result]]:
    """Run what is not finished of a benchmark and write its tables and figures; return the results by contestant.

    The folder gets a folder for each contestant and seed, with the run of `unnp train`, ``model.pt``, ``errors.json`` and
    ``cost.json``; ``results.json``, ``results.csv``, ``table.md``, ``accuracy-cost.png`` and ``learning-curves.png`` are
    written anew after each of them.

    Args:
        config: what to compare.
        base: where relative paths in it begin.
        folder: of the benchmark.
        resume: go on. Trainings that have begun keep their settings, and those that were stopped go on. Errors are
            taken again where the test structures have changed, and costs where anything has that they depend on.
            Contestants and seeds may come and go.

    Raises:
        ConfigError: wrong settings, or a training that has begun has got others.
        InterruptedTrainingError: the process was asked to stop, and a checkpoint has been written.
        UnnpError: a contestant cannot be trained or run; what is finished is kept.
    """
    _check_folder(folder, resume)
    test = list(open_structures([str(base / path) for path in config.data.test], config.data.read))
    found = contestants(config, base, folder)
    for contestant in found:
        contestant.check(test, config.device)
    with hold_folder(folder):
        make_folder(folder)
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        results: dict[str, list[Result]] = {name: [] for name in config.models}
        for contestant in found:
            results[contestant.name].append(contestant.result(config, test))
            write_report(folder, config, results)
    return results


def _check_folder(folder: Path, resume: bool) -> None:
    exists = (folder / CONFIG_FILE).is_file()
    if exists and not resume:
        raise ConfigError(f"{folder} already holds a benchmark; go on with --resume, or name another folder with -o.")
    if resume and not exists:
        raise ConfigError(f"{folder} holds no benchmark that could be resumed (no {CONFIG_FILE}); leave out --resume.")
