"""Tables and exit codes that the verbs share."""

from __future__ import annotations

EXIT_INTERRUPTED = 75
"""EX_TEMPFAIL of sysexits.h: come back later."""


def print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print a table with right-aligned numbers."""
    from rich.console import Console
    from rich.markup import escape  # or a unit such as [eV/A] would be taken for a style
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left")
    table.add_column(escape(header[0]), no_wrap=True)
    for name in header[1:]:
        table.add_column(escape(name), justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console()
    if not console.is_terminal:  # a log or a pipe has no edge to fold the columns at
        console.width = 200
    console.print(table)
