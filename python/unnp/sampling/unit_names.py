"""What results are printed in, for each LAMMPS unit style."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from unnp.sampling.log_file import LogHeader
from unnp.units import BAR_PER_GPA


@dataclass(frozen=True)
class UnitNames:
    """Names of units, and the pressure unit in energy / length^3.

    Attributes:
        energy, length, temperature, pressure: names.
        pressure_factor: pressure in that unit = pressure in energy / length^3 times this.
    """

    energy: str
    length: str
    temperature: str
    pressure: str
    pressure_factor: float

    def to_dict(self) -> dict[str, str]:
        """Return the names, for a JSON file."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, str)}


def unit_names(header: LogHeader) -> UnitNames:
    """Return the units of a log: GPa for metal, otherwise those of the LAMMPS unit style itself."""
    if header.units == "metal":
        return UnitNames("eV", "A", "K", "GPa", header.nktv2p / BAR_PER_GPA)
    if header.units == "real":
        return UnitNames("kcal/mol", "A", "K", "atm", header.nktv2p)
    if header.units == "lj":
        return UnitNames("epsilon", "sigma", "epsilon/k", "epsilon/sigma^3", header.nktv2p)
    style = f"({header.units} units)"
    return UnitNames(f"energy {style}", f"length {style}", "K", f"pressure {style}", header.nktv2p)
