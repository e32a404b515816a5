"""ASE calculator on an exported model."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.atoms.verlet_list import VerletList
from unnp.derivatives import Prediction
from unnp.errors import DataError, ModelError
from unnp.exported.deviation import deviation_of
from unnp.exported.finiteness import NotFiniteError, check_finite
from unnp.exported.loader import LoadedPotential, load_model
from unnp.models.validity import closer_than_seen

logger = logging.getLogger(__name__)

DERIVATIVES = {"forces", "stress", "stresses"}


class CalculationError(NotFiniteError, CalculationFailed):
    """A model gives NaN or infinite numbers; what catches errors of ASE's calculators catches this too."""


@dataclass
class CommitteeResult:
    """How far the members of a committee disagree about a structure.

    Attributes:
        energies: (n_members,) [eV].
        forces: (n_members, n_atoms, 3) [eV/A].
        energy_deviation: standard deviation of the energies per atom [eV/atom].
        force_deviation: (n_atoms,) [eV/A], ``sqrt(<|F_i - <F_i>|^2>)`` over members.

    Both deviations hold the factors of the model's calibration, where it has one.
    """

    energies: np.ndarray
    forces: np.ndarray
    energy_deviation: float
    force_deviation: np.ndarray


class UnnpCalculator(Calculator):
    """ASE calculator: energy, forces, stress, per-atom energies and stresses, and trained outputs, as ``charges``.

    ``stress`` is ``(1/V) dE/d(strain)`` [eV/A^3], positive in tension, in Voigt order xx yy zz yz xz xy. ``stresses``
    are the atoms' parts of it, also divided by the volume of the cell, so that they sum to ``stress`` (as in ASE's
    Lennard-Jones). Both need a cell with a volume; its directions need not be periodic: a slab's stress is per volume
    of its cell, vacuum included.

    A calculator can be copied and pickled, for pools of processes; what is pickled is the path of the model, and the file
    is opened again where it is first needed.

    Args:
        model: file written by ``unnp export``, or one already opened by ``unnp.exported.loader.load_model``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype: ``model`` (what the file holds), ``float32`` or ``float64``.
        skin: extra reach [A] of the neighbour list, which is kept until an atom has moved by half of it.
        head: name of the level of theory; None: the model's first, or that of an opened model.

    Raises:
        ModelError: the file is no exported model; in a calculation: an element the model does not know, or (also a
            ``CalculationFailed`` of ASE) energy, forces or stress that are not finite.
        DataError: in a calculation: positions or cell are not finite.
    """

    name = "unnp"
    implemented_properties = [  # noqa: RUF012 - ASE declares it so
        "energy", "free_energy", "energies", "forces", "stress", "stresses",
    ]  # fmt: skip

    def __init__(
        self,
        model: str | Path | LoadedPotential,
        device: str = "auto",
        dtype: str = "model",
        skin: float = 1.0,
        head: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(model, LoadedPotential):
            device, dtype = str(model.device), str(model.dtype).removeprefix("torch.")
            head = model.manifest.heads[model.head].name
        self._potential: LoadedPotential | None = (
            model if isinstance(model, LoadedPotential) else load_model(model, device, dtype, head)
        )
        self._opened_as = (str(self._potential.path.resolve()), device, dtype, head)
        self._manifest = self._potential.manifest
        self._trained = {QUANTITIES[name].ase: name for name in self._potential.quantities}
        self.implemented_properties = [*type(self).implemented_properties, *self._trained]
        self._list = VerletList(self._manifest.cutoff, skin)
        self._has_warned = False

    @property
    def potential(self) -> LoadedPotential:
        """The model; of a calculator that was pickled, opened at the first use."""
        if self._potential is None:
            self._potential = load_model(*self._opened_as)
            if self._potential.manifest != self._manifest:
                raise ModelError(
                    f"{self._opened_as[0]} is another model than the one this calculator was made with: the file has been "
                    "replaced. Make the calculator again."
                )
        return self._potential

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_potential": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__ = copy.deepcopy(self.__getstate__(), memo)
        twin._potential = self._potential  # never changed, so shared
        return twin

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill ``results``: with what is asked for, or everything; forces and stress come together.

        Args:
            atoms: the structure; None: the one of the last calculation.
            properties: names of ``implemented_properties``; None: all that the structure has.
            system_changes: what has changed since the last calculation.
        """
        properties = self.implemented_properties if properties is None else properties
        super().calculate(atoms, properties, system_changes)
        if self.atoms is None:
            raise DataError("there is nothing to calculate; give the atoms: calculate(atoms).")
        with_stresses = "stresses" in properties
        graph = self._graph(self.atoms)
        self._say_where_it_extrapolates(graph)
        prediction = self.potential.predict(
            graph,
            derivatives=bool(DERIVATIVES.intersection(properties)),
            atomic_virial=with_stresses,
            outputs=bool(self._trained.keys() & set(properties)),
        )
        volume = float(graph.volume[0])
        stress = prediction.stress if np.isfinite(volume) else None
        self._check(prediction, graph)
        energy = float(prediction.energy[0])
        self.results = {"energy": energy, "free_energy": energy, "energies": _numpy(prediction.atomic_energy)}
        for name, quantity in self._trained.items():
            if quantity in prediction.outputs:
                value = _numpy(prediction.outputs[quantity])
                self.results[name] = value if QUANTITIES[quantity].per_atom else value[0]
        if prediction.forces is not None:
            self.results["forces"] = _numpy(prediction.forces)
        if stress is None:
            return
        self.results["stress"] = full_3x3_to_voigt_6_stress(_numpy(stress[0]))
        if prediction.atomic_virial is not None:
            stresses = -_numpy(prediction.atomic_virial) / volume
            self.results["stresses"] = full_3x3_to_voigt_6_stress(stresses)

    def committee(self, atoms: Atoms) -> CommitteeResult:
        """Return every member's energies and forces and how far they disagree; a committee of one does not."""
        graph = self._graph(atoms)
        energies, forces = self.potential.members(graph)
        # Derivatives of all are taken together, so that NaN of one spoils those of the others: first that one.
        for k in sorted(range(len(energies)), key=lambda k: bool(torch.isfinite(energies[k]).all())):
            share = energies[k] / max(len(atoms), 1)  # members have no energies of atoms
            self._check(
                Prediction(energies[k], share.expand(len(atoms)), forces[k]), graph, f", member {k} of the committee"
            )
        found = deviation_of(energies, forces, graph, self.potential)
        of_energy, of_forces = float(found.energy_deviation[0]), _numpy(found.force_deviation)
        return CommitteeResult(_numpy(energies), _numpy(forces), of_energy, of_forces)

    def _check(self, prediction: Prediction, graph: Graph, member: str = "") -> None:
        try:
            check_finite(prediction, graph, self.potential.elements, f"{self.potential.path}{member}")
        except NotFiniteError as error:
            self.results = {}
            raise CalculationError(str(error)) from None

    def _say_where_it_extrapolates(self, graph: Graph) -> None:
        """Warn, once for each calculator, of atoms that are closer than in the training data."""
        if self._has_warned:
            return
        text = closer_than_seen(self._manifest.data, self._manifest.elements, graph)
        self._has_warned = bool(text)
        if text:
            logger.warning("%s: %s", self.potential.path, text)

    def _graph(self, atoms: Atoms) -> Graph:
        structure = Structure.from_atoms(atoms)
        species = self.potential.elements.species(structure.numbers)
        index, vectors = self._list.bonds(structure)
        volume = atoms.get_volume() if atoms.cell.rank == 3 else np.nan
        return Graph(
            torch.from_numpy(species),
            torch.from_numpy(np.ascontiguousarray(index)),
            torch.from_numpy(np.ascontiguousarray(vectors)),
            torch.zeros(len(structure), dtype=torch.int64),
            torch.tensor([volume], dtype=torch.float64),
        )


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().to("cpu", torch.float64).numpy()
