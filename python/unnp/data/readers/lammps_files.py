"""What ASE does not ask of LAMMPS' files: which elements the types are, and in which units the numbers stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, chemical_symbols

from unnp.atoms.elements import is_symbol
from unnp.data.readers.text import head_of, lines_of
from unnp.errors import DataError, in_one_line

DUMPS = ("lammps-dump-text", "lammps-dump-binary")
DATA = "lammps-data"
_MOST_TYPES = 1000
_LABEL = "typelabel"
_DEFAULT_ELEMENT = "C"  # what LAMMPS writes for all types where dump_modify names no elements


@dataclass
class TypesAndUnits:
    """What a LAMMPS file says of its types.

    Attributes:
        element_of_type: chemical symbols by type, as far as a data file says them.
        elements_known: whether a dump says its elements, or the masses of elements.
        labelled: whether a dump has a column of type labels, which ASE cannot read.
        units: unit style; metal where the file says nothing.
        units_said: whether the file says its units.
        keywords: what ASE's reader needs to know.
    """

    element_of_type: dict[int, str] = field(default_factory=dict)
    elements_known: bool = False
    labelled: bool = False
    units: str = "metal"
    units_said: bool = True
    keywords: dict[str, Any] = field(default_factory=dict)


def is_data_file(path: Path) -> bool:
    """Tell whether the head of a file is that of a LAMMPS data file: a number of atoms, and the bounds of a box."""
    head = head_of(path)
    has_atoms = re.search(r"^\s*\d+\s+atoms\b", head, re.MULTILINE)
    return bool(has_atoms and re.search(r"^\s*\S+\s+\S+\s+xlo\s+xhi\b|\bavec\b", head, re.MULTILINE))


def look_into(path: Path, kind: str) -> TypesAndUnits:
    """Return what a file of a kind says of types and units; raise DataError where it cannot be read."""
    if kind == DATA:
        return _look_into_data(path)
    if kind == "lammps-dump-text":
        return _look_into_dump(path)
    return TypesAndUnits()  # a binary dump has numbers only


def element_of_mass(mass: float) -> str | None:
    """Return the element of a mass [amu]; None where none is near, as for the masses of reduced units."""
    z = int(np.argmin(np.abs(atomic_masses[1:] - mass))) + 1
    near = abs(float(atomic_masses[z]) - mass) <= min(0.05, 0.005 * mass)
    return chemical_symbols[z] if near else None


def _look_into_data(path: Path) -> TypesAndUnits:
    lines = lines_of(path, errors="replace")
    units = re.search(r"units = (\w+)", next(lines, ""))
    masses: dict[int, str] = {}
    labels: dict[int, str] = {}
    into: dict[int, str] | None = None
    for line in lines:
        words = line.partition("#")[0].split()
        if words and words[0][0].isalpha():
            into = {"Masses": masses, "Atom Type Labels": labels}.get(" ".join(words))
        elif into is not None and len(words) == 2 and words[0].isdigit():
            into[int(words[0])] = words[1]
    found = {t: symbol for t, mass in masses.items() if (symbol := _element_of_text(mass))}
    found.update({t: label for t, label in labels.items() if is_symbol(label)})
    # ASE would take the nearest element whatever the mass is, and types for atomic numbers where there is none. It sorts by
    # id without the labels of the types, so that elements land on other atoms: it is sorted here (``by_id``).
    same = {t: t for t in [*masses, *labels] or range(1, _MOST_TYPES)}
    keywords = {"Z_of_type": same, "sort_by_id": False}
    return TypesAndUnits(found, units=units[1] if units else "metal", keywords=keywords)


def _element_of_text(mass: str) -> str | None:
    try:
        return element_of_mass(float(mass))
    except ValueError:
        return None


def _look_into_dump(path: Path) -> TypesAndUnits:
    units, said, known, labelled, numbered = "metal", False, True, False, True
    columns: list[str] | None = None
    elements: dict[str, str] = {}
    lines = lines_of(path, errors="replace")
    for line in lines:
        if line.startswith("ITEM:"):
            columns = line.split()[2:] if line.startswith("ITEM: ATOMS") else None
            if columns is not None:
                known = known and not {"element", "mass", _LABEL}.isdisjoint(columns)
                labelled, numbered = labelled or _LABEL in columns, numbered and "type" in columns
            if line.startswith("ITEM: UNITS"):
                units, said = next(lines, "").strip(), True
        elif columns is not None and known:
            known = _says_element(line.split(), columns, elements)
    if labelled and not known and not numbered:
        raise DataError(
            f"{path} labels its types ({in_one_line(', '.join(elements.values()), 60)}), but not with elements. Label types "
            "with their elements, or write the column `type` as well and give --read elements='[Al, Ni]'."
        )
    by_default = len(elements) > 1 and set(elements.values()) == {_DEFAULT_ELEMENT}
    return TypesAndUnits(elements_known=known and not by_default, labelled=labelled, units=units, units_said=said)


def _says_element(row: list[str], columns: list[str], elements: dict[str, str]) -> bool:
    """Note which element the type of a row is said to be; return False where it is none."""
    if len(row) != len(columns):
        return True  # ASE will say that the file is damaged
    values = dict(zip(columns, row, strict=True))
    said = values.get("element") or values.get(_LABEL) or _element_of_text(values["mass"])
    if said is None:
        return False
    elements[values.get("type", "")] = said
    return "element" in values or is_symbol(said)


def without_labels(path: Path, of_lammps: TypesAndUnits) -> StringIO:
    """Return a dump as ASE reads it: its type labels are the elements where they say them, and left out otherwise."""
    return StringIO("".join(_without_labels(lines_of(path), of_lammps.elements_known)))


def _without_labels(lines: Iterable[str], are_elements: bool) -> Iterator[str]:
    left_out: slice | None = None
    for line in lines:
        words = line.split()
        if line.startswith("ITEM:"):
            at = words.index(_LABEL) if words[1:2] == ["ATOMS"] and _LABEL in words else None
            renamed = at is not None and are_elements and "element" not in words
            left_out = None if at is None or renamed else slice(at - 2, at - 1)
            yield " ".join("element" if renamed and w == _LABEL else w for w in words if renamed or w != _LABEL) + "\n"
        else:
            if left_out is not None:
                del words[left_out]
            yield " ".join(words) + "\n"


def by_id(atoms: Atoms) -> Atoms:
    """Return the atoms of a data file in the order of their ids."""
    return atoms[np.argsort(atoms.arrays["id"], kind="stable")]


def numbers_of_masses(masses: np.ndarray) -> np.ndarray | None:
    """Return the atomic numbers of masses [amu], None where one is that of no element."""
    symbols = [element_of_mass(float(mass)) for mass in masses]
    return None if None in symbols else np.array([chemical_symbols.index(str(s)) for s in symbols], dtype=np.int64)


def only_default_elements(atoms: Atoms) -> bool:
    """Tell whether all atoms are the carbon that LAMMPS writes where nobody names elements, with masses of something else."""
    is_default = set(atoms.get_chemical_symbols()) == {_DEFAULT_ELEMENT}
    carbon = atomic_masses[chemical_symbols.index(_DEFAULT_ELEMENT)]
    return is_default and not np.allclose(atoms.get_masses(), carbon, atol=0.1)


def numbers_of_types(types: Iterable[int], element_of_type: dict[int, str]) -> np.ndarray | None:
    """Return the atomic numbers of types, None where a type has no element."""
    types = list(types)
    if not set(types) <= set(element_of_type):
        return None
    return np.array([chemical_symbols.index(element_of_type[t]) for t in types], dtype=np.int64)
