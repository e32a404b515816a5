"""From the features of an atom to its energy."""

import torch
from torch import Tensor, nn

from unnp.nn.linear import linear


class EnergyHead(nn.Module):
    """``E_i = f(h_i) - f(h of an atom of this element without bonds)``, and exactly 0 for an atom without bonds.

    The features of such an atom differ in the last bit from those it is compared with, where they come from matrix products of
    another shape; so its energy is set to 0. Subclasses say what f is.
    """

    def forward(self, features: Tensor, alone: Tensor, species: Tensor, bonded: Tensor) -> Tensor:
        """Return energies (n_atoms,).

        Args:
            features: (n_atoms, n_features).
            alone: (n_elements, n_features), of one atom of each element without bonds.
            species: (n_atoms,) int64.
            bonded: (n_atoms,) bool, which atoms have a bond.
        """
        # rows of one shape on both sides, so that both are rounded alike
        energy = self.value(features, species) - self.value(alone.index_select(0, species), species)
        return torch.where(bonded, energy, torch.zeros_like(energy))

    def value(self, features: Tensor, species: Tensor) -> Tensor:
        """Return f, (n_atoms,)."""
        raise NotImplementedError


class MLPHead(EnergyHead):
    """f is a perceptron with one hidden layer.

    Args:
        n_features: features of an atom.
        hidden: channels of the hidden layer.
        activation: activation of the hidden layer.
        gain: gain behind the activation, see ``unnp.nn.linear``.
    """

    def __init__(self, n_features: int, hidden: int, activation: nn.Module, gain: float) -> None:
        super().__init__()
        self.network = nn.Sequential(linear(n_features, hidden), activation, linear(hidden, 1, bias=False, gain=gain))

    def value(self, features: Tensor, species: Tensor) -> Tensor:
        return self.network(features).squeeze(1)


class LinearHead(EnergyHead):
    """f is linear, for networks whose last hidden layers are the features.

    Args:
        n_features: features of an atom.
        gain: gain behind the activation of these layers, see ``unnp.nn.linear``.
    """

    def __init__(self, n_features: int, gain: float) -> None:
        super().__init__()
        self.network = nn.Sequential(linear(n_features, 1, bias=False, gain=gain))

    def value(self, features: Tensor, species: Tensor) -> Tensor:
        return self.network(features).squeeze(1)


class ElementHead(EnergyHead):
    """f is linear, with weights of its own for every element.

    Args:
        n_elements: number of elements.
        n_features: features of an atom.
        gain: gain behind the activation of the features, see ``unnp.nn.linear``.
    """

    def __init__(self, n_elements: int, n_features: int, gain: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_elements, n_features) * (gain * n_features**-0.5))

    def value(self, features: Tensor, species: Tensor) -> Tensor:
        return (features * self.weight.index_select(0, species)).sum(1)
