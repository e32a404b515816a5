"""``unnp export``: from run folders or checkpoints to one model file for ASE and LAMMPS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from unnp.models import Potential


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run folder, checkpoint or exported model; several, or the folder of a committee, make a committee."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write.")],
    name: Annotated[str | None, typer.Option(help="Name for people; default: the name of the output file.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the model, for instance CC-BY-4.0.")] = "",
    weights: Annotated[
        Literal["average", "raw"], typer.Option(help="Running average of the weights, or the last.")
    ] = "average",
) -> None:
    """Write one TorchScript file with its manifest.

    The file is loaded again and compared with the potential in memory before it is moved into place. It runs in ASE
    (unnp.adapters.ase), in LAMMPS (pair_style unnp), on CPU and on CUDA.
    """
    from unnp.exported.export import export_model

    members = [member for run in runs for member in _members(run, weights)]
    manifest = export_model(
        [potential for potential, _ in members],
        output,
        name=name or output.stem,
        licence=licence,
        data=members[0][1],
        metrics=_metrics(runs),
    )
    many = f", committee of {manifest.n_members}" if manifest.n_members > 1 else ""
    elements = " ".join(manifest.elements)
    print(f"{output}: {manifest.architecture}, {elements}, cutoff {manifest.cutoff:g} A, {manifest.dtype}{many}")
    print(f"LAMMPS: pair_style unnp, then pair_coeff * * {output} {elements}")


def _members(run: Path, weights: Literal["average", "raw"]) -> list[tuple[Potential, dict[str, Any]]]:
    """Return the potentials of a run, a committee or an exported model, each with what its file says about its data."""
    from unnp.exported.rebuild import is_exported, rebuilt
    from unnp.models.checkpoint import load_potential, training_data
    from unnp.train.committee import runs_of

    if is_exported(run):
        potentials, manifest = rebuilt(run)
        return [(potential, manifest.data) for potential in potentials]
    loaded = [load_potential(member, weights) for member in runs_of(run)]
    return [(potential, training_data(description)) for potential, description in loaded]


def _metrics(runs: list[Path]) -> dict[str, Any]:
    """Return the errors of a run, a committee or an exported model; of several, which become one model, nobody knows them."""
    from unnp.evaluate.card import read_metrics
    from unnp.exported.archive import read_manifest
    from unnp.exported.rebuild import is_exported

    if len(runs) > 1:
        return {}
    return read_manifest(runs[0]).metrics if is_exported(runs[0]) else read_metrics(runs[0])
