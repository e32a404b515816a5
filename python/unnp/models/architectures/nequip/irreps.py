"""Which tensors atoms carry, and which products of them with harmonics there are."""

from typing import NamedTuple

from unnp.nn.coupling import couples

EVEN, ODD = 1, -1


class Irrep(NamedTuple):
    """A kind of tensor: its degree, and its sign under inversion."""

    degree: int
    parity: int

    @property
    def rows(self) -> int:
        """Number of components."""
        return 2 * self.degree + 1


SCALAR = Irrep(0, EVEN)


class Path(NamedTuple):
    """A product: the number of the input, the degree of the harmonics, the number of the output."""

    source: int
    degree: int
    target: int


def hidden_irreps(l_max: int, parity: bool) -> list[Irrep]:
    """Return what atoms may carry between layers: tensors of the parity of the harmonics, or of both parities."""
    signs = (EVEN, ODD) if parity else (EVEN,)
    return [Irrep(degree, (-1) ** degree * sign) for degree in range(l_max + 1) for sign in signs]


def paths_between(inputs: list[Irrep], l_max: int, outputs: list[Irrep]) -> list[Path]:
    """Return all products of inputs with harmonics up to ``l_max`` that are outputs, those of one output side by side."""
    return [
        Path(source, degree, target)
        for target, to in enumerate(outputs)
        for source, of in enumerate(inputs)
        for degree in range(l_max + 1)
        if couples(of.degree, degree, to.degree) and to.parity == of.parity * (-1) ** degree
    ]


def reachable(inputs: list[Irrep], l_max: int, outputs: list[Irrep]) -> list[Irrep]:
    """Return the outputs that are a product of an input with harmonics."""
    return [to for to in outputs if paths_between(inputs, l_max, [to])]


def row_numbers(irreps: list[Irrep]) -> list[int]:
    """Return for each row of a tensor the number of the irrep that it belongs to."""
    return [k for k, irrep in enumerate(irreps) for _ in range(irrep.rows)]
