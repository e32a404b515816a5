"""What a structure file carries besides structure and labels: it is not carried over, and that is said."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from ase.data import atomic_masses

from unnp.atoms.quantities import FURTHER, QUANTITIES
from unnp.data.readers.base import Frame
from unnp.data.readers.options import ReadOptions
from unnp.errors import in_one_line

# Geometry, and what only numbers atoms or repeats a label.
_NOT_WORTH_SAYING = {"numbers", "positions", "id", "type", "comment", "stresses", "free_energy"}
_NAMES = {
    "momenta": "velocities",
    "vel": "velocities",
    **{QUANTITIES[name].ase: QUANTITIES[name].words for name in FURTHER},
    "initial_magmoms": "magnetic moments",
    "magmom": "magnetic moments",
    "initial_charges": "charges",
    "masses": "masses",
    "move_mask": "constraints",
}
_LISTED = 12
_IS_NAME = re.compile(r"[A-Za-z_][\w-]*( [\w-]+)*")


class LeftBehind:
    """Counts, over one or several files, the structures that carry something that structures here do not have."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._n = 0

    def add(self, frame: Frame, options: ReadOptions) -> None:
        """Take note of what a frame carries beyond geometry and the labels that are read."""
        self._n += 1
        read = {*options.keys.values(), options.virial_key, options.group_key, options.forces_weight_key}
        names = {_NAMES.get(str(name), str(name)) for name in _carried(frame) if name not in read | _NOT_WORTH_SAYING}
        names -= {QUANTITIES[name].words for name in options.labels}
        names |= {"constraints" for _ in frame.atoms.constraints}
        self._counts.update(names)

    def describe(self) -> str:
        """Return one line that says what is not carried over; empty where there is nothing."""
        if not self._counts:
            return ""
        said = [
            in_one_line(name, 60) + ("" if n == self._n else f" (in {n} of {self._n})")
            for name, n in sorted(self._counts.items())
        ]
        more = f" and {len(said) - _LISTED} more" if len(said) > _LISTED else ""
        return f"not carried over from the files: {', '.join(said[:_LISTED])}{more}"


def _carried(frame: Frame) -> set[str]:
    """Return the names of all values that say something: zeros, as ASE fills in, and usual masses do not."""
    found: set[str] = set()
    for source in (*frame.sources, frame.atoms.arrays):
        found |= {str(name) for name, value in source.items() if value is not None and _says_something(value)}
    found = {name for name in found if _IS_NAME.fullmatch(name)}  # a comment in plain words becomes flags of ASE
    if np.allclose(frame.atoms.get_masses(), atomic_masses[frame.atoms.numbers], rtol=0.01, atol=0.05):
        found.discard("masses")
    return found


def _says_something(value: object) -> bool:
    array = np.asarray(value)
    return array.dtype.kind not in "biuf" or bool(np.any(array))
