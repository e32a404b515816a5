"""Models of OpenKIM that are installed on this machine, and the files inside them.

A portable model of the KIM API (https://openkim.org) is a shared library with its parameter files in it. The symbol
``kim_shared_library_schema``, version 2, says where: the structure below is that of KIM_SharedLibrarySchema.hpp.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unnp.errors import DataError, did_you_mean

INSTALL = (
    "Install the KIM API with its models: on Debian and Ubuntu `apt-get install openkim-models`, with conda "
    "`conda install -c conda-forge kim-api openkim-models`; a single model with `kim-api-collections-management install "
    "user MODEL`. Elsewhere installed: name the folders in KIM_API_PORTABLE_MODELS_DIR. Or download the potential's "
    "file from openkim.org and use `pair_style` and `pair_coeff`."
)
LIBRARY = "libkim-api-portable-model.so"
SCHEMA_VERSION = 2
_PLACES = (
    "/usr/lib/*/kim-api/portable-models",
    "/usr/lib/kim-api/portable-models",
    "/usr/lib64/kim-api/portable-models",
    "/usr/local/lib*/kim-api/portable-models",
)
_CODE = re.compile(r"__(MO_\d{12}_\d{3})$")


@dataclass(frozen=True)
class KimModel:
    """A portable model.

    Attributes:
        name: its extended KIM identifier.
        path: path to its library.
        driver: extended identifier of the model driver, empty where it has none.
        elements: chemical symbols it knows, in the order in which the model says them.
        files: content of its parameter files by name.
        metadata: content of the files that describe it by name, among them a bibliography.
    """

    name: str
    path: Path
    driver: str
    elements: tuple[str, ...]
    files: dict[str, bytes] = field(repr=False)
    metadata: dict[str, bytes] = field(repr=False)

    @property
    def title(self) -> str:
        """One line about it, empty where it has none."""
        # The titles of publications stand deeper in.
        found = re.search(r'^[ {]"title"\s+"([^"]*)"', self._description, re.MULTILINE)
        return found[1] if found else ""

    @property
    def citations(self) -> list[str]:
        """DOIs of the publications it comes from, and its own."""
        return list(dict.fromkeys(re.findall(r'"doi"\s+"([^"]+)"', self._description)))

    @property
    def _description(self) -> str:
        return self.metadata.get("kimspec.edn", b"").decode(errors="replace")


def model_folders() -> list[Path]:
    """Return the folders with portable models: KIM_API_PORTABLE_MODELS_DIR, the user's, this Python's, the system's."""
    named = [Path(p) for p in os.environ.get("KIM_API_PORTABLE_MODELS_DIR", "").split(os.pathsep) if p]
    own = sorted(Path.home().glob(".kim-api/*/portable-models-dir"))
    inside = [Path(sys.prefix) / "lib/kim-api/portable-models"]
    system = [path for pattern in _PLACES for path in sorted(Path("/").glob(pattern.lstrip("/")))]
    return [path for path in dict.fromkeys([*named, *own, *inside, *system]) if path.is_dir()]


def installed_models() -> dict[str, Path]:
    """Return the libraries of all installed models by name, sorted."""
    libraries = [path for folder in reversed(model_folders()) for path in folder.glob(f"*/{LIBRARY}")]
    return dict(sorted((path.parent.name, path) for path in libraries))


def find_model(name: str) -> KimModel:
    """Return an installed model.

    Args:
        name: extended KIM identifier, ``EAM_Dynamo_..._NiNb__MO_047308317761_000``, or its code ``MO_047308317761_000``.

    Raises:
        DataError: no models are installed, none of this name is, or it cannot be read.
    """
    models = installed_models()
    if not models:
        raise DataError(f"the KIM model '{name}' was asked for, but no OpenKIM models are installed. {INSTALL}")
    codes = {found[1]: known for known in models if (found := _CODE.search(known))}
    full = codes.get(name, name)
    if full not in models:
        raise DataError(
            f"the KIM model '{name}' is not among the {len(models)} installed ones."
            f"{did_you_mean(name, models)} `unnp kim list` shows them; `kim-api-collections-management install user "
            f"{name}` fetches it from openkim.org."
        )
    return read_model(full, models[full])


def read_model(name: str, path: Path) -> KimModel:
    """Return what the library of a portable model holds; raise DataError where it cannot be read."""
    try:
        library = ctypes.CDLL(str(path))
        version = ctypes.c_int.in_dll(library, "kim_shared_library_schema_version").value
        if version != SCHEMA_VERSION:
            raise DataError(f"the KIM model {path} has schema version {version}, but {SCHEMA_VERSION} is known.")
        schema = _Schema.in_dll(library, "kim_shared_library_schema")
    except (OSError, ValueError) as error:
        raise DataError(
            f"the KIM model {path} cannot be loaded ({error}); is the KIM API installed? {INSTALL}"
        ) from None
    metadata = dict(_embedded(schema.metadata, schema.n_metadata))
    description = metadata.get("kimspec.edn", b"").decode(errors="replace")
    listed = re.search(r'"species"\s*\[([^\]]*)\]', description)
    elements = tuple(re.findall(r'"(\w+)"', listed[1])) if listed else ()
    files = dict(_embedded(schema.files, schema.n_files))
    return KimModel(name, path, (schema.driver or b"").decode(), elements, files, metadata)


def log_errors_only(model: KimModel) -> None:
    """Keep the KIM API from writing every step of its own to ``kim.log`` in the working directory."""
    library = ctypes.CDLL(str(model.path))  # symbols of the KIM API are found through it
    with contextlib.suppress(AttributeError, ValueError):  # another version of the API writes its log as it likes
        library.KIM_Log_PushDefaultVerbosity(_Verbosity.in_dll(library, "KIM_LOG_VERBOSITY_error"))


class _Verbosity(ctypes.Structure):
    _fields_ = (("level", ctypes.c_int),)


class _EmbeddedFile(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("length", ctypes.c_uint), ("content", ctypes.c_void_p))


class _Schema(ctypes.Structure):
    _fields_ = (
        ("item_type", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("language", ctypes.c_int),
        ("create", ctypes.c_void_p),
        ("driver", ctypes.c_char_p),
        ("simulator_model", ctypes.c_void_p),
        ("n_files", ctypes.c_int),
        ("files", ctypes.POINTER(_EmbeddedFile)),
        ("n_metadata", ctypes.c_int),
        ("metadata", ctypes.POINTER(_EmbeddedFile)),
    )


def _embedded(files: Any, n_files: int) -> Iterator[tuple[str, bytes]]:
    for k in range(n_files):
        # A name is the last part of a path: it must not lead out of the folder it is written to.
        yield Path(files[k].name.decode()).name, ctypes.string_at(files[k].content, files[k].length)
