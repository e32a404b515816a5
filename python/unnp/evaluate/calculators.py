"""How good a calculator of ASE is on labelled structures: the tables and figures of a model, one structure after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import voigt_6_to_full_3x3_stress

from unnp.atoms.elements import Elements, elements_of, symbols_of
from unnp.atoms.quantities import FURTHER, QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset, Labels
from unnp.data.fingerprint import fingerprint
from unnp.data.journal import Journal
from unnp.data.labelling import JOURNAL_FILE, work_folder
from unnp.data.recorded import entry_of, forget_damaged, with_entry
from unnp.derivatives import Prediction
from unnp.errors import ModelError, UnnpError
from unnp.evaluate.comparison import Compared, write_comparison
from unnp.evaluate.stress_offset import offsets_in_stored_units, without_offset
from unnp.files.locks import hold_folder

ARBITRARY_CUTOFF = 1.0
"""Length of bonds [A] in the graphs that predictions of potentials without graphs are compared with: any will do."""
MOST_ELEMENTS = 10
"""So many elements are listed in a message."""


def evaluate_calculator(
    calculator: Calculator,
    name: str,
    structures: Sequence[Structure],
    folder: Path,
    elements: Sequence[str] = (),
    offset: Mapping[str, float] | None = None,
    *,
    identity: str = "",
    align: bool = False,
) -> dict[str, Any]:
    """Evaluate a calculator, write what it gives into a folder and return the errors, as ``evaluation.evaluate`` does.

    What is computed is kept beside the folder until all is written (``labelling.work_folder``): called again with the same
    structures and potential after it was killed, only the rest is computed.

    Args:
        calculator: gives energy, forces and, where it has one, stress in one calculation.
        name: of the potential, for messages.
        structures, folder, offset, align: as of ``evaluate``.
        elements: chemical symbols that it knows; none: it does not say.
        identity: what tells it from other potentials, as ``potentials.identity`` of its file.

    Raises:
        ModelError: a structure has an element that it does not know.
        DataError: energies are to be aligned, and no structure has one; or unfinished work beside the folder is of others.
        UnnpError: a calculation failed, or the folder cannot be written.
    """
    _check_elements(name, structures, elements)
    quantities = given_by(calculator)
    dataset = without_graphs(structures, quantities)
    work = work_folder(folder)
    with hold_folder(work), Journal(work / JOURNAL_FILE, fingerprint(structures, identity)) as journal:
        computed = _remembered(journal, structures, partial(computed_by, calculator, quantities=quantities))
        errors = write_comparison(of_labels(dataset, computed, offset), dataset, folder, "cpu", align=align)
    shutil.rmtree(work, ignore_errors=True)
    return errors


def given_by(calculator: Calculator) -> list[str]:
    """Return the names of the quantities that a calculator can be compared in."""
    return [*STANDARD, *(name for name in FURTHER if QUANTITIES[name].ase in calculator.implemented_properties)]


def without_graphs(structures: Sequence[Structure], quantities: Sequence[str] = STANDARD) -> Dataset:
    """Return structures as a data set for comparisons with what needs no bonds."""
    elements = Elements(elements_of(structures))
    return Dataset(structures, elements, ARBITRARY_CUTOFF, cache_bytes=0, quantities=quantities)


def of_labels(
    dataset: Dataset, computed: Iterable[Structure], offset: Mapping[str, float] | None = None
) -> Iterator[Compared]:
    """Yield the same structures with the labels of a potential, in their order, as its predictions, one to a batch.

    Args:
        dataset: structures with labels.
        computed: the same, with those of the potential.
        offset: constant tension [GPa] by group that is taken off the stress labels of the dataset.
    """
    offsets = offsets_in_stored_units(dataset.groups, offset or {})
    for k, structure in zip(range(len(dataset)), computed, strict=True):
        yield [k], without_offset(dataset[k], offsets), _prediction(structure, dataset.quantities)


def _prediction(computed: Structure, quantities: Sequence[str]) -> Prediction:
    labels = Labels.of(computed, 0, quantities)
    found = {name: labels[name] for name in quantities if computed.label(name) is not None}
    of_atoms = found.get("atomic_energy", torch.full((len(computed),), torch.nan, dtype=torch.float64))
    outputs = {name: value for name, value in found.items() if QUANTITIES[name].origin == "head"}
    return Prediction(labels["energy"], of_atoms, found.get("forces"), found.get("stress"), outputs=outputs)


def _remembered(
    journal: Journal, structures: Sequence[Structure], compute: Callable[[Structure], Structure]
) -> Iterator[Structure]:
    """Yield the structures with what the journal has of them, or, computed and recorded now, what it has not."""
    forget_damaged(journal.finished, structures)
    for k, structure in enumerate(structures):
        if k not in journal.finished:
            journal.add(k, entry_of(compute(structure)))
        yield with_entry(structure, journal.finished[k])


def computed_by(calculator: Calculator, structure: Structure, quantities: Sequence[str] = STANDARD) -> Structure:
    """Return a structure with what a calculator gives of these quantities in the place of its labels."""
    names = {QUANTITIES[name].ase: name for name in quantities}
    try:
        # Stress comes with the forces, where there is one; asked for where there is none, it would be an error.
        calculator.calculate(structure.to_atoms(), [name for name in names if name != "stress"], all_changes)
    except UnnpError as error:
        raise type(error)(f"{structure.source or 'structure'}: {error}") from None
    found = {names[name]: value for name, value in calculator.results.items() if name in names}
    if "stress" in found:
        found["stress"] = voigt_6_to_full_3x3_stress(found["stress"])
    return structure.with_labels({**dict.fromkeys(QUANTITIES), **found})


def _check_elements(name: str, structures: Sequence[Structure], elements: Sequence[str]) -> None:
    """Raise ModelError where structures have an element that is not among those, if there are any."""
    for k, structure in enumerate(structures if elements else ()):
        if strange := [symbol for symbol in symbols_of(structure.numbers) if symbol not in elements]:
            listed = ", ".join(elements) if len(elements) <= MOST_ELEMENTS else f"{len(elements)} others"
            raise ModelError(
                f"{structure.source or f'structure {k}'} contains {', '.join(strange)}, but {name} knows only {listed}. Leave "
                "such structures out, or take a potential that knows them."
            )
