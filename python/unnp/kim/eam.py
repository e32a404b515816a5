"""EAM tables out of OpenKIM models, as files that LAMMPS reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unnp.errors import DataError
from unnp.files.writing import write_atomically
from unnp.kim.models import KimModel, installed_models, read_model

DRIVER = "EAM_Dynamo__"
STYLES = {"funcfl": "eam", "setfl": "eam/alloy", "finnis-sinclair": "eam/fs"}
_FUNCFL_HEADER, _SETFL_HEADER = 3, 5


@dataclass(frozen=True)
class EamTable:
    """The table of a model of the driver EAM_Dynamo.

    Attributes:
        file: its name.
        content: as in the model, in DYNAMO's format; a remark behind the elements, which LAMMPS trips over, is left out.
        format: "funcfl" (one element), "setfl", or "finnis-sinclair" (a density for each pair of elements).
        elements: symbols in the order of the table.
        pair_style: LAMMPS' pair style that reads it.
    """

    file: str
    content: bytes
    format: str
    elements: tuple[str, ...]

    @property
    def pair_style(self) -> str:
        """What follows ``pair_style`` in LAMMPS."""
        return STYLES[self.format]

    def pair_coeff(self, elements: Sequence[str]) -> str:
        """Return what follows ``pair_coeff`` for atom types of these elements; raise DataError for one it has not."""
        absent = [symbol for symbol in elements if symbol not in self.elements]
        if absent:
            raise DataError(
                f"the KIM table {self.file} knows {', '.join(self.elements)}, not {', '.join(absent)}; `unnp kim list "
                f"{' '.join(elements)}` shows the models that know all of {', '.join(elements)}."
            )
        return f"* * {self.file}" if self.format == "funcfl" else f"* * {self.file} {' '.join(elements)}"


def eam_table(model: KimModel) -> EamTable:
    """Return the table of a model.

    Raises:
        DataError: it is no EAM potential in tables, or the table is not whole.
    """
    if not model.driver.startswith(DRIVER):
        driver = f"the driver {model.driver}" if model.driver else "code of its own"
        raise DataError(
            f"the KIM model {model.name} has {driver}, and only tables of {DRIVER.rstrip('_')} can be given to LAMMPS; "
            "for labels, `kind: kim` computes any model through kimpy."
        )
    if len(model.files) != 1:
        raise DataError(f"the KIM model {model.name} has {len(model.files)} tables, {', '.join(model.files)}, not one.")
    (name, content), *_ = model.files.items()
    lines = content.decode("latin-1").split("\n")
    found = _format(lines, model.elements)
    if found is None:
        raise DataError(
            f"the table {name} of the KIM model {model.name} is neither funcfl, setfl nor Finnis-Sinclair, or it is not whole."
        )
    form, elements = found
    if form != "funcfl":
        lines[3] = f"{len(elements)} {' '.join(elements)}"
        content = "\n".join(lines).encode("latin-1")
    return EamTable(name, content, form, elements)


def write_table(table: EamTable, folder: Path) -> Path:
    """Write a table into an existing folder and return its file."""
    write_atomically(folder / table.file, table.content)
    return folder / table.file


def style_of(model: KimModel) -> str:
    """Return the pair style of LAMMPS that reads the model's table, or an empty string where there is none."""
    try:
        return eam_table(model).pair_style
    except DataError:
        return ""


def find_models(elements: Sequence[str]) -> list[KimModel]:
    """Return the installed models that know all of these elements; those that cannot be read are left out."""
    found = []
    for name, path in installed_models().items():
        try:
            model = read_model(name, path)
        except DataError:
            continue
        if set(elements) <= set(model.elements):
            found.append(model)
    return found


def _format(lines: Sequence[str], elements: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the format and the elements of a table, told by how many numbers it has; None for none of them."""
    if len(lines) > _SETFL_HEADER and (symbols := _symbols(lines[3])):
        grid = _grid(lines[4])
        count, n = _count(lines[_SETFL_HEADER:]), len(symbols)
        if grid is not None:
            n_rho, n_r = grid
            pairs = n * (n + 1) // 2 * n_r
            for form, densities in (("setfl", n_r), ("finnis-sinclair", n * n_r)):
                # Of each element: number, mass, lattice constant and lattice, embedding energy, densities.
                if count == n * (4 + n_rho + densities) + pairs:
                    return form, tuple(symbols)
    if len(lines) > _FUNCFL_HEADER and len(elements) == 1 and (grid := _grid(lines[2])) is not None:
        n_rho, n_r = grid
        if _count(lines[_FUNCFL_HEADER:]) == n_rho + 2 * n_r:
            return "funcfl", tuple(elements)
    return None


def _symbols(line: str) -> list[str]:
    words = line.split()
    if not words or not words[0].isdigit() or int(words[0]) < 1 or len(words) <= int(words[0]):
        return []
    return words[1 : 1 + int(words[0])]


def _grid(line: str) -> tuple[int, int] | None:
    """Return how many points density and distance have in ``n_rho d_rho n_r d_r cutoff``."""
    words = line.split()
    if len(words) < 5 or not (words[0].isdigit() and words[2].isdigit()):
        return None
    return int(words[0]), int(words[2])


def _count(lines: Sequence[str]) -> int:
    return sum(len(line.split()) for line in lines)
