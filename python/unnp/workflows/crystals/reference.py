"""Crystals from files: given ones to relax, and tables to compare with, in YAML, CSV, or as ``unnp crystals`` wrote them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from unnp.adapters.opening import CALCULATOR_SUFFIXES
from unnp.config import Config, from_dict
from unnp.config.base import read_yaml
from unnp.errors import ConfigError
from unnp.files.writing import read_json
from unnp.lammps.system import build_structure
from unnp.lammps.system_config import StructureConfig
from unnp.workflows.crystals.prototypes import PROTOTYPES, CrystalSpec, canonical

TABLE_SUFFIXES = (".csv", ".json")
LARGEST_TABLE = 4_000_000


class ReferenceCrystal(Config):
    """What is known of a crystal; what is not is left out, or an empty cell of a CSV file."""

    energy: float | None = None
    """energy [eV/atom]"""
    bond: float | None = Field(default=None, gt=0)
    """shortest distance between atoms [A]"""
    shell: float | None = Field(default=None, gt=0)
    """mean of all distances up to 1.12 times the shortest [A]"""
    volume: float | None = Field(default=None, gt=0)
    """volume [A^3/atom]"""
    c_over_a: float | None = Field(default=None, gt=0)
    """ratio of the lattice constants, where it is not cubic"""
    bulk_modulus: float | None = None
    """bulk modulus [GPa]"""
    bulk_modulus_derivative: float | None = None
    """derivative of the bulk modulus with respect to pressure"""


def given_crystals(paths: Sequence[Path]) -> list[CrystalSpec]:
    """Return crystals to begin with from structure files, the last frame of each, named after the files.

    Raises:
        DataError: a file cannot be read.
        ConfigError: two of them would have one name.
    """
    found: dict[str, CrystalSpec] = {}
    for path in paths:
        atoms = build_structure(StructureConfig(file=path, fixed="none"), Path())
        formula = atoms.get_chemical_formula("metal", empirical=True)
        spec = CrystalSpec(formula, re.sub(r"[^\w.+-]", "_", path.stem), given=atoms)
        if spec.kind in PROTOTYPES or spec.name in found:
            raise ConfigError(f"{path}: there is another crystal {spec.name}; give the file another name.")
        found[spec.name] = spec
    return list(found.values())


def is_table(path: Path) -> bool:
    """Tell whether a file is a table of crystals rather than a potential; raise ConfigError for unreadable YAML."""
    if path.suffix in CALCULATOR_SUFFIXES:
        return "kind" not in read_yaml(path)
    return path.suffix in TABLE_SUFFIXES


def load_reference(path: Path, specs: Sequence[CrystalSpec]) -> dict[str, dict[str, float]]:
    """Return numbers of crystals, in the units of ``QUANTITIES``, by the names that ``specs`` have for them.

    Args:
        path: ``.yaml`` (``fcc: {energy: -3.411, bond: 2.86}``), ``.csv`` (a column ``crystal`` and one for each number), or
            ``crystals.json`` of an earlier run.
        specs: the crystals asked for; the table may have others. Its names may leave out the formula where all asked for
            have the same.

    Raises:
        ConfigError: the file cannot be read, a name or a number in it is wrong, or it has none of the crystals.
    """
    rows = {".csv": _csv_rows, ".json": _json_rows}.get(path.suffix, read_yaml)(path)
    found = {}
    for text, row in rows.items():
        if not isinstance(row, dict):
            raise ConfigError(f"{path}: {text}: give numbers by name, for instance {{energy: -3.411, bond: 2.86}}.")
        numbers = from_dict(row, ReferenceCrystal, where=f"{path}: {text}").model_dump(exclude_none=True)
        found[_name(str(text), specs, path)] = numbers
    if not any(spec.name in found for spec in specs):
        raise ConfigError(f"{path} has none of the crystals asked for ({', '.join(spec.name for spec in specs)}).")
    return {spec.name: found[spec.name] for spec in specs if spec.name in found}


def _name(text: str, specs: Sequence[CrystalSpec], path: Path) -> str:
    formulas = {spec.formula for spec in specs}
    given = {spec.name: spec.name for spec in specs} | {spec.name.partition(":")[2]: spec.name for spec in specs}
    if text in given and (":" in text or len(formulas) == 1):
        return given[text]
    name = canonical(text)
    if ":" not in name:
        if len(formulas) > 1:
            raise ConfigError(f"{path}: '{text}' is of which element? Write for instance {min(formulas)}:{text}.")
        name = f"{formulas.pop()}:{name}"
    return name


def _csv_rows(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = file.read(LARGEST_TABLE).splitlines()
        rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None
    if any(not row.get("crystal") or None in row for row in rows):
        raise ConfigError(f"{path}: give a line of headings, among them `crystal`, and no more cells than those.")
    return {
        row["crystal"]: {key: value for key, value in row.items() if key != "crystal" and value not in ("", None)}
        for row in rows
    }


def _json_rows(path: Path) -> dict[str, Any]:
    try:
        crystals = read_json(path)["crystals"]
        return {name: crystal["numbers"] for name, crystal in crystals.items() if not crystal["problem"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no crystals.json of `unnp crystals` ({type(error).__name__}: {error}).") from None
