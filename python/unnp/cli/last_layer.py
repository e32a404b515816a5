"""``unnp last-layer``: what the uncertainty of a single model needs of its training data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[Path, typer.Argument(help="Exported model.")],
    run: Annotated[
        Path, typer.Argument(help="Run folder of its training, or of its committee, with the data in place.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, .safetensors.")],
    regularisation: Annotated[
        float,
        typer.Option(min=1e-12, max=1e6, help="lambda over the mean square of the features of the training data."),
    ] = 1e-6,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    head: Annotated[str | None, typer.Option(help="Level of theory; default: the model's first.")] = None,
    batch_atoms: Annotated[int, typer.Option(min=1, help="Atoms computed at once at most; bounds the memory.")] = 1000,
) -> None:
    """Sum up the features of a model over the atoms of its training data, for the uncertainties of `unnp uncertainty`.

    The factors that make errors of them are found on the structures that the training has held back. The file belongs to this
    model and is refused for any other.
    """
    from unnp.cli.tables import print_table
    from unnp.evaluate.calibration import LEAST, estimates, residuals_of
    from unnp.evaluate.evaluation import Limits
    from unnp.evaluate.last_layer import fit_last_layer
    from unnp.evaluate.reliability import summary
    from unnp.exported.loader import load_model
    from unnp.train.structures import sources_of_run

    potential = load_model(model, device, head=head)
    sources = sources_of_run(run, potential.head)
    limits = Limits.of(batch_atoms)
    fitted = fit_last_layer(potential, sources.train, sources.validation, regularisation=regularisation, limits=limits)
    fitted.save(output)
    errors = residuals_of(
        estimates(potential, sources.validation, lambda graph: fitted.deviation(potential, graph), limits)
    )
    n_features, n_held_back = fitted.factor.shape[0], len(sources.validation)
    print_table(f"Deviations of {model} on {n_held_back} structures", *summary(errors, dict(fitted.scales)))
    for name in sorted(errors.keys() - fitted.scales.keys()):
        print(f"{name} is not calibrated: it needs {LEAST} labels, and {n_held_back} structures were held back.")
    print(f"{output}: last layer of {n_features} features over {len(sources.train)} training structures")
