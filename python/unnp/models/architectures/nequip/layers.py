"""Layers of NequIP: linear maps over channels, messages, and the nonlinearity."""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from unnp.models.architectures.nequip.config import NequIPConfig
from unnp.models.architectures.nequip.irreps import SCALAR, Irrep, paths_between, row_numbers
from unnp.models.architectures.nequip.messages import Geometry, Messages
from unnp.nn.linear import SILU_GAIN, linear
from unnp.nn.packing import exchange_parts

HALF = 0.5**0.5
"""gain of two summands whose sum keeps the variance"""


class Kinds(NamedTuple):
    """The updated atoms by element.

    Attributes:
        atoms: for each element (n_atoms of it,) int64.
        place: (n_updated,) int64, where each atom is if those of the elements are joined.
    """

    atoms: list[Tensor]
    place: Tensor


def kinds_of(species: Tensor, n_elements: int) -> Kinds:
    """Return the atoms of each element, from species (n_updated,)."""
    atoms: list[Tensor] = []
    for k in range(n_elements):
        atoms.append(torch.nonzero(species == k).squeeze(1))
    return Kinds(atoms, torch.argsort(torch.cat(atoms)))


def by_row(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``y_nrd = sum_c x_nrc w_rcd``, from x (n, rows, c) and a matrix for each row, (rows, c, d)."""
    return torch.bmm(x.transpose(0, 1), weight).transpose(0, 1)


class Mix(nn.Module):
    """A linear map over the channels of each irrep."""

    irrep: Tensor

    def __init__(self, irreps: list[Irrep], n: int, gain: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(len(irreps), n, n) * (gain * n**-0.5))
        self.register_buffer("irrep", torch.tensor(row_numbers(irreps)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, rows, channels) from (n, rows, channels)."""
        return by_row(x, self.weight.index_select(0, self.irrep))


class SelfConnection(nn.Module):
    """A linear map over the channels of each irrep of an atom, of its own for each element.

    Args:
        inputs: irreps of an atom.
        outputs: irreps of the result; those that are not among the inputs get nothing.
        n_elements: number of elements.
        n: channels.
        gain: see ``unnp.nn.linear``.
    """

    irrep: Tensor
    source: Tensor
    target: Tensor

    def __init__(self, inputs: list[Irrep], outputs: list[Irrep], n_elements: int, n: int, gain: float) -> None:
        super().__init__()
        made = [k for k, irrep in enumerate(outputs) if irrep in inputs]
        starts = [row_numbers(inputs).index(k) for k in range(len(inputs))]
        source = [starts[inputs.index(outputs[k])] + row for k in made for row in range(outputs[k].rows)]
        target = [row for row, k in enumerate(row_numbers(outputs)) if k in made]
        self.weight = nn.Parameter(torch.randn(n_elements, len(made), n, n) * (gain * n**-0.5))
        self.register_buffer("irrep", torch.tensor(row_numbers([outputs[k] for k in made])), persistent=False)
        self.register_buffer("source", torch.tensor(source), persistent=False)
        self.register_buffer("target", torch.tensor(target), persistent=False)

    def forward(self, x: Tensor, kinds: Kinds, onto: Tensor) -> Tensor:
        """Return ``onto`` with the result added.

        Args:
            x: (n, rows of the inputs, channels).
            kinds: the atoms by element.
            onto: (n, rows of the outputs, channels).
        """
        x = x.index_select(1, self.source)
        parts: list[Tensor] = []
        for k, weight in enumerate(self.weight.unbind(0)):
            parts.append(by_row(x.index_select(0, kinds.atoms[k]), weight.index_select(0, self.irrep)))
        return onto.index_add(1, self.target, torch.cat(parts).index_select(0, kinds.place))


class Gate(nn.Module):
    """Scalars through an activation (silu for even ones, tanh for odd ones), tensors times silu of a scalar of their own.

    Args:
        irreps: of the result, even scalars first.
    """

    gate: Tensor
    odd: Final[bool]

    def __init__(self, irreps: list[Irrep]) -> None:
        super().__init__()
        tensors = [irrep for irrep in irreps if irrep.degree > 0]
        self.odd = len(irreps) > 1 + len(tensors)
        self.n_gates = len(tensors)
        self.inputs = [SCALAR] * (1 + len(tensors)) + irreps[1:]
        self.register_buffer("gate", 1 + torch.tensor(row_numbers(tensors), dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, rows, channels) from scalars, gates and tensors, (n, n_gates + rows, channels)."""
        scalars = silu(x[:, : 1 + self.n_gates])
        parts = [scalars[:, :1]]
        start = 1 + self.n_gates
        if self.odd:
            parts.append(torch.tanh(x[:, start : start + 1]))
            start += 1
        parts.append(scalars.index_select(1, self.gate) * x[:, start:])
        return torch.cat(parts, dim=1)


class Layer(nn.Module):
    """``h = gate(W m(V h) + S_Z h)`` with the messages m.

    Args:
        config: settings.
        inputs: irreps of the atoms before it.
        outputs: irreps of the atoms behind it.
        n_elements: number of elements.
        first: whether it is the first: what atoms send then follows from their element.
    """

    first: Final[bool]

    def __init__(
        self, config: NequIPConfig, inputs: list[Irrep], outputs: list[Irrep], n_elements: int, first: bool
    ) -> None:
        super().__init__()
        n, gain = config.features, 1.0 if first else SILU_GAIN
        self.first = first
        self.inputs, self.outputs = inputs, outputs
        self.gate = Gate(outputs)
        self.send = Mix(inputs, n, gain)
        self.messages = Messages(config, inputs, outputs)
        self.stay = SelfConnection(inputs, self.gate.inputs, n_elements, n, HALF * gain)
        found = [paths_between(inputs, config.l_max, [irrep]) for irrep in outputs]
        self.rows = [len(paths) * irrep.rows for paths, irrep in zip(found, outputs, strict=True)]
        self.n_paths, self.components = [len(paths) for paths in found], [irrep.rows for irrep in outputs]
        self.n_scalars = 1 + self.gate.n_gates
        self.receive = nn.ModuleList(
            linear(len(paths) * n, n * (1 if k else self.n_scalars), bias=False, gain=HALF)
            for k, paths in enumerate(found)
        )

    def forward(
        self, h: Tensor, element: Tensor, species: Tensor, kinds: Kinds, geometry: Geometry, halo: int
    ) -> Tensor:
        """Return the features (n_updated, rows, channels) behind the layer.

        Args:
            h: (n_updated, rows, channels), those before it.
            element: (n_elements, 1, channels), those before the first layer.
            species: (n_all,).
            kinds: the updated atoms by element.
            geometry: of the bonds.
            halo: handle of the exchange, 0 for none.
        """
        if self.first:  # the elements of ghosts are known
            sent = self.send(element).index_select(0, species)
        else:
            sent = exchange_parts([self.send(h)], species.shape[0], halo)[0]
        return self.gate(self.stay(h, kinds, self.received(self.messages(sent, geometry, h.shape[0]))))

    def received(self, messages: Tensor) -> Tensor:
        """Return scalars, gates and tensors (n, rows, channels) from the messages of all paths (n, rows of paths, channels)."""
        n, _, channels = messages.shape
        parts = messages.split(self.rows, dim=1)
        made: list[Tensor] = []
        for k, receive in enumerate(self.receive):
            part = parts[k].reshape(n, self.n_paths[k], self.components[k], channels).transpose(1, 2).flatten(2)
            made.append(receive(part) if k else receive(part).reshape(n, self.n_scalars, channels))
        return torch.cat(made, dim=1)
