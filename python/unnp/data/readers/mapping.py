"""From a frame of a file to a structure in our units, every number checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.data import atomic_numbers

from unnp.atoms.quantities import FURTHER, QUANTITIES, Quantity
from unnp.atoms.structure import LARGEST_LABEL, Structure
from unnp.atoms.voigt import tensor_of
from unnp.data.readers.base import Frame
from unnp.data.readers.options import ReadOptions
from unnp.errors import DataError, did_you_mean, in_one_line


def structure_of(frame: Frame, options: ReadOptions) -> Structure:
    """Return the structure of a frame with the labels that are there.

    Raises:
        DataError: a label is not finite (forces may be NaN on atoms that have none), has the wrong shape or stands in
            the frame twice with different values; the stress is not symmetric; there are no atoms, unknown elements, or
            positions or cell that are not finite.
    """
    structure = _geometry(frame, options)
    structure.forces_weight = _forces_weight(frame, options)
    structure.group = _group(frame, options)
    labels = {name: _label(frame, QUANTITIES[name], key, options) for name, key in options.keys.items()}
    if options.virial_key is not None:
        labels["stress"] = _stress_of_virial(frame, structure, options)
    return structure.with_labels(labels)


def describe_missing(frame: Frame, label: str, options: ReadOptions) -> str:
    """Return the message for a label that a frame lacks: where, which name was looked for, which names there are."""
    if label in FURTHER and label not in options.labels:
        return (
            f"{frame.where} has no {label}: files are not searched for it. Say how it is called in the file: "
            f"--read labels='{{{label}: NAME}}', in YAML read: {{labels: {{{label}: NAME}}}}."
        )
    option = "virial_key" if label == "stress" and options.virial_key else f"{label}_key"
    key = options.labels[label] if label in FURTHER else str(getattr(options, option))
    option = "labels" if label in FURTHER else option
    names = frame.names()
    if key in names:
        return f"{frame.where} has no {label}: '{key}' is NaN on all atoms. Repair or remove the frame, or set missing: allow."
    listed = f"It has: {', '.join(names)}." if names else "It has no labels at all."
    return (
        f"{frame.where} has no {label} (looked for '{key}').{did_you_mean(key, names)} {listed} Give the name with "
        f"{option}, or leave {label} out of the required labels, or set missing: allow."
    )


def _geometry(frame: Frame, options: ReadOptions) -> Structure:
    structure = Structure.from_atoms(frame.atoms)
    structure.source = frame.where
    structure.numbers = _numbers_of_elements(frame, options)
    structure.positions = structure.positions * options.length_factor
    structure.cell = structure.cell * options.length_factor
    if not len(structure):
        raise DataError(f"{frame.where} has no atoms; remove the frame.")
    if (structure.numbers < 1).any():
        raise DataError(f"{frame.where} has atoms that are no chemical element (X); name their elements in the file.")
    if not (np.isfinite(structure.positions).all() and np.isfinite(structure.cell).all()):
        raise DataError(f"{frame.where}: positions or cell are not finite; repair or remove the frame.")
    if np.all(structure.pbc) and structure.volume < 1e-6:
        raise DataError(f"{frame.where} is periodic but its cell has no volume; give the cell, or pbc F F F.")
    return structure


def _numbers_of_elements(frame: Frame, options: ReadOptions) -> np.ndarray:
    """Return the atomic numbers; elements that the options give for types win over those in the file."""
    element_of_type = options.element_of_type
    if frame.types is None or (frame.elements_known and element_of_type is None):
        return frame.atoms.numbers.copy()
    present = [int(t) for t in np.unique(frame.types)]
    listed = in_one_line(", ".join(map(str, present)), 60)
    if element_of_type is None:
        raise DataError(
            f"{frame.where} numbers its species ({listed}) and does not say which elements they are. Give the elements "
            "of the types 1, 2, ... in their order: --read elements='[Al, Ni]', in YAML read: {elements: [Al, Ni]}."
        )
    for number in present:
        if number not in element_of_type:
            raise DataError(
                f"{frame.where} has the types {listed}, but elements says nothing of type {number}; give the elements "
                "of all types, in their order."
            )
    return np.array([atomic_numbers[element_of_type[int(t)]] for t in frame.types], dtype=np.int64)


def _lookup(frame: Frame, key: str, label: str) -> Any:
    """Return the value of a name, None where it is absent; the same name with different values is an error."""
    found = [source[key] for source in frame.sources if source.get(key) is not None]
    if not found:
        return None
    for other in found[1:]:
        if not _equal(found[0], other):
            raise DataError(
                f"{frame.where} has '{key}' twice, with different values; give the {label} a name of its own."
            )
    return found[0]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return str(a) == str(b)
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-10, atol=0.0, equal_nan=True))


def _numbers(frame: Frame, key: str, label: str, factor: float, *, nan_is_absent: bool = False) -> np.ndarray | None:
    """Return a label as float64 in our unit; anything but finite numbers (or NaN, where allowed) is an error."""
    value = _lookup(frame, key, label)
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise DataError(f"{frame.where}: {label} ('{key}') is not a number: {str(value)[:60]!r}.")
    array = array.astype(np.float64)
    if not (np.isfinite(array) | (nan_is_absent & np.isnan(array))).all():
        raise DataError(
            f"{frame.where}: {label} ('{key}') is not finite (NaN or infinite); repair or remove the frame."
        )
    if array.size and np.abs(array * factor).max() > LARGEST_LABEL:
        raise DataError(
            f"{frame.where}: {label} ('{key}') holds {np.abs(array).max():g}, which cannot be; repair or remove the frame."
        )
    return array * factor


def _label(frame: Frame, quantity: Quantity, key: str, options: ReadOptions) -> float | np.ndarray | None:
    """Return a label in the shape of its quantity, in our unit; None where there is none.

    On single atoms NaN in all numbers means that the atom has none, and NaN on all atoms that there is no label at all.
    """
    if quantity.symmetric:
        return _tensor(frame, quantity.name, key, options, options.factor_of(quantity))
    found = _numbers(frame, key, quantity.name, options.factor_of(quantity), nan_is_absent=quantity.per_atom)
    if found is None:
        return None
    lead = (len(frame.atoms),) if quantity.per_atom else ()
    expected, in_a_row = (*lead, *quantity.shape), (*lead, *([int(np.prod(quantity.shape))] if quantity.shape else []))
    if found.shape not in (expected, in_a_row) and not found.size == 1 == np.prod(expected):
        want = f"have the shape {expected}" if expected else "be one number"
        has = str(found.shape) if expected else str(found.size)
        raise DataError(f"{frame.where}: {quantity.words} must {want}, '{key}' has {has}.")
    values = found.reshape(expected)
    if not quantity.per_atom:
        return values if quantity.shape else float(values)
    absent = np.isnan(values).reshape(len(values), -1)
    partly = np.flatnonzero(absent.any(axis=1) & ~absent.all(axis=1))
    if len(partly):
        name = quantity.words
        raise DataError(
            f"{frame.where}: {name} ('{key}') of atom {partly[0]} are NaN in some components only; an atom without {name} "
            "has NaN in all of them. Repair or remove the frame."
        )
    return None if absent.all() else values


def _forces_weight(frame: Frame, options: ReadOptions) -> np.ndarray | None:
    weight = _numbers(frame, options.forces_weight_key, "forces_weight", 1.0)
    if weight is None:
        return None
    if weight.shape != (len(frame.atoms),) or (weight < 0).any():
        raise DataError(
            f"{frame.where}: '{options.forces_weight_key}' must be one number, zero or more, for each of the "
            f"{len(frame.atoms)} atoms."
        )
    return weight


def _tensor(frame: Frame, label: str, key: str, options: ReadOptions, factor: float) -> np.ndarray | None:
    """Return a symmetric 3x3 tensor from 3x3, 9 or 6 numbers."""
    value = _numbers(frame, key, label, factor)
    if value is None:
        return None
    if value.shape == (6,):
        return tensor_of(value, options.voigt_order)
    if value.shape not in ((9,), (3, 3)):
        raise DataError(f"{frame.where}: {label} must be 6, 9 or 3x3 numbers, '{key}' has the shape {value.shape}.")
    tensor = value.reshape(3, 3)
    if np.abs(tensor - tensor.T).max() > 1e-4 * max(np.abs(tensor).max(), 1e-3 * abs(factor)):
        raise DataError(f"{frame.where}: {label} ('{key}') is not symmetric; check what the numbers are.")
    return 0.5 * (tensor + tensor.T)


def _stress_of_virial(frame: Frame, structure: Structure, options: ReadOptions) -> np.ndarray | None:
    assert options.virial_key is not None
    virial = _tensor(frame, "virial", options.virial_key, options, options.energy_factor)
    if virial is None:
        return None
    if not np.all(structure.pbc):
        raise DataError(
            f"{frame.where}: a virial gives a stress only where the structure is periodic in all three directions; "
            "set pbc in the file, or leave virial_key out."
        )
    return -virial / structure.volume


def _group(frame: Frame, options: ReadOptions) -> str:
    group = _lookup(frame, options.group_key, "group")
    if group is None:
        return options.default_group
    if np.ndim(group) != 0:
        raise DataError(f"{frame.where}: group ('{options.group_key}') must be one word, got {str(group)[:60]!r}.")
    return str(group)
