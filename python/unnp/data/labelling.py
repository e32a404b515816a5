"""Labelling many structures in parallel processes, so that a killed run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from unnp.atoms.structure import Structure
from unnp.data.fingerprint import fingerprint
from unnp.data.journal import Journal
from unnp.data.labellers import build_labeller, check_settings, file_checksums
from unnp.data.labellers.base import Labeller
from unnp.data.progress import counting
from unnp.data.recorded import entry_of, forget_damaged, with_entry
from unnp.data.worker_pool import Failure, RunTasks, run_parallel
from unnp.errors import DataError
from unnp.files.locks import hold_folder

JOURNAL_FILE = "journal.jsonl"
ORIGIN = "origin"


@dataclass(frozen=True)
class Labelled:
    """What came of labelling.

    Attributes:
        structures: those that were labelled, in the order given.
        failures: why the others were not, by their index.
        left_out: how many were not kept although they could be labelled, by reason.
        origin: what people should know of the labels, see ``Labeller.origin``; empty where the calculator says nothing.
        said: the first message that belongs to a reason of ``left_out``, of those that have one.
    """

    structures: list[Structure]
    failures: dict[int, str]
    left_out: dict[str, int] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


def work_folder(output: str | Path) -> Path:
    """Return the folder that holds unfinished work for an output."""
    output = Path(output)
    return output.with_name(f"{output.name}.unfinished")


def available_cpus() -> int:
    """Return the number of CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def label_structures(
    structures: Sequence[Structure],
    calculator: Mapping[str, Any],
    *,
    folder: Path,
    work: Path,
    workers: int | None = None,
    run: RunTasks | None = None,
    on_failure: Literal["error", "skip"] = "error",
) -> Labelled:
    """Compute energy, forces and stress of structures with a calculator.

    Everything finished is recorded in ``work`` at once; called again with the same structures and calculator, only the
    rest is computed. The caller deletes ``work`` when the result is safe.

    Args:
        structures: what to label; labels they have are replaced.
        calculator: settings such as ``{"kind": "lammps", "pair_style": ...}``.
        folder: where relative file names in the settings begin.
        work: folder of the record.
        workers: number of processes; None: one per CPU.
        run: what computes the labels; None: processes on this machine.
        on_failure: stop at the first structure that cannot be labelled, or leave such structures out.

    Raises:
        ConfigError: the settings are wrong.
        DataError: a structure cannot be labelled, or ``work`` belongs to something else.
        UnnpError: the calculator cannot be started, ``work`` cannot be written, or another process works in it.
    """
    check_settings(calculator)
    failures: dict[int, str] = {}
    made_with = [json.dumps(calculator, sort_keys=True), *file_checksums(calculator, folder)]
    stamp = fingerprint(structures, " ".join(made_with))
    with hold_folder(work), Journal(work / JOURNAL_FILE, stamp) as journal:
        forget_damaged(journal.finished, structures)
        todo = [(k, structures[k]) for k in range(len(structures)) if k not in journal.finished]
        run = run or partial(run_parallel, n_workers=workers or available_cpus())
        results = run(partial(_start, dict(calculator), folder), todo)
        with closing(results), counting("labelling", len(structures), len(journal.finished)) as advance:
            for k, outcome in results:
                if not isinstance(outcome, Failure):
                    journal.add(k, outcome)
                elif on_failure == "skip":
                    failures[k] = outcome.message
                else:
                    raise DataError(_stopped(structures[k], k, outcome.message))
                advance()
        finished = journal.finished
    if not finished:
        raise DataError(
            f"none of the {len(structures)} structures could be labelled; the first: {failures[min(failures)]}"
        )
    labelled = [with_entry(structures[k], finished[k]) for k in sorted(finished)]
    return Labelled(labelled, dict(sorted(failures.items())), origin=_origin(finished.values()))


def why_not_started(calculator: Mapping[str, Any], folder: Path, run: RunTasks) -> str:
    """Start a calculator where labels would be computed, and return why it cannot be; empty where it can.

    No structure is computed. A calculator that reads its settings only then is found out by its first label.

    Args:
        calculator, folder, run: as for ``label_structures``.

    Raises:
        UnnpError: ``run`` can compute nothing at all.
    """
    with closing(run(_starting, [(0, (dict(calculator), folder))])) as results:
        return next((outcome.message for _, outcome in results if isinstance(outcome, Failure)), "")


def _starting() -> Callable[[tuple[dict[str, Any], Path]], None]:
    return _started


def _started(given: tuple[dict[str, Any], Path]) -> None:
    labeller = build_labeller(*given)
    try:
        labeller.check()
    finally:
        labeller.close()


def _start(calculator: dict[str, Any], folder: Path) -> Callable[[Structure], dict[str, Any]]:
    return partial(_label, build_labeller(calculator, folder))


def _label(labeller: Labeller, structure: Structure) -> dict[str, Any]:
    """Return the labels of a structure, and what the labeller says of them: only one that has been started knows it."""
    found = entry_of(labeller.label(structure))
    return found | ({ORIGIN: labeller.origin} if labeller.origin else {})


def _origin(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    said: dict[str, Any] = next((entry[ORIGIN] for entry in entries if isinstance(entry.get(ORIGIN), dict)), {})
    return {str(name): str(text) for name, text in said.items()}


def _stopped(structure: Structure, k: int, message: str) -> str:
    where = structure.source or f"structure {k}"
    said = message if message.startswith(where) else f"{where}: {message}"
    return (
        f"structure {k} cannot be labelled. {said} What is finished is kept; repair it, or leave such structures out."
    )
