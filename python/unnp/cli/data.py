"""``unnp data``: look at, convert, divide, label and generate structures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from unnp.cli.options import Read, read_options

app = typer.Typer(help="Look at, convert, divide, label and generate structures.", no_args_is_help=True)

Inputs = Annotated[list[Path], typer.Argument(help="Stored data sets, or files of any format that ASE reads.")]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="Name in .xyz or .extxyz (.gz): extended XYZ; without ending: stored data set."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output where it exists.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; default: one per CPU.")]
Skip = Annotated[bool, typer.Option("--skip-failures", help="Leave out what cannot be labelled, instead of stopping.")]


@app.command()
def info(
    inputs: Inputs,
    read: Read = None,
    cutoff: Annotated[float | None, typer.Option(help="Count neighbours within this distance [A].")] = None,
) -> None:
    """Show what is in structure files: elements, groups, ranges of the labels, missing labels."""
    from unnp.data.report import print_information

    with _saying_what_is_left_behind() as left_behind:
        structures = _open(inputs, read_options(read, missing="allow"), left_behind)
        print_information(structures, cutoff)


@app.command()
def convert(
    inputs: Inputs,
    output: Output,
    read: Read = None,
    max_force: Annotated[float | None, typer.Option(help="Leave out structures with a larger force [eV/A].")] = None,
    max_energy: Annotated[float | None, typer.Option(help="Leave out structures of higher energy [eV/atom].")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert structure files into one stored data set or one extended XYZ file, in eV and A."""
    from unnp.data.filters import within_limits
    from unnp.data.opening import origins_of
    from unnp.data.writing import holding_target, write_structures

    with holding_target(output, overwrite), _saying_what_is_left_behind() as left_behind:
        structures = _open(inputs, read_options(read), left_behind)
        kept = [s for s in structures if within_limits(s, max_force, max_energy)]
        write_structures(kept, output, origins=origins_of(structures), overwrite=overwrite)
    left_out = len(structures) - len(kept)
    print(f"{output}: {len(kept)} structures" + (f"; {left_out} left out (above the limits)" if left_out else ""))


@app.command()
def split(
    inputs: Inputs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder that gets one data set per part.")],
    parts: Annotated[
        str, typer.Option(help="Sizes: fractions, numbers, or rest.")
    ] = "train=0.8,validation=0.1,test=rest",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same parts.")] = 0,
    keep_together: Annotated[
        str, typer.Option(help="Never divide what has the same: nothing, group or source.")
    ] = "nothing",
    stratify: Annotated[bool, typer.Option(help="Give each part its share of each group.")] = False,
    suffix: Annotated[str, typer.Option(help="Ending of the parts, e.g. .xyz; none: stored data sets.")] = "",
    read: Read = None,
    overwrite: Overwrite = False,
) -> None:
    """Divide structures into parts, for instance to train, validate and test."""
    from unnp.data.opening import origins_of
    from unnp.data.report import print_parts
    from unnp.data.splits import parse_parts, write_split

    with _saying_what_is_left_behind() as left_behind:
        structures = _open(inputs, read_options(read), left_behind)
    indices = write_split(
        structures,
        parse_parts(parts),
        output,
        seed=seed,
        keep_together=keep_together,
        stratify=stratify,
        suffix=suffix,
        origins=origins_of(structures),
        overwrite=overwrite,
    )
    print_parts(structures, indices, output, suffix)


@app.command()
def label(
    inputs: Inputs,
    calculator: Annotated[
        Path, typer.Option("-c", "--calculator", help="YAML file with kind (ase, kim, lammps, universal) and settings.")
    ],
    output: Output,
    workers: Workers = None,
    skip_failures: Skip = False,
    read: Read = None,
    overwrite: Overwrite = False,
) -> None:
    """Label structures with an ASE calculator, a LAMMPS pair style or a universal potential.

    Run again after a kill, it goes on.
    """

    def compute(work: Path) -> Any:
        return _labelled(_unlabelled(inputs, read), calculator, work, workers, skip_failures)

    _compute_and_write(compute, output, overwrite)


@app.command()
def translate(
    inputs: Inputs,
    output: Output,
    elements: Annotated[str, typer.Option(metavar="OLD=NEW,...", help="What each element becomes, e.g. Ni=Al.")],
    scale: Annotated[float | None, typer.Option(help="Factor on all lengths.")] = None,
    lattice_constants: Annotated[
        tuple[float, float] | None, typer.Option(help="Lattice constants, old and new [A]: their ratio is the factor.")
    ] = None,
    volumes: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Volumes per atom, old and new [A^3]; or potentials, whose relaxed crystals have them (models or "
            "calculator files)."
        ),
    ] = None,
    lattices: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Crystals of those potentials, as fcc bcc; default: the elements' own."),
    ] = None,
    calculator: Annotated[
        Path | None, typer.Option("-c", "--calculator", help="Label anew with this, as `unnp data label`.")
    ] = None,
    workers: Workers = None,
    skip_failures: Skip = False,
    read: Read = None,
    overwrite: Overwrite = False,
) -> None:
    """Make structures of one metal into those of another: scale, rename, label anew. Old labels are dropped.

    Run again after a kill, the labelling goes on.
    """
    from unnp.cli.scaling import scale_factor
    from unnp.data.labelling import Labelled
    from unnp.data.translation import count_labels, parse_elements, translate

    new_elements = parse_elements(elements)

    def compute(work: Path) -> Any:
        factor = scale_factor(new_elements, scale, lattice_constants, volumes, lattices)
        structures = _unlabelled(inputs, read)
        translated = translate(structures, new_elements, factor)
        dropped = ", ".join(f"{name} ({n})" for name, n in count_labels(structures).items())
        print(f"lengths times {factor:.6g}; labels dropped: {dropped or 'there were none'}")
        if calculator is None:
            return Labelled(translated, {})
        return _labelled(translated, calculator, work, workers, skip_failures)

    _compute_and_write(compute, output, overwrite)


@app.command()
def generate(
    recipe: Annotated[Path, typer.Argument(help="YAML file with crystals, samples and, for labels, a calculator.")],
    output: Output,
    workers: Workers = None,
    skip_failures: Skip = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. seed=1.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make structures from a recipe and label them. Run again after a kill, it goes on."""
    from unnp.config.overrides import load_with_overrides
    from unnp.data.generation import Recipe
    from unnp.data.generation.resumable import generate as generate_and_label

    resolved = load_with_overrides(recipe, settings or [], Recipe)

    def compute(work: Path) -> Any:
        return generate_and_label(
            resolved,
            folder=recipe.parent,
            work=work,
            workers=workers,
            on_failure="skip" if skip_failures else "error",
        )

    if resolved.parts is not None:
        _check_folder(output)
    _compute_and_write(compute, output, overwrite, resolved.parts, resolved.seed)


def _unlabelled(inputs: list[Path], read: list[str] | None) -> Any:
    """Return structures whose labels, if any, do not matter."""
    options = read_options(read, missing="allow", required=[], unconverged="keep")
    with _saying_what_is_left_behind() as left_behind:
        return _open(inputs, options, left_behind)


def _labelled(structures: Any, calculator: Path, work: Path, workers: int | None, skip_failures: bool) -> Any:
    from unnp.config.base import read_yaml
    from unnp.data.labelling import label_structures

    return label_structures(
        structures,
        read_yaml(calculator),
        folder=calculator.parent,
        work=work,
        workers=workers,
        on_failure="skip" if skip_failures else "error",
    )


def _compute_and_write(
    compute: Any, output: Path, overwrite: bool, parts: dict[str, Any] | None = None, seed: int = 0
) -> None:
    """Write what ``compute(work folder)`` returns, whole or in parts, then delete the work folder."""
    import shutil

    from unnp.data.labelling import work_folder
    from unnp.data.report import print_origins
    from unnp.data.writing import holding_target, write_structures

    with holding_target(output, overwrite):
        work = work_folder(output)
        result = compute(work)
        if parts is None:
            write_structures(result.structures, output, origins=_origins(result), overwrite=overwrite)
        else:
            _write_parts(result, parts, output, seed, overwrite)
        shutil.rmtree(work, ignore_errors=True)
    for k, message in result.failures.items():
        print(f"left out: structure {k}: {message}")
    for reason, n in result.left_out.items():
        said = f" (the first: {result.said[reason]})" if reason in result.said else ""
        print(f"left out: {reason}: {n}{said}")
    shown = output if parts is None else output / next(iter(parts))
    print_origins(_origins(result))
    print(f"{output}: {len(result.structures)} structures. Next: unnp data info {shown}")


def _check_folder(output: Path) -> None:
    from unnp.data.store import is_store
    from unnp.errors import DataError

    if output.suffix or is_store(output):
        raise DataError(
            f"{output}: a set in parts is a folder of data sets; name one without ending, new or made this way."
        )


def _origins(result: Any) -> list[dict[str, str]]:
    return [result.origin] if result.origin else []


def _write_parts(result: Any, parts: dict[str, Any], output: Path, seed: int, overwrite: bool) -> None:
    from unnp.data.report import print_parts
    from unnp.data.splits import write_split

    structures, origins = result.structures, _origins(result)
    indices = write_split(
        structures,
        parts,
        output,
        seed=seed,
        keep_together="source",
        stratify=True,
        origins=origins,
        overwrite=overwrite,
    )
    print_parts(structures, indices, output, "")


def _open(inputs: list[Path], options: Any, left_behind: Any) -> Any:
    from unnp.data.opening import open_structures

    return open_structures(inputs, options, left_behind)


@contextmanager
def _saying_what_is_left_behind() -> Iterator[Any]:
    """Print at the end, where there is no error, what the files carry that is not carried over."""
    from unnp.data.readers import LeftBehind
    from unnp.errors import printable

    left_behind = LeftBehind()
    yield left_behind
    if said := left_behind.describe():
        print(printable(said))
