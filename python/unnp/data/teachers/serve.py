"""A teacher at work: opens the calculator of a package and answers structures with labels.

unnp imports it for a teacher in the same environment, and another Python runs it as a script for one in an environment of its
own. So it imports nothing but the standard library, and ASE when it begins.

The script speaks JSON, a line each way, over standard input and output. Its only argument is a JSON object with ``file``,
``weights``, ``head`` and ``device``. It says first what ``Teacher.description`` holds, and then answers each request:

    {"numbers": [n], "positions": [n, 3], "cell": [3, 3], "properties": ["energy", "forces", ...]}
    {"labels": {"energy": E, "forces": [n, 3], "stress": [3, 3], ...}}  or  {"error": "..."}

in eV and A, with ASE's names, of a structure that is periodic in all directions.
Where it cannot begin, it says ``{"error": "..."}`` and ends. It ends at once when its input does, also in the middle of
work: then whoever asked is gone.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import queue
import sys
import threading
from types import ModuleType
from typing import Any


class CannotBeginError(Exception):
    """Why a teacher cannot be opened, in plain words."""


class Teacher:
    """An opened teacher.

    Args:
        file: its file, as ``packages`` describes it.
        weights: name of weights, or their path.
        head: level of theory inside the weights; None: they have one.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        CannotBeginError: the package is missing, or does not take the weights.
    """

    def __init__(self, file: str, weights: str, head: str | None, device: str) -> None:
        module = load(file)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                self._calculator = module.open_calculator(weights, head, _chosen(device))
            self.description = _described(module, self._calculator)
        except ImportError as error:
            raise CannotBeginError(
                f"{sys.executable} cannot import what it needs ({error}); run `pip install {module.PACKAGE}` for it, or name "
                "by `python` another one that has it"
            ) from None
        except Exception as error:  # each package checks in its own way
            raise CannotBeginError(f"it cannot open {weights} ({_said(error)})") from None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the labels of a request, or what went wrong."""
        import numpy as np
        from ase import Atoms
        from ase.stress import voigt_6_to_full_3x3_stress

        try:
            atoms = Atoms(request["numbers"], request["positions"], cell=request["cell"], pbc=True)
            values = {name: self._calculator.get_property(name, atoms) for name in request["properties"]}
            if "stress" in values and np.shape(values["stress"]) == (6,):
                values["stress"] = voigt_6_to_full_3x3_stress(values["stress"])
            return {"labels": {name: np.asarray(value, dtype=float).tolist() for name, value in values.items()}}
        except Exception as error:  # a calculator may raise anything
            return {"error": _said(error)}


def load(file: str) -> ModuleType:
    """Return the module in the file of a teacher."""
    spec = importlib.util.spec_from_file_location("teacher", file)
    if spec is None or spec.loader is None:
        raise CannotBeginError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _described(module: ModuleType, calculator: Any) -> dict[str, Any]:
    from ase.data import chemical_symbols

    return {
        "package": f"{module.PACKAGE} {importlib.metadata.version(module.PACKAGE)}",
        "elements": [chemical_symbols[z] for z in module.elements(calculator)],
        "properties": [str(name) for name in calculator.implemented_properties],
    }


def _chosen(device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def main() -> None:
    """Serve whoever holds the other end of the pipes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a package prints must not come between

    def say(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    try:
        teacher = Teacher(**json.loads(sys.argv[1]))
    except CannotBeginError as error:
        say({"error": str(error)})
        return
    say(teacher.description)
    while True:
        say(teacher.answer(json.loads(requests.get())))


def _read(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
