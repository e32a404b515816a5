"""Reading the dumps of LAMMPS (``dump custom``), frame by frame; a last frame that was cut short is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.errors import LammpsError

_TIMESTEP = b"ITEM: TIMESTEP\n"


@dataclass(frozen=True)
class DumpFrame:
    """One frame.

    Attributes:
        step: timestep.
        bounds: the three lines of the box.
        rows: a line for each atom.
        begin, end: where it stands in its file [bytes].
    """

    step: int
    bounds: Sequence[bytes]
    rows: Sequence[bytes]
    begin: int
    end: int

    def table(self) -> np.ndarray:
        """Return the numbers of all atoms, (n_atoms, n_columns)."""
        return np.array(b" ".join(self.rows).split(), dtype=np.float64).reshape(len(self.rows), -1)

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Return origin (3,) and lattice vectors (3, 3), rows, of the box; the bounds enclose a tilted one."""
        bounds = np.array([line.split() for line in self.bounds], dtype=np.float64)
        xy, xz, yz = bounds[:, 2] if bounds.shape[1] > 2 else np.zeros(3)
        low = bounds[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
        high = bounds[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
        lx, ly, lz = high - low
        return low, np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])


def read_dump(path: Path) -> Iterator[DumpFrame]:
    """Yield the whole frames of a dump.

    Raises:
        LammpsError: there is no such file, or where a frame should begin there is something else.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise LammpsError(f"cannot read {path}: {error.strerror or error}.") from None
    begin = 0
    with file:
        while head := [line for _ in range(9) if (line := file.readline())]:
            rows: list[bytes] = []
            if len(head) == 9:
                step, n_atoms = _counts(head, path)
                rows = [line for _ in range(n_atoms) if (line := file.readline())]
            if len(head) < 9 or len(rows) < n_atoms or not (rows or head)[-1].endswith(b"\n"):
                return
            yield DumpFrame(step, head[5:8], rows, begin, end := file.tell())
            begin = end


def renumbered(content: bytes, step: int) -> bytes:
    """Return the text of a frame with another timestep."""
    rest = content[len(_TIMESTEP) :].partition(b"\n")[2]
    return _TIMESTEP + str(step).encode() + b"\n" + rest


def _counts(head: Sequence[bytes], path: Path) -> tuple[int, int]:
    """Return timestep and number of atoms from the nine lines before the atoms."""
    numbers = head[1].strip(), head[3].strip()
    if head[0] != _TIMESTEP or not all(number.isdigit() for number in numbers):
        raise LammpsError(f"{path} is damaged: where a frame should begin, it has something else.")
    return int(numbers[0]), int(numbers[1])
