"""The contract of a reader and the registry that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.formats import ioformats

from unnp.errors import ConfigError, did_you_mean
from unnp.plugins.registry import Registry

COMPRESSIONS = (".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class Frame:
    """One frame of a file, as the file has it: nothing renamed, converted or checked.

    Attributes:
        atoms: positions, cell and elements.
        where: "file frame k", k counted from 0, for messages.
        sources: places that hold named values, for labels to be looked up in.
        types: (n_atoms,) numbers of the species, where the file numbers them; None: it names elements.
        elements_known: whether the file says, besides ``types``, which elements they are.
        remark: what is to be said of the file, a sentence; empty where all is plain.
        converged: whether the electronic steps converged; None: some of the file did not, but not which can be told.
    """

    atoms: Atoms
    where: str
    sources: Sequence[Mapping[str, Any]]
    types: np.ndarray | None = None
    elements_known: bool = True
    converged: bool | None = True
    remark: str = ""

    def names(self) -> list[str]:
        """Return the names of all values, sorted."""
        return sorted({str(name) for source in self.sources for name in source})


ReadFrames = Callable[[Path], Iterator[Frame]]


@dataclass(frozen=True)
class Reader:
    """A format: a function that yields the frames of a file, and the endings it is chosen for.

    Attributes:
        name: name that the format has in ``--format``.
        frames: yields the frames in order; raises DataError that names file and frame for a file it cannot read.
        suffixes: endings, without compression; empty: only by name, or where no other reader fits.
    """

    name: str
    frames: ReadFrames
    suffixes: tuple[str, ...] = ()


REGISTRY: Registry[Reader] = Registry("reader", "unnp.data.readers", "unnp.readers")
FALLBACK = "ase"
_SAME_AS = {"xyz": "extxyz", "db": "ase-db"}  # ASE's names of formats that have a reader of their own here


def register(name: str, suffixes: tuple[str, ...] = ()) -> Callable[[ReadFrames], ReadFrames]:
    """Make a function the reader of a format: ``@register("extxyz", (".xyz", ".extxyz"))``."""

    def add(frames: ReadFrames) -> ReadFrames:
        REGISTRY.add(name, Reader(name, frames, suffixes), frames.__module__)
        return frames

    return add


def readers() -> dict[str, Reader]:
    """Return all readers by name: those of this package and, as far as they can be imported, of ``unnp.readers``."""
    return REGISTRY.all()


def reader_for(path: Path, name: str | None) -> Reader:
    """Return the reader of a given name, or the one for the file's ending; raise ConfigError for an unknown name.

    The names are those of ``readers()`` and those that ASE gives the formats it reads, such as lammps-data.
    """
    known = readers()
    if name is None:
        bare = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
        fitting = [reader for reader in known.values() if bare.suffix.lower() in reader.suffixes]
        return fitting[0] if fitting else known[FALLBACK]
    name = _SAME_AS.get(name, name)
    if name in known:
        return known[name]
    of_ase = [kind for kind, ioformat in ioformats.items() if ioformat.can_read]
    if name not in of_ase:
        raise ConfigError(
            f"unknown format '{name}'; allowed: {', '.join(known)}, and the formats of ASE (`ase info --formats`)."
            f"{did_you_mean(name, [*known, *of_ase])}"
        )
    return Reader(name, partial(known[FALLBACK].frames, kind=name))  # type: ignore[call-arg]
