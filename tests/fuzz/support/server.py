"""A process that has everything imported and forks one command line after the other: a start costs milliseconds.

Reads requests, one line of JSON each, from stdin: ``{"start": [arguments], "folder": ..., "output": ...}`` is answered with
``{"pid": ...}``; ``{"wait": pid, "seconds": ...}`` with ``{"code": ...}``, None where it still runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

PRELOADED = [
    "torch",
    "numpy",
    "ase.io",
    "matplotlib.pyplot",
    "yaml",
    "pydantic",
    "rich.table",
    "safetensors.torch",
    "unnp.cli",
    "unnp.train.run",
    "unnp.exported.export",
    "unnp.evaluate.evaluation",
    "unnp.exported.loader",
    "unnp.data.writing",
    "unnp.data.report",
    "unnp.data.splits",
    "unnp.data.labelling",
    "unnp.data.generation",
    "unnp.workflows.md.run",
    "unnp.workflows.melt.run",
    "unnp.workflows.ramp.run",
    "unnp.workflows.momt.run",
    "unnp.evaluate.card",
    "unnp.workflows.elastic.report",
    "unnp.lammps.system",
    "unnp.adapters.ase",
    "unnp.adapters.labeller",
    "unnp.config.overrides",
]


def main() -> None:
    for name in PRELOADED:
        import_module(name)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        request = json.loads(line)
        answer = (
            {"pid": _start(request)} if "start" in request else {"code": _wait(request["wait"], request["seconds"])}
        )
        answers.write(json.dumps(answer) + "\n")


def _start(request: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = _run(request)
    finally:
        os._exit(code)


def _run(request: dict) -> int:
    """Become the command line: its folder, its streams, its exit code."""
    os.setsid()
    os.chdir(request["folder"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.environ.update(request.get("environment", {}))
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.argv = ["unnp", *request["start"]]
    try:
        from unnp.cli import main as unnp

        unnp()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except KeyboardInterrupt:
        code = 130
        sys.excepthook(*sys.exc_info())
    except BaseException:
        code = 1
        sys.excepthook(*sys.exc_info())
    finally:
        import atexit
        import multiprocessing.util

        multiprocessing.util._exit_function()
        atexit._run_exitfuncs()
        sys.stdout.flush(), sys.stderr.flush()
    return code


def _wait(pid: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    pause = 0.005
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(pause)
        pause = min(0.1, 1.5 * pause)


if __name__ == "__main__":
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    main()
