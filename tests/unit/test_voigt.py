"""Six numbers of a symmetric tensor, in each order."""

from __future__ import annotations

import numpy as np
import pytest
from ase.stress import full_3x3_to_voigt_6_stress
from unnp.atoms.voigt import PLACES, tensor_of

NAMES = np.array([["xx", "xy", "xz"], ["xy", "yy", "yz"], ["xz", "yz", "zz"]])


@pytest.mark.parametrize(
    ("order", "names"),
    [("ase", "xx yy zz yz xz xy"), ("vasp", "xx yy zz xy yz xz"), ("lammps", "xx yy zz xy xz yz")],
)
def test_each_order_is_that_of_its_program(order, names):
    assert NAMES[PLACES[order]].tolist() == names.split()
    tensor = tensor_of(np.arange(6.0), order)
    assert (tensor == tensor.T).all()
    assert tensor[PLACES[order]].tolist() == list(range(6))


def test_the_order_of_ase():
    six = np.array([1.0, 2, 3, 4, 5, 6])
    assert full_3x3_to_voigt_6_stress(tensor_of(six, "ase")).tolist() == six.tolist()
