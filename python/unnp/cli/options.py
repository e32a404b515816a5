"""Options that the verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OutputFolder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Folder of the run; default: the name of CONFIG without ending."),
]
Resume = Annotated[
    bool,
    typer.Option(help="Go on with the run in the folder: after an interruption, or further than it went."),
]
DryRun = Annotated[bool, typer.Option(help="Write what the run begins with, its first decks, and run nothing.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; a dot leads into a table: KEY.SUBKEY=VALUE."),
]
