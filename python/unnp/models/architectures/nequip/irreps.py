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


def irreps_of_layers(l_max: int, parity: bool, layers: int) -> list[list[Irrep]]:
    """Return the irreps of the atoms before the first layer and behind each: scalars at both ends.

    Between are those that products can make of what was before, and of which products can make scalars at the end.
    """
    hidden = hidden_irreps(l_max, parity)
    needed = [[SCALAR]]
    for _ in range(layers - 1):
        needed.insert(0, [of for of in hidden if paths_between([of], l_max, needed[0])])
    irreps = [[SCALAR]]
    for wanted in needed:
        irreps.append([to for to in wanted if paths_between(irreps[-1], l_max, [to])])
    return irreps


def row_numbers(irreps: list[Irrep]) -> list[int]:
    """Return for each row of a tensor the number of the irrep that it belongs to."""
    return [k for k, irrep in enumerate(irreps) for _ in range(irrep.rows)]
