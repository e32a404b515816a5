"""``unnp sample``: MOMT sampling and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unnp.cli.options import DryRun, OutputFolder, Resume, Settings

if TYPE_CHECKING:
    from unnp.workflows.momt.config import MomtConfig

app = typer.Typer(help="Sample solid, liquid and between in one run, and analyse the samples.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Sample solid, liquid and between in one run, and analyse the samples."""


@app.command()
def analyse(
    inputs: Annotated[list[Path], typer.Argument(help="Run folder of `unnp sample momt`, or logs of fix momt.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the results; default: analysis in the run folder.")
    ] = None,
    settings: Settings = None,
) -> None:
    """Compute averages, density of states and melting point from the samples of a MOMT run.

    The output folder gets analysis.json and the figures, each with its data. What the samples do not support is refused, with
    the reason.
    """
    from unnp.cli.tables import print_table
    from unnp.config import from_dict
    from unnp.config.overrides import apply_settings
    from unnp.errors import ConfigError
    from unnp.sampling import tables
    from unnp.sampling.config import AnalysisConfig
    from unnp.sampling.report import analyse as analyse_samples
    from unnp.sampling.samples import read_samples
    from unnp.workflows.momt.logs import analysis_settings, find_logs

    logs = find_logs(inputs)
    if output is None and not (len(inputs) == 1 and inputs[0].is_dir()):
        raise ConfigError("logs have no folder of their own for the results; give one: -o FOLDER.")
    folder = output or inputs[0] / "analysis"
    resolved = from_dict(apply_settings(analysis_settings(inputs), settings or []), AnalysisConfig, where="analysis")
    analysis = analyse_samples(read_samples(logs), resolved, folder)
    print_table("Averages", tables.averages_header(analysis), tables.averages_rows(analysis))
    if analysis.transition.melting:
        print_table("Melting point of this cell", ["", ""], tables.melting_rows(analysis))
    else:
        print(f"No melting point: {analysis.transition.refusal}")
    for note in analysis.notes:
        print(f"Note: {note}")
    print(f"Numbers and figures: {folder}")


@app.command()
def momt(
    configs: Annotated[
        list[Path],
        typer.Argument(metavar="CONFIG...", help="YAML files, run one after the other: structure, potential ..."),
    ],
    output: OutputFolder = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    settings: Settings = None,
) -> None:
    """Sample solid, liquid and what lies between over a range of temperatures, with LAMMPS and fix momt.

    The folder keeps every deck (each runs by itself), logs and restart files; it gets frames.extxyz with energy, forces,
    stress, H, s and weight of each frame, the folder analysis, and summary.json.
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import ConfigError
    from unnp.lammps.dry_run import check_programs
    from unnp.workflows.momt.config import MomtConfig
    from unnp.workflows.momt.run import prepare_only

    if output and len(configs) > 1:
        raise ConfigError("-o names one folder, but there are several CONFIGs; leave it out: each gets its own name.")
    runs = [
        (path, load_with_overrides(path, settings or [], MomtConfig), output or Path(path.stem)) for path in configs
    ]
    for path, config, folder in runs:
        if dry_run:
            check_programs(config)
            prepare_only(config, path.parent, folder)
            print(f"Wrote {folder}/in.observe.solid.lammps and in.observe.liquid.lammps")
        else:
            _sample(path, config, folder, resume)


def _sample(path: Path, config: MomtConfig, folder: Path, resume: bool) -> None:
    from unnp.cli.tables import EXIT_INTERRUPTED, print_table
    from unnp.workflows.momt.run import run_momt, summary_rows

    try:
        result = run_momt(config, path.parent, folder, resume=resume)
    except KeyboardInterrupt:
        print(f"Stopped; what is finished is kept. Go on with: unnp sample momt {path} -o {folder} --resume")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    print_table(result.summary["system"], ["", ""], summary_rows(result.summary))
    print(f"Run folder: {folder}")


@app.command()
def compare(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run of `unnp sample momt`.")],
    temperature: Annotated[float | None, typer.Option(help="Of the plain runs [K]; default: T0 of the run.")] = None,
) -> None:
    """Compare a MOMT run with plain dynamics from solid and liquid and with a ramp, each with as many steps.

    The folder compare in it gets the figure histograms.png with its data, and compare.json.
    """
    from unnp.cli.tables import print_table
    from unnp.workflows.momt.compare.run import compare as compare_methods
    from unnp.workflows.momt.compare.run import table_rows

    result = compare_methods(folder, temperature)
    title = f"{result['steps']} steps each, plain runs at {result['temperature']:g} K"
    print_table(title, ["", "solid", "liquid", "passages", "bins of (H, s)"], table_rows(result))
    print(f"Figure: {folder}/compare/histograms.png")
