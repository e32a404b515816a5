"""``unnp evaluate``: errors of a potential on labelled structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unnp.cli.options import D3, Read, dispersion, read_options

if TYPE_CHECKING:
    from unnp.atoms.structure import Structure


def command(
    potential: Annotated[Path, typer.Argument(help="Exported model, or calculator file of `unnp data label` (.yaml).")],
    inputs: Annotated[list[Path], typer.Argument(help="Stored data sets, or files of any format that ASE reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, predictions and plots.")],
    read: Read = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option(help="Of a model: model, float32 or float64.")] = "model",
    head: Annotated[str | None, typer.Option(help="Level of theory; default: the model's first.")] = None,
    d3: D3 = None,
    align: Annotated[
        bool, typer.Option("--align", help="Count its energies from the zeros of the labels, element by element.")
    ] = False,
    stress_offset: Annotated[
        bool, typer.Option(help="Take off the stress labels the constant that the training has found in its own.")
    ] = True,
    batch_atoms: Annotated[
        int, typer.Option(min=1, help="Atoms that a model computes at once at most; bounds the memory.")
    ] = 1000,
) -> None:
    """Compare a potential with labelled structures.

    The folder gets errors.json and errors.csv (overall, by group, by element), predictions.xyz, and parity plots with
    their data. A calculator file, and a model with --d3, compute one structure after the other; what they have computed is
    kept in OUTPUT.unfinished until all is done, and the same command goes on there.
    """
    from unnp.adapters.opening import is_calculator_file, known_elements, open_calculator
    from unnp.adapters.potentials import identity
    from unnp.cli.tables import print_table
    from unnp.data.opening import open_structures
    from unnp.errors import ConfigError, DataError
    from unnp.evaluate.calculators import evaluate_calculator, given_by
    from unnp.evaluate.card import error_header, error_table
    from unnp.evaluate.evaluation import Limits, comparable, evaluate
    from unnp.exported.loader import load_model

    is_calculator = is_calculator_file(potential, head)
    if is_calculator and dtype != "model":
        raise ConfigError(f"dtype '{dtype}': {potential} is a calculator file; only a model has a choice.")
    model = None if is_calculator else load_model(potential, device, dtype, head)
    added = dispersion(d3)
    calculator = open_calculator(potential, head, device, added, dtype) if is_calculator or d3 else None
    structures = open_structures(inputs, read_options(read, required=["any"]))
    offset = model.stress_offset if model is not None and stress_offset else {}
    if calculator is not None:
        known, names = known_elements(calculator), given_by(calculator)
        made_with = f"{identity(potential, head, added)} {dtype}"
        errors = evaluate_calculator(
            calculator, str(potential), structures, output, known, offset, identity=made_with, align=align
        )
    else:
        assert model is not None
        names = comparable(model)
        errors = evaluate(model, structures, output, Limits.of(batch_atoms), offset, align=align)
    _say_what_was_compared(errors, structures, offset)
    if not errors["overall"]:
        raise DataError(f"there are no labels to compare with; the predictions are in {output}/predictions.xyz.")
    _say_what_is_missing(names, errors)
    print_table(f"Errors of {potential} on {len(structures)} structures", error_header(errors), error_table(errors))
    print(f"Tables, predictions and plots: {output}")


def _say_what_was_compared(
    errors: Mapping[str, Any], structures: Sequence[Structure], offset: Mapping[str, float]
) -> None:
    """Say what was taken off the stress labels, and what was added to the energies of the potential."""
    if offset and "stress" in errors["overall"]:
        print(f"Taken off the stress labels, as found in the training: {_offsets(structures, offset)}.")
    if "alignment" in errors:
        print(_alignment(errors["alignment"]))


def _say_what_is_missing(names: Sequence[str], errors: Mapping[str, Any]) -> None:
    """Say which quantities that the potential gives have no label; energies of atoms few have, so nobody misses them."""
    from unnp.atoms.quantities import FURTHER

    if missing := [name for name in names if name not in errors["overall"] and name != "atomic_energy"]:
        hint = " Of these, files are searched for energy, forces and stress only: --read labels='{charges: NAME}'."
        said = f"Not compared, as no structure has that label: {', '.join(missing)}."
        print(said + (hint if set(missing) & set(FURTHER) else ""))


def _alignment(alignment: Mapping[str, Any]) -> str:
    """Return what was added to the energies of the potential, and where that leaves their errors without a meaning."""
    n, rank = alignment["n"], alignment["rank"]
    listed = ", ".join(f"{symbol} {energy:+.4g} eV" for symbol, energy in alignment["energies"].items())
    said = f"Added to each atom's energy of the potential, by least squares of {n} energies: {listed}."
    return said + (f" {n} energies fix {rank} constants: their errors say nothing." if n <= rank else "")


def _offsets(structures: Sequence[Structure], found: Mapping[str, float]) -> str:
    """Return what is taken off the stress labels of each group, and where that is a guess."""
    from unnp.data.statistics import group_names
    from unnp.evaluate.stress_offset import offsets_of

    values = offsets_of(sorted(set(group_names(structures))), found)
    guessed = ", not in the training: the mean of its groups"
    return ", ".join(
        f"{value:.3f} GPa ({name or 'no group'}{'' if name in found else guessed})" for name, value in values.items()
    )
