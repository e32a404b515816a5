"""``unnp elastic``: lattice, equation of state and elastic constants of a crystal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import D3, Device, Head, ReferenceD3, dispersion


def command(
    potential: Annotated[Path, typer.Argument(help="Exported model, or calculator file of `unnp data label` (.yaml).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for elastic.json and the figure.")],
    reference: Annotated[
        Path | None, typer.Option(help="Potential to compare with: exported model or calculator file.")
    ] = None,
    structure: Annotated[Path | None, typer.Option(help="Crystal: a file any reader knows, its last frame.")] = None,
    element: Annotated[str | None, typer.Option(help="Crystal of one element, instead of a file.")] = None,
    lattice: Annotated[str | None, typer.Option(help="fcc, bcc, hcp, diamond ...; default: the element's own.")] = None,
    a: Annotated[float | None, typer.Option("-a", help="Lattice constant to begin with [A].")] = None,
    c: Annotated[float | None, typer.Option("-c", help="Second lattice constant of hcp and the like [A].")] = None,
    device: Device = "auto",
    head: Head = None,
    reference_head: Annotated[str | None, typer.Option(help="That of the reference, where it is a model.")] = None,
    d3: D3 = None,
    reference_d3: ReferenceD3 = None,
) -> None:
    """Relax a crystal and compute its elastic constants, for one potential or two.

    Models are evaluated in float64. The atoms relax in each strained cell, all of them: constraints in the file do not count.
    """
    from unnp.adapters.opening import names_of, open_beside, open_calculator
    from unnp.cli.tables import print_table
    from unnp.config import from_dict
    from unnp.files.locks import hold_folder
    from unnp.files.writing import make_folder
    from unnp.lammps.system import build_structure
    from unnp.lammps.system_config import StructureConfig
    from unnp.workflows.elastic.report import comparison, write_elastic
    from unnp.workflows.elastic.run import elastic_properties

    asked = {"file": structure, "element": element, "lattice": lattice, "a": a, "c": c, "fixed": "none"}
    crystal = build_structure(from_dict(asked, StructureConfig, where="the crystal's options"), Path())
    make_folder(output)  # said before the work, not after it, where it cannot be made
    potentials = [(potential, head, dispersion(d3))]
    calculators = [open_calculator(potential, head, device, dispersion(d3))]
    if reference is not None:
        potentials.append((reference, reference_head, dispersion(reference_d3)))
        calculators.append(open_beside(reference, reference_head, device, dispersion(reference_d3)))
    with hold_folder(output):
        results = {
            name: elastic_properties(crystal, calculator)
            for name, calculator in zip(names_of(potentials), calculators, strict=True)
        }
        write_elastic(output, results)
    header = ["", *results, *(["deviation"] if len(results) == 2 else [])]
    print_table(f"{crystal.get_chemical_formula(empirical=True)} at zero pressure", header, comparison(results))
    print(f"Numbers and figure: {output}")
