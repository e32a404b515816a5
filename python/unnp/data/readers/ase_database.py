"""ASE's SQLite databases, with the values a user has added to the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ase.db import connect

from unnp.data.readers.ase_formats import sources_of
from unnp.data.readers.base import Frame, register
from unnp.errors import DataError


@register("ase-db", (".db",))
def read_database(path: Path) -> Iterator[Frame]:
    """Yield the rows of a database in the order of their ids; frame k is the k-th row, not the row with the id k."""
    where = str(path)
    try:
        with connect(path, type="db", use_lock_file=False) as database:
            for k, row in enumerate(database.select(sort="id")):
                where = f"{path} frame {k} (id {row.id})"
                atoms = row.toatoms(add_additional_information=True)
                yield Frame(atoms, f"{path} frame {k}", sources_of(atoms, "db"))
    except Exception as error:  # SQLite and ASE raise what they stumble over
        raise DataError(f"{where}: cannot be read as an ASE database ({error}). Is the file complete?") from None
