"""Many decks that fail, one after the other in one process: ``python momt_refusals.py decks.json messages.json``.

LAMMPS as a library throws where `lmp` would stop; on several ranks all of them have to throw, or this hangs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lammps_run import BIN, Run, run_program
from unnp.lammps.plugin import plugin_directory


def refusals(folder: Path, decks: dict[str, str], ranks: int) -> dict[str, str]:
    """Return the message with which each deck stopped, empty where it did not."""
    (folder / "decks.json").write_text(json.dumps(decks))
    variables = {"LD_LIBRARY_PATH": str(BIN.parent / "lib"), "LAMMPS_PLUGIN_PATH": plugin_directory()}
    support = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "lammps/support")]
    variables["PYTHONPATH"] = os.pathsep.join(support)
    command = [sys.executable, __file__, "decks.json", "messages.json"]
    run: Run = run_program(folder, command, ranks, timeout=120, variables=variables)
    assert run.code == 0, run.output[-3000:]
    return json.loads((folder / "messages.json").read_text())


def main(decks: str, messages: str) -> None:
    from lammps import lammps

    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    found = {}
    for name, deck in json.loads(Path(decks).read_text()).items():
        if lmp.extract_setting("world_rank") == 0:
            print(name, flush=True)
        found[name] = _message(lmp, f"clear\n{deck}")
    if lmp.extract_setting("world_rank") == 0:
        Path(messages).write_text(json.dumps(found))
    lmp.close()
    lmp.finalize()


def _message(lmp, deck: str) -> str:
    try:
        lmp.commands_string(deck)
    except Exception as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
