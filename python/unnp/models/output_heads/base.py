"""The contract of an output head and the registry that finds it."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from unnp.atoms.outputs import Output
from unnp.atoms.quantities import QUANTITIES
from unnp.errors import ConfigError
from unnp.plugins.registry import Registry


class OutputHead(nn.Module):
    """From the features of an atom to a quantity of ``unnp.atoms.quantities`` that the energy does not give.

    A subclass lives in one file of ``unnp.models.output_heads``, or of a package that names it in the entry-point group
    ``unnp.output_heads`` by the name of the quantity. It is decorated with ``@register(quantity)`` and is TorchScript-able. It
    is trained where the configuration names the quantity under ``potential.outputs``, and gives the output of that name.

    Args:
        n_features: features of an atom.
        n_elements: elements of the potential.
    """

    quantity: ClassVar[str]

    def forward(self, features: Tensor, alone: Tensor, species: Tensor, bonded: Tensor) -> Tensor:
        """Return the quantity (n_atoms, ...) of each atom.

        Args:
            features: (n_atoms, n_features).
            alone: (n_elements, n_features), of one atom of each element without bonds.
            species: (n_atoms,) int64.
            bonded: (n_atoms,) bool, which atoms have a bond.
        """
        raise NotImplementedError


H = TypeVar("H", bound=type[OutputHead])
REGISTRY: Registry[type[OutputHead]] = Registry("output", "unnp.models.output_heads", "unnp.output_heads")


def register(quantity: str) -> Callable[[H], H]:
    """Make an output head known: ``@register("charges")``; raise ConfigError where there is no such quantity of atoms."""
    if quantity not in QUANTITIES or not QUANTITIES[quantity].per_atom or QUANTITIES[quantity].origin != "head":
        raise ConfigError(f"'{quantity}' is no quantity of atoms that unnp.atoms.quantities leaves to an output head.")

    def add(head: H) -> H:
        REGISTRY.add(quantity, head, head.__module__)
        head.quantity = quantity
        return head

    return add


def declared(quantity: str) -> Output:
    """Return what a head gives, as potentials and model files declare it."""
    row = QUANTITIES[quantity]
    return Output(name=quantity, per=row.per, shape=list(row.shape), unit=row.unit)
