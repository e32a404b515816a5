"""``unnp features``: what an exported model says of each atom or structure, as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import Read, read_options


def command(
    model: Annotated[Path, typer.Argument(help="Exported model.")],
    inputs: Annotated[list[Path], typer.Argument(help="Stored data sets, or files of any format that ASE reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, .npz of NumPy.")],
    of: Annotated[str, typer.Option("--of", help="Which output; `unnp info` lists them.")] = "features",
    read: Read = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option(help="model, float32 or float64.")] = "model",
    head: Annotated[str | None, typer.Option(help="Level of theory; default: the model's first.")] = None,
    batch_atoms: Annotated[int, typer.Option(min=1, help="Atoms computed at once at most; bounds the memory.")] = 1000,
) -> None:
    """Write features of atoms, or another output of a model.

    The file holds the array `values`, one row for each atom (or structure), and for each atom `structure` (which one, from
    0) and `numbers` (atomic numbers); for each structure `groups`.
    """
    from unnp.data.opening import open_structures
    from unnp.evaluate.evaluation import Limits, write_output
    from unnp.exported.loader import load_model

    potential = load_model(model, device, dtype, head)
    declared = potential.manifest.output(of)
    structures = open_structures(inputs, read_options(read, missing="allow", required=[], unconverged="keep"))
    shape = write_output(potential, structures, of, output, Limits.of(batch_atoms))
    unit = f" [{declared.unit}]" if declared.unit else ""
    print(f"{output}: {of}{unit} of {len(structures)} structures, {' x '.join(map(str, shape))}, per {declared.per}")
