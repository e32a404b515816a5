"""``unnp calibrate``: a committee whose deviations are errors that are to be expected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import Read, read_options


def command(
    model: Annotated[Path, typer.Argument(help="Exported committee.")],
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="Labelled structures that no member was trained on, or a run folder: those it has held back."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write.")],
    read: Read = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    head: Annotated[str | None, typer.Option(help="Level of theory of the labels; default: the model's first.")] = None,
    batch_atoms: Annotated[int, typer.Option(min=1, help="Atoms computed at once at most; bounds the memory.")] = 1000,
) -> None:
    """Find the factors that make errors of a committee's deviations, and write them into a copy of its file.

    All deviations that Python, ASE and LAMMPS report of the copy hold these factors; energies and forces are as before.
    NAME-reliability-energy.png and NAME-reliability-forces.png beside it show observed over expected errors, each with
    its CSV.
    """
    from unnp.cli.tables import print_table
    from unnp.data.opening import open_structures
    from unnp.errors import ConfigError, ModelError
    from unnp.evaluate.calibration import LEAST, MEMBERS_FOR_ENERGY, UNITS, committee_scales, estimates, residuals_of
    from unnp.evaluate.evaluation import Limits
    from unnp.evaluate.reliability import draw_reliability, summary
    from unnp.exported.amend import write_amended
    from unnp.exported.deviation import committee_deviation
    from unnp.exported.loader import load_model
    from unnp.train.structures import is_run, sources_of_run

    potential = load_model(model, device, head=head)
    if potential.manifest.n_members < 2:
        raise ModelError(
            f"{model} holds one member, which has nobody to disagree with. Export a committee (`seeds` of `unnp train`), or "
            "take `unnp last-layer`."
        )
    if any(map(is_run, inputs)):
        if len(inputs) > 1:
            raise ConfigError("give one run folder, or labelled structures, not both.")
        structures = sources_of_run(inputs[0], potential.head).validation
    else:
        structures = open_structures(inputs, read_options(read, required=["any"]))
    limits = Limits.of(batch_atoms)
    results = estimates(
        potential, structures, lambda graph: committee_deviation(potential, graph, calibrated=False), limits
    )
    raw = residuals_of(results)
    scales = committee_scales(raw, potential.manifest.n_members)
    calibrated = {name: raw[name].scaled(scale) for name, scale in scales.items()}
    write_amended(model, output, deviation_scales=scales)
    for name, errors in calibrated.items():
        draw_reliability(name, errors, output.with_name(f"{output.stem}-reliability-{name}.png"))
    print_table(f"Deviations of {model} on {len(structures)} structures", *summary(calibrated, scales))
    for name in UNITS.keys() - scales.keys():
        few = name in raw and len(raw[name].error) >= LEAST  # so there are labels enough, but not members
        reason = f"it needs {MEMBERS_FOR_ENERGY} members" if few else f"it needs {LEAST} labels"
        print(f"{name} is not calibrated: {reason}.")
    print(f"{output}: the same committee, calibrated")
