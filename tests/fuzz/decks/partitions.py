"""Two walkers of fix momt in partitions of LAMMPS, of which one leaves, differs or is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FIX = "fix bias all momt T0 1000 temps 650 1400 12 press 0.0 order sk fcc 2 2 2 pace 5 observe 2 "


@dataclass(frozen=True)
class Partition:
    """A deck of two walkers.

    Attributes:
        name: of the case.
        due: "run" where it has to run, "error" where it has to be refused, "either" where both will do.
        words: more words of the fix; ``${w}`` and ``${odd}`` are the number of the walker.
        fix: the command, where it is not the plain one.
        after: commands after the first run.
        run: the second run.
    """

    name: str
    due: Literal["run", "error", "either"]
    words: str = ""
    fix: str = ""
    after: str = ""
    run: str = "run 40"

    def text(self) -> str:
        """Return the deck."""
        return f"""variable w world 0 1
variable odd world 0 1
variable limit world off 0:00:00
variable last world 1000000 30
units metal
lattice fcc 4.05
region b block 0 2 0 2 0 2
create_box 1 b
create_atoms 1 box
mass 1 26.98
pair_style eam/fs
pair_coeff * * Al_mm.eam.fs Al
velocity all create 1500 5${{w}}
{self.fix or FIX + self.words}
fix box all nph iso 0.0 0.0 1.0
fix heat all temp/csvr 1000 1000 0.1 471${{w}}
timestep 0.002
run 20
variable k equal step
{self.after}
{self.run}
"""


def _odd(command: str) -> str:
    return f'if "${{odd}}" then "{command}"'


LEAVES = {
    "timeout": "timer timeout ${limit} every 1",
    "halt": "fix h all halt 5 v_k > ${last} error continue",
    "halt-hard": "fix h all halt 5 v_k > ${last} error hard",
    "quit": _odd("quit"),
    "quit-code": _odd("quit 3"),
    "unfix": _odd("unfix bias"),
    "error": _odd("nonsense 1"),
    "clear": _odd("clear"),
    "pair": _odd("pair_style none"),
    "lost": _odd("set group all x 1e9"),
    "freeze": _odd("fix_modify bias freeze yes"),
}
DIFFERS = {
    "pace": "pace 5${w}",
    "order": "order sk fcc 2 2 ${w}2",
    "sigma": "sigma 0.0${w}7",
    "memory": "memory 10${w}",
    "start": "start nothing${w}.json",
}

PARTITIONS = [
    Partition("walkers-plain", "run"),
    Partition("walkers-alone", "run", words="walkers alone"),
    Partition("walkers-alone-unfix", "run", words="walkers alone", after=LEAVES["unfix"]),
    Partition("walkers-logs", "run", words="log ${w}.log 5 state state.json 10"),
    Partition("walkers-same-log", "either", words="log same.log 5"),
    Partition("walkers-none", "error", fix=f'if "!${{odd}}" then "{FIX}"'),
    Partition("walkers-none-then-alone", "run", fix=f'if "!${{odd}}" then "{FIX} walkers alone"'),
    Partition("walkers-other-steps", "error", run="variable n world 40 60\nrun ${n}"),
    Partition("walkers-one-more-run", "error", run='run 20\nif "${odd}" then "run 20"'),
    Partition("walkers-both-unfix", "run", after="unfix bias"),
    Partition("walkers-both-quit", "run", after="quit"),
    Partition("walkers-minimise", "either", run='if "${odd}" then "minimize 0 1e-4 10 100" else "run 20"'),
    *(
        Partition(f"walkers-{name}", "error", after=after)
        for name, after in LEAVES.items()
        if name not in ("pair", "freeze")
    ),
    *(Partition(f"walkers-{name}", "either", after=LEAVES[name]) for name in ("pair", "freeze")),
    *(Partition(f"walkers-other-{name}", "error", words=words) for name, words in DIFFERS.items()),
]
