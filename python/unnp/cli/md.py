"""``unnp md``: molecular dynamics with LAMMPS under mpirun, from a short YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import DryRun, OutputFolder, Resume, Settings


def command(
    config: Annotated[Path, typer.Argument(help="YAML file: structure, potential, ensemble, steps ...")],
    output: OutputFolder = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    settings: Settings = None,
) -> None:
    """Run molecular dynamics.

    The folder keeps the deck (in.lammps, runs by itself), the data file, logs, trajectory, restart files, and gets
    thermo.csv, thermo.png and summary.json.
    """
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import in_one_line
    from unnp.files.locks import hold_folder
    from unnp.lammps.dry_run import check_programs
    from unnp.workflows.md.config import MdConfig
    from unnp.workflows.md.run import run_md
    from unnp.workflows.md.setup import prepare

    resolved = load_with_overrides(config, settings or [], MdConfig)
    folder = output or Path(config.stem)
    if dry_run:
        check_programs(resolved)
        with hold_folder(folder):
            prepare(resolved, config.parent, folder)
        print(f"Wrote {folder}/in.lammps")
        return
    result = run_md(resolved, config.parent, folder, resume=resume)
    for warning in result.warnings:
        print(f"LAMMPS warned: {in_one_line(warning, 500)}")
    _print(result.summary)
    print(f"Run folder: {folder}")


def _print(summary: dict) -> None:
    from unnp.cli.tables import print_table

    rows = []
    for name, value in summary["averages"].items():
        quantity, _, unit = name.rpartition("_")
        rows.append([f"{quantity.replace('_', ' ')} [{unit}]", f"{value['mean']:.6g}", f"{value['std']:.2g}"])
    title = f"{summary['steps']} steps, {summary['time_ps']:.4g} ps"
    print_table(title, ["second half", "mean", "standard deviation"], rows)
    if "energy_drift_meV_per_atom_ps" in summary:
        print(f"Energy drift: {summary['energy_drift_meV_per_atom_ps']:.3g} meV/atom/ps")
    if "atom_steps_per_second" in summary:
        print(f"Speed: {summary['atom_steps_per_second']:.4g} atom-steps/s on {summary['ranks']} rank(s)")
    if "captured" in summary:
        from unnp.lammps.captured import told

        print(f"Frames captured: {told(summary['captured'])}")
    if "stopped" in summary:
        print(f"LAMMPS {summary['stopped']}")
