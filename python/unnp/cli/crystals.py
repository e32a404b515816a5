"""``unnp crystals``: relaxed crystals of a potential, their order of stability and equations of state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unnp.cli.options import D3, Device, Head, ReferenceD3, dispersion

if TYPE_CHECKING:
    from unnp.workflows.crystals.run import Result

DEFAULT = ["fcc", "bcc", "hcp", "hcp@sqrt(3)", "sc", "diamond"]
MOST_ELEMENTS = 16
"""A universal potential is not asked for the crystals of everything it knows."""


def command(
    potential: Annotated[Path, typer.Argument(help="Exported model, or calculator file of `unnp data label` (.yaml).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for crystals.json, structures and figure.")],
    element: Annotated[
        list[str] | None, typer.Option(help="Element of crystals without a formula; default: those of the potential.")
    ] = None,
    crystal: Annotated[
        list[str] | None,
        typer.Option(
            "-x",
            "--crystal",
            metavar="[FORMULA:]PROTOTYPE[@C/A]",
            help="As fcc, hcp@1.633, Ni3Al:L1_2; again for more. Default: fcc, bcc, hcp, hcp@sqrt(3), sc, diamond.",
        ),
    ] = None,
    structure: Annotated[
        list[Path] | None, typer.Option(help="A crystal from a file, its last frame; again for more.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="What to compare with: a potential, a table (.yaml, .csv), or a crystals.json.")
    ] = None,
    bond: Annotated[
        float | None, typer.Option(min=0.1, max=20, help="Bond of close packings to begin with [A]; default: expected.")
    ] = None,
    shake: Annotated[
        float, typer.Option(min=0, max=1, help="Displace atoms by this before the relaxation, of 2x2x2 cells [A].")
    ] = 0.0,
    curves: Annotated[bool, typer.Option(help="Compute equations of state.")] = True,
    device: Device = "auto",
    head: Head = None,
    reference_head: Annotated[str | None, typer.Option(help="That of the reference, where it is a model.")] = None,
    d3: D3 = None,
    reference_d3: ReferenceD3 = None,
) -> None:
    """Relax crystals: bonds, energies, order of stability, equations of state, beside a reference potential or table.

    Models are evaluated in float64. A crystal that becomes another one, or does not come to rest, is marked.
    """
    from unnp.adapters.opening import known_elements, names_of, open_beside, open_calculator
    from unnp.errors import ConfigError
    from unnp.workflows.crystals.prototypes import parse_specs
    from unnp.workflows.crystals.reference import given_crystals, is_table, load_reference
    from unnp.workflows.crystals.relaxation import Settings
    from unnp.workflows.crystals.run import run_crystals

    paths, table = [(potential, head, dispersion(d3))], None
    calculators = [open_calculator(potential, head, device, dispersion(d3))]
    words = crystal or ([] if structure else DEFAULT)
    elements = element or _meant(words, known_elements(calculators[0]))
    specs = parse_specs(words, elements) + given_crystals(structure or [])
    if reference is not None and is_table(reference):
        if reference_d3 is not None:
            raise ConfigError(f"--reference-d3: {reference} is a table of numbers; only a potential takes D3.")
        table = load_reference(reference, specs)
    elif reference is not None:
        paths.append((reference, reference_head, dispersion(reference_d3)))
        calculators.append(open_beside(reference, reference_head, device, dispersion(reference_d3)))
    potentials = dict(zip(names_of(paths), calculators, strict=True))
    result = run_crystals(specs, potentials, output, Settings(bond, shake, curves), table)
    _show(result)
    print(f"Numbers, structures and figure: {output}")


def _meant(words: list[str], elements: list[str]) -> list[str]:
    """Return the elements that a potential knows; raise ConfigError where they are too many for crystals of all of them."""
    from unnp.errors import ConfigError

    if len(elements) > MOST_ELEMENTS and not all(":" in word for word in words):
        raise ConfigError(
            f"the potential knows {len(elements)} elements; say of which the crystals are (--element Al)."
        )
    return elements


def _show(result: Result) -> None:
    from unnp.cli.tables import print_table
    from unnp.errors import printable
    from unnp.workflows.crystals.report import DEVIATIONS, HEADER, deviation_rows, rows, sentences

    for name, crystals in result.crystals.items():
        print_table(f"{name}, at zero pressure", HEADER, rows(crystals))
    if result.comparison is not None:
        print_table("deviations from the reference", DEVIATIONS, deviation_rows(result.comparison))
    for sentence in sentences(result.crystals, result.comparison):
        print(printable(sentence))
