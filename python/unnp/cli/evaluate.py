"""``unnp evaluate``: errors of an exported model on labelled structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unnp.cli.options import Read, read_options

if TYPE_CHECKING:
    from unnp.atoms.structure import Structure


def command(
    model: Annotated[Path, typer.Argument(help="Exported model.")],
    inputs: Annotated[list[Path], typer.Argument(help="Stored data sets, or files of any format that ASE reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, predictions and plots.")],
    read: Read = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option(help="model, float32 or float64.")] = "model",
    head: Annotated[str | None, typer.Option(help="Level of theory; default: the model's first.")] = None,
    stress_offset: Annotated[
        bool, typer.Option(help="Take off the stress labels the constant that the training has found in its own.")
    ] = True,
    batch_atoms: Annotated[int, typer.Option(min=1, help="Atoms computed at once at most; bounds the memory.")] = 1000,
) -> None:
    """Compare a model with labelled structures.

    The folder gets errors.json and errors.csv (overall, by group, by element), predictions.xyz, and parity plots with
    their data.
    """
    from unnp.atoms.quantities import FURTHER, STANDARD
    from unnp.cli.tables import print_table
    from unnp.data.opening import open_structures
    from unnp.errors import DataError
    from unnp.evaluate.card import error_header, error_table
    from unnp.evaluate.evaluation import Limits, comparable, evaluate
    from unnp.exported.loader import load_model

    potential = load_model(model, device, dtype, head)
    structures = open_structures(inputs, read_options(read, required=["any"]))
    offset = potential.stress_offset if stress_offset else {}
    errors = evaluate(potential, structures, output, Limits.of(batch_atoms), offset)
    if offset and "stress" in errors["overall"]:
        print(f"Taken off the stress labels, as found in the training: {_offsets(structures, offset)}.")
    if not errors["overall"]:
        raise DataError(
            f"the structures have no labels to compare with; the predictions are in {output}/predictions.xyz."
        )
    expected = [name for name in comparable(potential) if name in STANDARD or name in potential.quantities]
    if missing := [name for name in expected if name not in errors["overall"]]:
        hint = " Of these, files are searched for energy, forces and stress only: --read labels='{charges: NAME}'."
        said = f"Not compared, as no structure has that label: {', '.join(missing)}."
        print(said + (hint if set(missing) & set(FURTHER) else ""))
    print_table(f"Errors of {model} on {len(structures)} structures", error_header(errors), error_table(errors))
    print(f"Tables, predictions and plots: {output}")


def _offsets(structures: Sequence[Structure], found: Mapping[str, float]) -> str:
    """Return what is taken off the stress labels of each group, and where that is a guess."""
    from unnp.data.statistics import group_names
    from unnp.evaluate.stress_offset import offsets_of

    values = offsets_of(sorted(set(group_names(structures))), found)
    guessed = ", not in the training: the mean of its groups"
    return ", ".join(
        f"{value:.3f} GPa ({name or 'no group'}{'' if name in found else guessed})" for name, value in values.items()
    )
