"""Symmetric tensors as six numbers, in the orders in which programs write them."""

from __future__ import annotations

from typing import Literal

import numpy as np

VoigtOrder = Literal["ase", "vasp", "lammps"]

PLACES: dict[VoigtOrder, tuple[list[int], list[int]]] = {
    "ase": ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]),  # xx yy zz yz xz xy, Voigt's own
    "vasp": ([0, 1, 2, 0, 1, 0], [0, 1, 2, 1, 2, 2]),  # xx yy zz xy yz xz
    "lammps": ([0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]),  # xx yy zz xy xz yz
}
"""Rows and columns of the six numbers in the 3 x 3 tensor."""


def tensor_of(six: np.ndarray, order: VoigtOrder) -> np.ndarray:
    """Return the symmetric tensor (3, 3) of six numbers in an order."""
    rows, columns = PLACES[order]
    tensor = np.empty((3, 3))
    tensor[rows, columns] = tensor[columns, rows] = six
    return tensor
