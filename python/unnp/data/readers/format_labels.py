"""Which labels the formats of ASE hold. What a format does not hold, ASE has made up: LAMMPS dumps get an energy of 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ase.io.formats import ioformats

_ALL = frozenset({"energy", "free_energy", "forces", "stress"})
_WITHOUT_STRESS = frozenset({"energy", "free_energy", "forces"})
_ENERGY = frozenset({"energy", "free_energy"})
_FORCES = frozenset({"forces"})

# Formats of ASE that are not listed hold no labels: structures, trajectories of classical programs, input files.
LABELS: dict[str, frozenset[str]] = {
    "abinit-gsr": _ALL,
    "abinit-out": _ALL,
    "acemolecule-out": _WITHOUT_STRESS,
    "aims-output": _ALL,
    "castep-castep": _ALL,
    "castep-geom": _ALL,
    "castep-md": _ALL,
    "dacapo-text": _ENERGY,
    "db": _ALL,
    "dlp-history": _FORCES,
    "dlp4": _FORCES,
    "elk": _ALL,
    "espresso-out": _ALL,
    "exciting": _ALL,
    "extxyz": _ALL,
    "gamess-us-out": _WITHOUT_STRESS,
    "gamess-us-punch": _WITHOUT_STRESS,
    "gaussian-out": _WITHOUT_STRESS,
    "gpaw-out": _ALL,
    "json": _ALL,
    "lammps-dump-binary": _FORCES,
    "lammps-dump-text": _FORCES,
    "nomad-json": _ALL,
    "nwchem-out": _ALL,
    "onetep-out": _ALL,
    "orca-output": _WITHOUT_STRESS,
    "qbox": _ALL,
    "res": _ENERGY,
    "runnerdata": _WITHOUT_STRESS,
    "traj": _ALL,
    "turbomole-gradient": _WITHOUT_STRESS,
    "vasp-out": _ALL,
    "vasp-xml": _ALL,
    "xsf": _FORCES,
}


def held_by(kind: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of a calculator that a format holds; a format that is not part of ASE is believed."""
    if kind not in LABELS and not ioformats[kind].module_name.startswith("ase.io."):
        return dict(results)
    unheld = _ALL - LABELS.get(kind, frozenset())
    return {name: value for name, value in results.items() if name not in unheld}
