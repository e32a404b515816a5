"""Reading one log of `fix momt`, also one that was cut by a kill or that a restarted run went on with."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from unnp.config import from_dict
from unnp.errors import DataError
from unnp.units import BAR_PER_GPA

FORMAT = "# unnp momt log 1"
COLUMNS = ("step", "energy", "volume", "enthalpy", "order", "bias", "updates")
"""the columns that are read; a log has more"""
_HEAD, _TAIL = 4096, 8192
"""bytes that hold the titles, and the last row"""
_UNITS = {
    "metal": ("eV", "A", "K", "GPa"),
    "real": ("kcal/mol", "A", "K", "atm"),
    "lj": ("epsilon", "sigma", "epsilon/k", "epsilon/sigma^3"),
}
"""energy, length, temperature and pressure in which results are given, by LAMMPS unit style"""
MAX_BROKEN_LINES = 10
"""lines that kills may have cut; more mean that the file is no log or is damaged"""


class LogHeader(BaseModel):
    """The second line of a log. Units are those of the LAMMPS unit style.

    Attributes:
        mode: how the bias is made: opes, wt or wl.
        needs_freezing: whether samples have a known density only where that bias was frozen.
        order: name of the order parameter, or none.
        temperature: the thermostat's temperature, T0.
        pressure: reference pressure P0, None at constant volume.
        atoms: their number.
        boltzmann: k.
        nktv2p: pressure unit over energy unit / length unit^3.
        units: LAMMPS unit style.
    """

    model_config = ConfigDict(frozen=True)

    mode: str
    needs_freezing: bool
    order: str
    temperature: FiniteFloat = Field(gt=0)
    pressure: FiniteFloat | None
    atoms: int = Field(ge=1)
    boltzmann: FiniteFloat = Field(gt=0)
    nktv2p: FiniteFloat = Field(gt=0)
    units: str

    @property
    def reference_pressure(self) -> float | None:
        """P0 in energy / length^3."""
        return None if self.pressure is None else self.pressure / self.nktv2p


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
    style = f"({header.units} units)"
    names = _UNITS.get(header.units, (f"energy {style}", f"length {style}", "K", f"pressure {style}"))
    return UnitNames(*names, header.nktv2p / (BAR_PER_GPA if header.units == "metal" else 1.0))


@dataclass(frozen=True)
class MomtLog:
    """What one walker wrote.

    Attributes:
        header: the log's header.
        columns: each of COLUMNS, (n_rows,), steps ascending.
        n_broken: lines left out because a kill had cut them.
    """

    header: LogHeader
    columns: dict[str, np.ndarray]
    n_broken: int


def read_log(path: Path) -> MomtLog:
    """Read a log of `fix momt`. Of steps that were run twice, around a restart, the later rows are kept.

    Raises:
        DataError: there is no such file, it is not such a log, damaged, without rows, or holds numbers that are not finite.
        ConfigError: its header lacks something.
    """
    text = _complete_lines(path)
    comments = re.findall(rb"^#.*$", text, re.MULTILINE)
    header = _header(path, [line.decode(errors="replace") for line in comments])
    names = _titles(comments)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise DataError(f"{path}: the line of titles (the third) lacks {', '.join(missing)}; is the log complete?")
    rows, n_broken = _rows(path, text, len(names))
    table = {name: rows[:, names.index(name)] for name in COLUMNS}
    kept = _last_of_each_step(table["step"])
    log = MomtLog(header, {name: column[kept] for name, column in table.items()}, n_broken)
    _check_numbers(path, log)
    return log


def last_row(path: Path) -> dict[str, float] | None:
    """Return the last complete row of a log that may be growing, by title; None where there is none yet.

    Reads the beginning and the end of the file alone.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    titles = _titles(re.findall(rb"^#.*$", head, re.MULTILINE))
    for line in reversed(lines):
        words = line.split()
        if words and not line.startswith(b"#") and len(words) == len(titles):
            return dict(zip(titles, map(float, words), strict=True))
    return None


def _titles(comments: Sequence[bytes]) -> list[str]:
    """Return the titles of the columns, which are the third comment line; none where the log has not come so far."""
    return comments[2].decode(errors="replace").lstrip("# ").split() if len(comments) > 2 else []


def _complete_lines(path: Path) -> bytes:
    """Return the file up to its last end of line: what follows may be half a number."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from None
    complete = content[: content.rfind(b"\n") + 1]
    if not complete:
        raise DataError(f"{path} is empty; fix momt writes such a file with `log {path.name} STRIDE`.")
    return complete


def _header(path: Path, comments: list[str]) -> LogHeader:
    if not comments or not comments[0].startswith(FORMAT):
        raise DataError(f"{path} is no log of fix momt, or of another version: it should begin with '{FORMAT}'.")
    found = [line.lstrip("# ") for line in comments if line.lstrip("# ").startswith("{")]
    try:
        contents = [json.loads(line) for line in found]
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: a header is not valid JSON: {error}.") from None
    if not contents:
        raise DataError(f"{path} has no header line ('# {{...}}'); was the run killed as it began?")
    headers = [from_dict(content, LogHeader, where=f"{path}, header") for content in contents]
    for other in headers[1:]:
        check_equal_headers(headers[0], other, f"{path}: the run was continued with other settings")
    return headers[0]


def check_equal_headers(first: LogHeader, other: LogHeader, what: str) -> None:
    """Raise DataError, beginning with ``what``, that names the settings in which two headers differ."""
    ours, theirs = first.model_dump(), other.model_dump()
    differences = [f"{name} {ours[name]} and {theirs[name]}" for name in ours if ours[name] != theirs[name]]
    if differences:
        raise DataError(f"{what}: {'; '.join(differences)}. Samples of one analysis must share one ensemble.")


def _rows(path: Path, text: bytes, n_columns: int) -> tuple[np.ndarray, int]:
    """Return the numbers, (n_rows, n_columns), and how many broken lines were left out."""
    broken: list[int] = []
    if not re.search(rb"^[^#\s]", text, re.MULTILINE):
        raise DataError(f"{path} holds no rows yet; the run wrote none, or was killed as it began.")
    try:
        rows = np.loadtxt(io.BytesIO(text), comments="#", ndmin=2)
        if rows.shape[1] != n_columns:
            raise DataError(f"{path}: {n_columns} titles, but rows of {rows.shape[1]} numbers.")
    except ValueError:
        rows, broken = _unbroken_rows(text, n_columns)
    if len(broken) > MAX_BROKEN_LINES or not len(rows):
        raise DataError(
            f"{path}: {len(broken)} lines are not {n_columns} numbers, the first is line {broken[0]}. A kill cuts one "
            "line; this file is damaged. Take it from a backup, or analyse the other walkers."
        )
    return rows, len(broken)


def _unbroken_rows(text: bytes, n_columns: int) -> tuple[np.ndarray, list[int]]:
    rows, broken = [], []
    for number, line in enumerate(text.decode(errors="replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) == n_columns:
            rows.append(row)
        else:
            broken.append(number)
    return np.array(rows).reshape(-1, n_columns), broken


def _last_of_each_step(steps: np.ndarray) -> np.ndarray:
    """Return a mask of the rows after which no step as early, or earlier, follows."""
    earliest_later = np.minimum.accumulate(steps[::-1])[::-1]
    return np.append(steps[:-1] < earliest_later[1:], True)


def _check_numbers(path: Path, log: MomtLog) -> None:
    for name, column in log.columns.items():
        wrong = ~np.isfinite(column)
        if wrong.any():
            step = log.columns["step"][wrong][0]
            raise DataError(
                f"{path}: {int(wrong.sum())} rows hold a {name} that is not finite, the first at step {step:.0f}. The run "
                "has blown up there: take a smaller timestep or a lower maximum temperature, and run again."
            )
    expected = log.columns["energy"] + (log.header.reference_pressure or 0.0) * log.columns["volume"]
    tolerance = 1e-6 * (np.abs(expected) + log.header.boltzmann * log.header.temperature)
    if (np.abs(log.columns["enthalpy"] - expected) > tolerance).any():
        raise DataError(
            f"{path}: the enthalpies are not energy + pressure x volume with the pressure of the header; columns and header "
            "do not belong together."
        )
