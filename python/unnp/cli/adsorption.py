"""``unnp adsorption``: the three-start test of a molecule on a surface, for a list of potentials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unnp.cli.options import OutputFolder, Resume, Settings


def command(
    config: Annotated[
        Path, typer.Argument(help="YAML file: potentials; surface and molecule, by default COH on Co(0001).")
    ],
    output: OutputFolder = None,
    resume: Resume = False,
    settings: Settings = None,
) -> None:
    """Test potentials by a molecule on a surface: the same state from all starts, none broken and lower, the barrier.

    Relaxed are the adsorbed molecule, the bare slab, the molecule put on that, and shaken ones; then the path to the
    dissociated state is looked for. With --resume a run that was stopped goes on, also with further potentials.
    """
    from unnp.cli.tables import print_table
    from unnp.config.overrides import load_with_overrides
    from unnp.errors import printable
    from unnp.workflows.adsorption.config import AdsorptionConfig
    from unnp.workflows.adsorption.report import ENDS, RESULTS, end_rows, notes, result_rows
    from unnp.workflows.adsorption.run import run_adsorption

    resolved = load_with_overrides(config, settings or [], AdsorptionConfig)
    folder = output or Path(config.stem)
    found = run_adsorption(resolved, config.parent, folder, resume=resume)
    print_table("ends of all starts", ENDS, end_rows(found))
    print_table("verdicts and barriers", RESULTS, result_rows(found, resolved.reference))
    for note in notes(found):
        print(printable(note))
    print(f"Tables and figure: {folder}")
