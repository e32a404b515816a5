"""How labels are named in a file, in which units they are, and which have to be there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from unnp.atoms.elements import atomic_number
from unnp.atoms.quantities import FURTHER, QUANTITIES, STANDARD, Quantity
from unnp.atoms.voigt import VoigtOrder
from unnp.config import Config
from unnp.errors import DataError, unknown
from unnp.units import ENERGY_TO_EV, LENGTH_TO_A, STRESS_TO_EV_PER_A3

REQUIRABLE = (*QUANTITIES, "group", "any")


class ReadOptions(Config):
    """How to read labelled structures. Values that ASE has converted (everything but extxyz) are in eV and Angstrom."""

    format: str | None = None
    """Format: extxyz, ase-db, or any name of ASE's, e.g. lammps-data; default: by the file's ending and content."""
    energy_key: str = "energy"
    """Name of the total energy; `free_energy` is taken only where it is asked for here."""
    forces_key: str = "forces"
    """Name of the forces."""
    forces_weight_key: str = "forces_weight"
    """Name of the factors on the forces of single atoms in the loss; 0: the forces on an atom do not count."""
    stress_key: str = "stress"
    """Name of the stress, 3x3, 9 numbers or 6 in Voigt order."""
    virial_key: str | None = None
    """Name of the virial `W = -V * stress`, in energy units; read instead of the stress."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Further labels to be read, by what they are: the name in the file, e.g. `{charges: bader}`; in e, mu_B and the units
    below."""
    group_key: str = "group"
    """Name of the subset a structure belongs to."""
    default_group: str = ""
    """Group of structures that name none."""
    energy_unit: str = "eV"
    """Unit of energy and virial."""
    length_unit: str = "A"
    """Unit of positions and cell."""
    forces_unit: str | None = None
    """Unit of forces, `<energy unit>/<length unit>`; default: made of the two above."""
    stress_unit: str = "eV/A^3"
    """Unit of stress."""
    stress_sign: Literal["tension", "compression"] = "tension"
    """Which sense of the stress is positive in the file."""
    voigt_order: VoigtOrder = "ase"
    """Order of 6 numbers: ase xx yy zz yz xz xy, vasp xx yy zz xy yz xz, lammps xx yy zz xy xz yz."""
    elements: tuple[str, ...] | dict[int, str] | None = None
    """Elements of the types 1, 2, ... of files that number their species (LAMMPS), e.g. `[Al, Ni]` or `{1: Al, 2: Ni}`."""
    unconverged: Literal["leave_out", "keep", "error"] = "leave_out"
    """What to do with steps of VASP, Quantum ESPRESSO, GPAW and others whose electronic steps did not converge."""
    required: tuple[str, ...] = ("energy", "forces")
    """Labels every structure must have, or `group`; `any`: the first has some label, others what they have."""
    missing: Literal["error", "allow"] = "error"
    """What to do where a required label is missing, or a label is there in some structures only."""

    @field_validator("labels")
    @classmethod
    def _further(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            if name in STANDARD:
                raise ValueError(f"give the name of the {name} with {name}_key")
            if name not in FURTHER:
                raise ValueError(unknown("label", name, FURTHER))
        return labels

    @field_validator("required")
    @classmethod
    def _required(cls, required: tuple[str, ...]) -> tuple[str, ...]:
        for name in required:
            if name not in REQUIRABLE:
                raise ValueError(unknown("label", name, REQUIRABLE))
        return required

    @field_validator("energy_unit")
    @classmethod
    def _energy_unit(cls, unit: str) -> str:
        return _known("energy unit", unit, ENERGY_TO_EV)

    @field_validator("length_unit")
    @classmethod
    def _length_unit(cls, unit: str) -> str:
        return _known("length unit", unit, LENGTH_TO_A)

    @field_validator("stress_unit")
    @classmethod
    def _stress_unit(cls, unit: str) -> str:
        return _known("stress unit", unit, STRESS_TO_EV_PER_A3)

    @field_validator("forces_unit")
    @classmethod
    def _forces_unit(cls, unit: str | None) -> str | None:
        if unit is not None:
            energy, _, length = unit.rpartition("/")
            _known("energy unit in forces_unit", energy, ENERGY_TO_EV)
            _known("length unit in forces_unit", length, LENGTH_TO_A)
        return unit

    @field_validator("elements", mode="before")
    @classmethod
    def _words(cls, elements: object) -> object:
        return elements.replace(",", " ").split() if isinstance(elements, str) else elements

    @field_validator("elements")
    @classmethod
    def _elements(cls, elements: tuple[str, ...] | dict[int, str] | None) -> tuple[str, ...] | dict[int, str] | None:
        if elements is not None:
            symbols = list(elements.values()) if isinstance(elements, dict) else elements
            if not symbols:
                raise ValueError("give at least one element")
            for symbol in symbols:
                _known_element(symbol)
        return elements

    @model_validator(mode="after")
    def _stress_or_virial(self) -> ReadOptions:
        if self.virial_key is not None and "stress_key" in self.model_fields_set:
            raise ValueError("give either stress_key or virial_key, not both")
        return self

    @property
    def element_of_type(self) -> dict[int, str] | None:
        """Chemical symbols by the number of the type; None where none are given."""
        if self.elements is None or isinstance(self.elements, dict):
            return self.elements
        return dict(enumerate(self.elements, start=1))

    @property
    def energy_factor(self) -> float:
        """Energy unit of the file in eV."""
        return ENERGY_TO_EV[self.energy_unit]

    @property
    def length_factor(self) -> float:
        """Length unit of the file in A."""
        return LENGTH_TO_A[self.length_unit]

    @property
    def keys(self) -> dict[str, str]:
        """Names of the labels in the file by quantity; without the stress where it is made of a virial."""
        standard = {name: getattr(self, f"{name}_key") for name in STANDARD}
        if self.virial_key is not None:
            del standard["stress"]
        return standard | self.labels

    def factor_of(self, quantity: Quantity) -> float:
        """Return the unit that the file has for a quantity, in ours; negative where it counts compression positive."""
        factors = {"eV": self.energy_factor, "eV/A": self._forces_factor, "eV/A^3": self._stress_factor}
        return factors.get(quantity.unit, 1.0)

    @property
    def _forces_factor(self) -> float:
        if self.forces_unit is None:
            return self.energy_factor / self.length_factor
        energy, _, length = self.forces_unit.rpartition("/")
        return ENERGY_TO_EV[energy] / LENGTH_TO_A[length]

    @property
    def _stress_factor(self) -> float:
        return STRESS_TO_EV_PER_A3[self.stress_unit] * (1.0 if self.stress_sign == "tension" else -1.0)


def _known_element(symbol: str) -> None:
    try:
        atomic_number(symbol)
    except DataError as error:
        raise ValueError(str(error)) from None


def _known(what: str, given: str, allowed: dict[str, float]) -> str:
    if given not in allowed:
        raise ValueError(unknown(what, given, allowed))
    return given


UNLABELLED = ReadOptions(required=(), missing="allow", unconverged="keep")
"""For files whose labels, if any, do not matter."""
