"""``unnp eam``: a table of the EAM potentials of 16 metals for LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    elements: Annotated[
        list[str],
        typer.Argument(help="Elements of Cu Ag Au Ni Pd Pt Al Pb Fe Mo Ta W Mg Co Ti Zr, in the order wanted."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, for instance CuNi.eam.alloy.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output where it exists.")] = False,
) -> None:
    """Write a table of the EAM potentials of Zhou, Johnson and Wadley (2004) for pair_style eam/alloy."""
    from unnp.eam import write_setfl
    from unnp.errors import DataError

    if output.exists() and not overwrite:
        raise DataError(f"{output} exists; choose another name, or overwrite it (--overwrite).")
    write_setfl(elements, output)
    print(f"Wrote {output}; cite X. W. Zhou, R. A. Johnson, H. N. G. Wadley, Phys. Rev. B 69, 144113 (2004).")
    print(f"units           metal\npair_style      eam/alloy\npair_coeff      * * {output.name} {' '.join(elements)}")
