"""The contract of an architecture and the registry that finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from torch import Tensor, nn

from unnp.config import Config
from unnp.errors import ConfigError, unknown

HaloKind = Literal["local", "exchange", "wide"]


@dataclass(frozen=True)
class ModelStatistics:
    """What a model takes over from its training data.

    Attributes:
        average_neighbors: mean number of neighbours of an atom within the model's longest cutoff.
        energy_scale: unit of the network's energies [eV]; the root mean square of the force components times 1 A.
        reference_energies: energy [eV] of one isolated atom of each element.
    """

    average_neighbors: float
    energy_scale: float
    reference_energies: dict[str, float]


class ArchitectureConfig(Config):
    """Base of the settings of an architecture, which say how far it sees before anything is built.

    ``cutoff`` is the length [A] of the longest bond that has to be listed: a setting of that name, or a property of others.
    """

    if TYPE_CHECKING:

        @property
        def cutoff(self) -> float: ...

    @property
    def receptive_field(self) -> float:
        """Distance [A] up to which an atom's energy depends on other atoms: the cutoff, unless the atoms hand on more."""
        return self.cutoff


class Architecture(nn.Module):
    """Per-atom energies from species and bond vectors; the base of every registered architecture.

    A subclass lives in one file of ``unnp.models``, is decorated with ``@register(name)``, is TorchScript-able, and fills in
    the class attributes, the properties and ``forward``. Everything else (forces, stress, export, ASE, LAMMPS, tests) follows.
    """

    name: ClassVar[str]
    Config: ClassVar[type[ArchitectureConfig]]
    references: ClassVar[list[str]]
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    example_settings: ClassVar[dict[str, Any]] = {}
    """Settings of a small model, with which the tests in tests/physics and tests/parity are run."""
    trained: ClassVar[bool] = True
    """Whether there is anything to train; if not, the energies are in eV whatever the data."""
    repulsive: ClassVar[bool] = False
    """Whether it keeps atoms apart at distances that no training structure has."""

    def __init__(self, config: Any, elements: list[str]) -> None:
        super().__init__()
        self.config = config
        self.elements = elements

    def adapt(self, statistics: ModelStatistics) -> None:
        """Take over what the settings left to the training data; called once, before the training.

        What is taken over has to be in ``self.config`` or in persistent buffers afterwards, so that it is stored and exported.
        """

    def exchange_widths(self) -> list[int]:
        """Numbers per atom in each exchange, in order; empty for a local model."""
        raise NotImplementedError

    def halo(self) -> HaloKind:
        """How the model runs on several ranks."""
        return "exchange" if self.exchange_widths() else "local"

    def tied_parameters(self) -> list[list[nn.Parameter]]:
        """Return groups of parameters that are one parameter during a weight-tied warm start; empty where there is none."""
        return []

    def forward(self, species: Tensor, bond_index: Tensor, bond_vector: Tensor, n_owned: int, halo: int) -> Tensor:
        """Return the energies (n_owned,) of the owned atoms; 0 for an atom without bonds.

        Args:
            species: (n_all,) int64, owned atoms first, then ghosts.
            bond_index: (2, n_bonds) int64, each bond once; row 0 is owned, row 1 owned or a ghost.
            bond_vector: (n_bonds, 3) [A], r_j - r_i.
            n_owned: number of owned atoms.
            halo: handle of the exchange, 0 for none.
        """
        raise NotImplementedError


A = TypeVar("A", bound=type[Architecture])
_REGISTRY: dict[str, type[Architecture]] = {}


def register(name: str) -> Callable[[A], A]:
    """Make an architecture known under a name: ``@register("teanet")``."""

    def add(architecture: A) -> A:
        if name in _REGISTRY and _REGISTRY[name].__module__ != architecture.__module__:
            raise ConfigError(f"architecture '{name}' is registered twice.")
        architecture.name = name
        _REGISTRY[name] = architecture
        return architecture

    return add


def architectures() -> dict[str, type[Architecture]]:
    """Return all architectures by name: those of this package and those of the entry-point group ``unnp.models``."""
    package = import_module("unnp.models")
    for module in iter_modules(package.__path__):
        import_module(f"unnp.models.{module.name}")
    for entry in entry_points(group="unnp.models"):
        try:
            entry.load()
        except Exception as error:  # whatever another package raises, its user has to know which one it is
            raise ConfigError(
                f"the architecture '{entry.name}' of {entry.value} cannot be imported ({error!r}); upgrade or uninstall "
                "its package."
            ) from error
    return dict(sorted(_REGISTRY.items()))


def architecture(name: str) -> type[Architecture]:
    """Return the architecture class of a name; raise ConfigError for an unknown one."""
    known = architectures()
    if name not in known:
        raise ConfigError(unknown("architecture", name, known))
    return known[name]
