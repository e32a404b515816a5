"""The contract of a labeller and the registry that finds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator

from unnp.atoms.quantities import FURTHER, QUANTITIES, Quantity
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.kinds import check_kind, registering
from unnp.data.store_checks import file_checksum
from unnp.errors import DataError, UnnpError, unknown
from unnp.plugins.registry import Registry


class Labeller(ABC):
    """Computes the labels of structures, one after the other, in one process.

    A subclass lives in one file of ``unnp.data.labellers``, is decorated with ``@register(kind)``, has a ``Config``
    (settings from YAML: they must not be able to run code), and fills in ``compute``, and ``files`` where
    its settings name any.

    Args:
        config: the settings.
        folder: where relative file names in the settings begin.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[Config]]

    def __init__(self, config: Any, folder: Path) -> None:
        self.config = config
        self.folder = folder

    @classmethod
    def files(cls, config: Any, folder: Path) -> list[Path]:
        """Return the files that the settings name and the labels depend on, as weights and tables; found without opening any.

        Args:
            config: the settings.
            folder: where relative file names in the settings begin.

        Raises:
            UnnpError: the settings name what is not there.
        """
        return []

    def check(self) -> None:  # noqa: B027 most labellers find out when they are made
        """Raise UnnpError where it could compute nothing, as far as that shows without computing a structure."""

    @abstractmethod
    def compute(self, structure: Structure) -> dict[str, Any]:
        """Return the labels by the names of ``unnp.atoms.quantities``, in the shapes and units that stand there.

        Energy [eV] and forces (n_atoms, 3) [eV/A] have to be among them; stress (3, 3) [eV/A^3] is, where there is one.
        """

    def label(self, structure: Structure) -> Structure:
        """Return the structure with its labels; raise DataError where they are not finite or of another shape."""
        periodic = bool(np.all(structure.pbc))
        found = self.compute(structure)
        labels = {name: value for name, value in found.items() if periodic or not QUANTITIES[name].needs_volume}
        for name, value in labels.items():
            problem = misfit(QUANTITIES[name], value, len(structure))
            if problem:
                raise DataError(f"{structure.source or 'structure'}: the computed {name} {problem}.")
        return structure.with_labels(
            {**dict.fromkeys(QUANTITIES), **{name: _plain(value) for name, value in labels.items()}}
        )

    @property
    def elements(self) -> list[str]:
        """Chemical symbols that it is known to compute; empty where it does not say."""
        return list(getattr(self.config, "elements", ()))

    @property
    def origin(self) -> dict[str, str]:
        """What people should know of the labels, for the record: name, level of theory, zero of energy, licence, citation."""
        return {}

    def close(self) -> None:  # noqa: B027 most labellers hold nothing
        """Give back what the labeller holds."""


def _further(names: list[str]) -> list[str]:
    for name in names:
        if name not in FURTHER:
            raise ValueError(unknown("further label", name, FURTHER))
    return names


FurtherLabels = Annotated[list[str], AfterValidator(_further)]
"""Names of labels beside energy, forces and stress."""


def misfit(quantity: Quantity, value: Any, n_atoms: int) -> str:
    """Return what keeps a value from being a label of a structure, "is not finite"; empty where nothing does."""
    shape = (n_atoms, *quantity.shape) if quantity.per_atom else quantity.shape
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return "is no number"
    if array.shape != shape:
        return f"has the shape {array.shape}, not {shape}"
    return "" if np.isfinite(array).all() else "is not finite"


def _plain(value: Any) -> float | np.ndarray:
    return np.array(value, dtype=np.float64) if np.ndim(value) else float(value)


REGISTRY: Registry[type[Labeller]] = Registry("kind of calculator", "unnp.data.labellers", "unnp.labellers")


register = registering(REGISTRY)
"""Make a labeller known: ``@register("lammps")``."""


def check_settings(settings: Mapping[str, Any]) -> tuple[type[Labeller], Config]:
    """Return the labeller that settings name by ``kind``, and its configuration; raise ConfigError for wrong ones."""
    return check_kind(REGISTRY, settings, "calculator")


def file_checksums(settings: Mapping[str, Any], folder: Path) -> list[str]:
    """Return name and SHA-256 of each file that the settings of a labeller name: they may change while the settings stay.

    What settings name that is not here is left out: opening the labeller says so.

    Args:
        settings: ``kind`` and settings.
        folder: where relative file names in the settings begin.

    Raises:
        ConfigError: wrong settings.
        DataError: a file cannot be read.
    """
    labeller, config = check_settings(settings)
    try:
        found = labeller.files(config, folder)
    except UnnpError:
        return []
    return [f"{path.name} {file_checksum(path)}" for path in dict.fromkeys(found)]


def build_labeller(settings: Mapping[str, Any], folder: Path) -> Labeller:
    """Return the labeller of settings such as ``{"kind": "ase", "name": "emt"}``; raise ConfigError for wrong ones."""
    labeller, config = check_settings(settings)
    return labeller(config, folder)
