"""Reads model files one after the other with every reader, in a process that may die: one JSON line for each.

python reading_worker.py SECONDS FILE ...
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from ase.build import bulk
from unnp.adapters.ase import UnnpCalculator
from unnp.core import core
from unnp.errors import UnnpError, printable
from unnp.exported.archive import read_manifest


def energy(path: str) -> float:
    atoms = bulk("Ni", cubic=True)
    atoms.rattle(0.05, seed=1)
    atoms.calc = UnnpCalculator(path, device="cpu")
    return float(atoms.get_potential_energy())


READERS = {
    "info": lambda path: read_manifest(path) and 0.0,
    "ase": energy,
    "engine": lambda path: core().check_model(path),
}


def outcome(reader: str, path: str) -> dict[str, Any]:
    try:
        return {"outcome": "accepted", "value": READERS[reader](path)}
    except UnnpError as error:
        message = str(error)
    except RuntimeError as error:
        message = str(error)
        if reader != "engine":
            return {"outcome": "traceback", "message": message}
    except Exception as error:
        return {"outcome": "traceback", "message": repr(error)}
    # a manifest may have several wrong fields, one on each line
    is_clear = path in message and "Traceback" not in message and message == printable(message)
    is_clear = is_clear and (message.count("\n") == 0 or "manifest unnp.json:" in message)
    return {"outcome": "clear error" if is_clear else "raw", "message": message}


def main() -> None:
    torch.set_num_threads(1)
    seconds, *paths = sys.argv[1:]
    for path in paths:
        for reader in READERS:
            print(json.dumps({"file": Path(path).name, "reader": reader}), flush=True)  # whom to blame for a crash
            signal.alarm(int(seconds))
            result = outcome(reader, path)
            signal.alarm(0)
            print(json.dumps({"file": Path(path).name, "reader": reader, **result}), flush=True)


main()
