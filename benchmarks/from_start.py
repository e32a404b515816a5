"""Trainings of one element from random weights or from a start, both by the recipe examples/surfaces/element.yaml."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from measuring import HERE
from unnp.atoms.structure import Structure
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions

RECIPE = HERE.parent / "examples/surfaces/element.yaml"
TUNED = ("optimizer.learning_rate=2.0e-3", "heads={dft: {copy_of: default, reference_energies: shift}}")
"""What a training from a start has beside it: a lower rate, and a head that begins as a copy of the start's."""


def labelled(files: Sequence[Path]) -> Sequence[Structure]:
    """Return the structures of files, which have energies and forces."""
    return open_structures(files, ReadOptions(required=("energy", "forces")))


def train(run: Path, frames: Path, start: Path | None, *settings: str) -> None:
    """Train, or go on where the training was stopped; do nothing where it is over.

    Args:
        run: its folder.
        frames: file of those that are learnt.
        start: exported model that it begins with; None: random weights.
        settings: further ones, as words of ``--set``.
    """
    if (run / "card.yaml").exists():
        return
    own = [] if start is None else [f"start={start.resolve()}", *TUNED]
    given = [f"data.train=[{frames.resolve()}]", *own, *settings]
    words = [word for setting in given for word in ("--set", setting)]
    resume = ["--resume"] if run.exists() else []
    subprocess.run(["unnp", "train", RECIPE, "-o", run, *words, *resume], check=True)
