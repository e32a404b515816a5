"""``unnp doctor``: what this machine has, whether it fits together, and a ten-step run to prove it."""

from __future__ import annotations

import typer

STYLES = {"ok": "green", "note": "yellow", "failed": "red", "skipped": "yellow"}


def command() -> None:
    """Look at torch, GPUs, MPI, LAMMPS and the plugin, and run ten steps on 1 and 2 ranks against ASE.

    The exit code is 1 where something failed.
    """
    from rich.console import Console
    from rich.text import Text

    from unnp.workflows.doctor.examine import examine

    console = Console(soft_wrap=True)
    failed = 0
    for finding in examine():
        failed += finding.verdict == "failed"
        mark = Text(f"{finding.verdict:<8}", style=STYLES[finding.verdict])
        console.print(mark + Text(f"{finding.name:<20} {finding.text}"))
        if finding.advice:
            console.print(Text(f"{'':8}{'':20} -> {finding.advice}"))
    if failed:
        print(f"{failed} of these failed.")
        raise typer.Exit(1)
    print("All is well.")
