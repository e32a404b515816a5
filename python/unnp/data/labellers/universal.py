"""Labels from a universal potential of others, in this environment or in one of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from unnp.atoms.elements import symbols_of
from unnp.atoms.enclosing import enclosing_cell
from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.texts import Device, Line
from unnp.data.labellers.base import FurtherLabels, Labeller, register
from unnp.data.teachers.catalogue import Entry, Weights, find_teacher
from unnp.data.teachers.process import TeacherProcess, check_interpreter
from unnp.data.teachers.serve import CannotBeginError, Teacher
from unnp.errors import ConfigError, DataError, UnnpError

VACUUM = 10.0
"""Room on each side of atoms along directions that are not periodic [A]: images are beyond the cutoff of every teacher."""

RECORD = ("zero", "licence", "citation")
"""Settings that say what nobody knows of weights from a file but their user."""


class UniversalConfig(Config):
    """A universal potential of others."""

    name: str
    """Teacher: chgnet, sevennet, mace, m3gnet, mattersim, or one of the entry-point group `unnp.teachers`."""
    model: str | None = None
    """Weights: a name inside the package (default: its first) or the path of a file or folder."""
    head: str | None = None
    """Level of theory inside the weights, where they have several: a head of MACE, a modality of SevenNet."""
    device: Device = "auto"
    """Where it runs: auto, cpu, cuda or cuda:N."""
    python: Path | None = None
    """Python of another environment that has the package, for instance `envs/mace/bin/python`; default: this one."""
    theory: Line | None = None
    """Level of theory, for the record, of weights from a file."""
    zero: Line | None = None
    """Zero of energy, for the record, of weights from a file: `total energies of VASP with the corrections MP2020`."""
    licence: Line | None = None
    """Licence of weights from a file, for the record, beside that of the package."""
    citation: Line | None = None
    """Publication of weights from a file, for the record, beside that of the package."""
    labels: FurtherLabels = Field(default_factory=list)
    """Further labels to take over, e.g. `[magnetic_moments]`, where it gives them."""


@register("universal")
class UniversalLabeller(Labeller):
    """Labels from the ASE calculator of a package, called here, or in a process of another Python."""

    Config = UniversalConfig

    def __init__(self, config: UniversalConfig, folder: Path) -> None:
        super().__init__(config, folder)
        entry = find_teacher(config.name)
        self._weights = _weights(entry, config, folder)
        self._teacher = _open(config, folder, entry.file, self._weights.place)
        self._module = entry.module
        self._properties = {name: QUANTITIES[name].ase for name in ("energy", "forces", "stress", *config.labels)}
        for name, property_ in self._properties.items():
            if property_ not in self._teacher.description["properties"]:
                raise ConfigError(f"the teacher '{config.name}' does not give {name}; leave it out of `labels`.")

    @classmethod
    def files(cls, config: UniversalConfig, folder: Path) -> list[Path]:
        weights = find_teacher(config.name).weights(config.model, folder)
        place = Path(weights.place)
        if not weights.from_file:
            return []
        return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]

    @property
    def elements(self) -> list[str]:
        return [str(symbol) for symbol in self._teacher.description["elements"]]

    @property
    def origin(self) -> dict[str, str]:
        head = f" {self.config.head}" if self.config.head else ""
        found = {
            "name": f"{self.config.name} {self._weights.name}{head}",
            "package": str(self._teacher.description["package"]),
            "level of theory": self.config.theory or self._weights.theory,
            "zero of energy": self.config.zero or self._weights.zero,
            "licence": _both(self._module.LICENCE, self.config.licence),
            "citation": _both(self._module.CITATION, self.config.citation),
            "elements": " ".join(self.elements),
            "sha256 of the weights": self._weights.checksum,
        }
        return {name: text for name, text in found.items() if text}

    def compute(self, structure: Structure) -> dict[str, Any]:
        where = structure.source or "structure"
        if strange := [symbol for symbol in symbols_of(structure.numbers) if symbol not in self.elements]:
            raise DataError(
                f"{where} contains {', '.join(strange)}, which the teacher '{self.config.name}' does not know."
            )
        try:
            answered = self._teacher.answer(self._request(structure))
        except UnnpError as error:
            raise UnnpError(f"{where}: {self.config.name} failed: {error}.") from None
        if "error" in answered:
            raise UnnpError(f"{where}: {self.config.name} failed ({answered['error']}).")
        return {name: answered.get("labels", {}).get(property_) for name, property_ in self._properties.items()}

    def close(self) -> None:
        if isinstance(self._teacher, TeacherProcess):
            self._teacher.close()

    def _request(self, structure: Structure) -> dict[str, Any]:
        cell, origin = enclosing_cell(structure, VACUUM)  # packages disagree about what is not periodic
        return {
            "numbers": structure.numbers.tolist(),
            "positions": (structure.positions - origin).tolist(),
            "cell": cell.tolist(),
            "properties": list(self._properties.values()),
        }


def _weights(entry: Entry, config: UniversalConfig, folder: Path) -> Weights:
    """Return the weights; raise ConfigError where the record is given of weights that are known."""
    weights = entry.weights(config.model, folder)
    if not weights.from_file and (given := [name for name in RECORD if getattr(config, name) is not None]):
        raise ConfigError(
            f"{', '.join(given)}: of the weights '{weights.name}' inside the package of {entry.name} it is known; leave out "
            "what is for weights from a file."
        )
    return weights


def _both(of_package: str, of_weights: str | None) -> str:
    return of_package if of_weights is None else f"{of_package}; weights: {of_weights}"


def _open(config: UniversalConfig, folder: Path, file: str, weights: str) -> Teacher | TeacherProcess:
    arguments = {"file": file, "weights": weights, "head": config.head, "device": config.device}
    try:
        if config.python is None:
            return Teacher(**arguments)  # type: ignore[arg-type]
        return TeacherProcess(check_interpreter(folder / config.python.expanduser()), arguments)
    except (CannotBeginError, UnnpError) as error:
        raise ConfigError(f"the teacher '{config.name}' cannot be used: {error}.") from None
