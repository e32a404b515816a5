"""The archive that an exported model is: checked, and its manifest read, before torch sees any of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from unnp.core import model_files
from unnp.errors import ModelError, in_one_line
from unnp.exported.manifest import Manifest


@dataclass(frozen=True)
class CheckedFile:
    """A model file whose archive, records, pickles and code are such as an export writes.

    Attributes:
        path: the file.
        manifest: what the file says about itself.
        content: all its bytes; what was checked is what torch is given.
        members: names of the methods and attributes of its code.
    """

    path: Path
    manifest: Manifest
    content: bytes
    members: set[str]


def read_manifest(path: str | Path) -> Manifest:
    """Return the manifest of an exported model without running any of the model's code.

    Raises:
        ModelError: no regular file, not TorchScript, not ours, damaged, or with contents that no export writes.
        UnnpError: the compiled part of unnp is not installed.
    """
    return inspect(path).manifest


def inspect(path: str | Path) -> CheckedFile:
    """Read a model file and check all of it, as LAMMPS does; errors as of ``read_manifest``."""
    path = Path(path)
    name = source_name(path)
    try:
        file = model_files().read_model_file(os.fsencode(path), name)
    except RuntimeError as error:
        raise ModelError(str(error)) from None
    return CheckedFile(path, Manifest.from_json(file.manifest, name), file.content, file.members)


def checksum_of(content: bytes) -> str:
    """Return the checksum that the manifest of these bytes of an exported file has to hold."""
    return str(model_files().checksum_of(content))


def source_name(path: Path) -> str:
    """Return a path as messages name it."""
    return in_one_line(os.fsencode(path).decode(errors="backslashreplace"), limit=400)
