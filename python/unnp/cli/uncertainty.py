"""``unnp uncertainty``: how wrong a model may be on each structure and atom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import Read, read_options


def command(
    model: Annotated[Path, typer.Argument(help="Exported model.")],
    inputs: Annotated[list[Path], typer.Argument(help="Stored data sets, or files of any format that ASE reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, structures and plots.")],
    last_layer: Annotated[
        Path | None, typer.Option(help="File of `unnp last-layer`; without it, the model is a committee.")
    ] = None,
    read: Read = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    head: Annotated[str | None, typer.Option(help="Level of theory; default: the model's first.")] = None,
    batch_atoms: Annotated[int, typer.Option(min=1, help="Atoms computed at once at most; bounds the memory.")] = 1000,
) -> None:
    """Say how wrong a model may be: a committee by how far its members disagree, any model by its last layer.

    The folder gets structures.csv, a row for each structure, and uncertainty.xyz with the deviation of each atom. Where there
    are labels, reliability-energy.png and reliability-forces.png show errors over deviations, each with its CSV.
    """
    from unnp.cli.tables import print_table
    from unnp.data.opening import open_structures
    from unnp.errors import ModelError
    from unnp.evaluate.calibration import estimates, residuals_of
    from unnp.evaluate.evaluation import Limits
    from unnp.evaluate.last_layer import load_last_layer
    from unnp.evaluate.reliability import draw_reliability, summary, write_deviations
    from unnp.exported.deviation import committee_deviation
    from unnp.exported.loader import load_model

    potential = load_model(model, device, head=head)
    layer = load_last_layer(last_layer) if last_layer is not None else None
    if layer is None and potential.manifest.n_members < 2:
        raise ModelError(
            f"{model} holds one member, which has nobody to disagree with; make its last layer with `unnp last-layer` and "
            "give it with --last-layer, or export a committee."
        )
    structures = open_structures(inputs, read_options(read, missing="allow", required=[], unconverged="keep"))
    results = estimates(
        potential,
        structures,
        lambda graph: committee_deviation(potential, graph) if layer is None else layer.deviation(potential, graph),
        Limits.of(batch_atoms),
    )
    write_deviations(structures, results, output)
    errors = residuals_of(results)
    for name, own in errors.items():
        draw_reliability(name, own, output / f"reliability-{name}.png")
    if errors:
        print_table(f"Errors of {model} on {len(structures)} structures", *summary(errors, {}))
    said = f"; {potential.manifest.calibration()}" if layer is None else ""
    print(f"{output}: deviations of {len(structures)} structures{said}")
