"""Errors of any potential on labelled structures, in the columns of the field's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch

from unnp.adapters.opening import open_calculator
from unnp.atoms.elements import elements_of
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.data.dataset import Batch
from unnp.data.labellers import Labeller
from unnp.data.labellers.kim import KimConfig, KimLabeller
from unnp.data.labellers.lammps_pair_style import LammpsLabeller
from unnp.data.labellers.lammps_simulation import PairStyle
from unnp.derivatives import Prediction
from unnp.errors import ConfigError, UnnpError
from unnp.evaluate.calculators import computed_by, of_labels, without_graphs
from unnp.evaluate.evaluation import Limits, compared, labelled
from unnp.evaluate.metrics import Metrics
from unnp.exported.loader import load_model
from unnp.lammps.system_config import InteractionConfig
from unnp.workflows.benchmark.columns import COLUMNS, FORCE_NORMS


class Errors:
    """Running mean absolute errors: those of ``unnp.evaluate.metrics.Metrics``, and of force norms.

    The latter is the mean of ``| |F| - |F_ref| |`` over atoms (Takamoto et al., HME21).

    Args:
        groups, elements, device: as for ``Metrics``.
    """

    def __init__(self, groups: Sequence[str], elements: Sequence[str], device: torch.device | str = "cpu") -> None:
        self._metrics = Metrics(groups, elements, device)
        self._norms = torch.zeros(2, dtype=torch.float64, device=device)  # sum of |error|, and count

    def update(self, prediction: Prediction, batch: Batch) -> None:
        """Add a batch."""
        self._metrics.update(prediction, batch)
        if prediction.forces is None:
            return
        counting = batch.mask(QUANTITIES["forces"]).all(dim=1)
        own, reference = prediction.forces.double()[counting], batch.labels["forces"][counting]
        error = (own.norm(dim=1) - reference.norm(dim=1)).abs()
        self._norms += torch.stack([error.sum(), counting.sum()])

    def result(self) -> dict[str, float]:
        """Return the errors by the names of ``columns.COLUMNS``; those without a label are left out."""
        found = {name: values["mae"] for name, values in self._metrics.result()["overall"].items()}
        total, n_atoms = self._norms.tolist()
        if n_atoms:
            found[FORCE_NORMS] = QUANTITIES["forces"].errors_in[1] * total / n_atoms
        return {name: found[name] for name in COLUMNS if name in found}


def errors_of(
    potential: InteractionConfig, structures: Sequence[Structure], base: Path, device: str
) -> dict[str, float]:
    """Return the errors of a potential on structures; energies of a pair style count from its own zero.

    Args:
        potential: exported model, from whose errors the constant is taken that its training has found in stress labels;
            or pair style, or potential of OpenKIM.
        structures: with labels.
        base: where relative paths in the settings begin.
        device: where a model runs.

    Raises:
        UnnpError: the potential cannot be run, or does not know an element.
    """
    if potential.d3 is not None:
        return _errors_with_d3(potential, structures, base, device)
    if potential.model is not None:
        return errors_of_model(base / potential.model, structures, device, potential.dtype, potential.head)
    labeller = _labeller(potential, structures, base)
    try:
        return errors_of_labels(structures, (labeller.label(s) for s in structures))
    finally:
        labeller.close()


def check_peer(name: str, peer: InteractionConfig, structures: Sequence[Structure], base: Path, device: str) -> None:
    """Run a peer on few structures that have all elements; raise ConfigError, with its name, where that fails."""
    few, seen = [], set[int]()
    for structure in sorted(structures, key=len):
        if not seen.issuperset(structure.numbers.tolist()):
            few.append(structure)
            seen.update(structure.numbers.tolist())
    try:
        errors_of(peer, few, base, device)
    except UnnpError as error:
        raise ConfigError(f"models.{name}: {error}") from None


def errors_of_labels(
    structures: Sequence[Structure], computed: Iterable[Structure], offset: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the errors of the energies, forces and stresses that the same structures have been given.

    ``offset`` is taken off the stress labels, as by ``evaluation.evaluate``.
    """
    dataset = without_graphs(structures)
    errors = Errors(dataset.groups, dataset.elements.symbols)
    for _, batch, prediction in of_labels(dataset, computed, offset):
        errors.update(prediction, batch)
    return errors.result()


def errors_of_model(
    path: Path, structures: Sequence[Structure], device: str, dtype: str, head: str | None
) -> dict[str, float]:
    potential = load_model(path, device, dtype, head)
    dataset = labelled(potential, structures)
    errors = Errors(dataset.groups, potential.elements.symbols, potential.device)
    for _, batch, prediction in compared(potential, dataset, Limits(), potential.stress_offset):
        errors.update(prediction, batch)
    return errors.result()


def _errors_with_d3(
    potential: InteractionConfig, structures: Sequence[Structure], base: Path, device: str
) -> dict[str, float]:
    """Return the errors of a model with D3 on top, as ASE adds it: in LAMMPS it is the same to 6 digits."""
    assert potential.model is not None
    path = base / potential.model
    calculator = open_calculator(path, potential.head, device, potential.d3, potential.dtype)
    offset = load_model(path, device, potential.dtype, potential.head).stress_offset
    return errors_of_labels(structures, (computed_by(calculator, structure) for structure in structures), offset)


def _labeller(peer: InteractionConfig, structures: Sequence[Structure], base: Path) -> Labeller:
    if peer.kim is not None:
        return KimLabeller(KimConfig(model=peer.kim), base)
    elements = peer.elements or elements_of(structures)
    coefficients = [line.replace("{elements}", " ".join(elements)) for line in peer.pair_coeff]
    return LammpsLabeller(PairStyle(elements=elements, pair_style=peer.pair_style or "", pair_coeff=coefficients), base)
