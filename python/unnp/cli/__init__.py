"""The command line: one module per verb, found by name; heavy imports happen inside the verbs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pkgutil import iter_modules

import typer

from unnp import __version__
from unnp.errors import UnnpError, printable

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
"""As shells and typer have it after Ctrl-C."""


def build_app() -> typer.Typer:
    """Return the application with all verbs: a module defines ``command`` (a function) or ``app`` (a group)."""
    app = typer.Typer(
        name="unnp",
        help="Universal neural-network potentials for production molecular dynamics.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for found in iter_modules(__path__):
        module, verb = import_module(f"{__name__}.{found.name}"), found.name.replace("_", "-")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb)
        elif hasattr(module, "command"):
            app.command(name=verb)(module.command)
    return app


def main() -> None:
    """Run the command line; print the message of an UnnpError to stderr and exit with 2."""
    code = _run()
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _leave(code)
    sys.exit(code)


def _run() -> int:
    """Return the exit code of the verb."""
    try:
        build_app()()
    except UnnpError as error:
        print(f"Error: {printable(str(error))}", file=sys.stderr)
        return EXIT_ERROR
    except SystemExit as end:  # so the command line ends
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:  # while the command line is built; later typer says so itself
        print("Aborted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def _leave(code: int) -> None:
    """End one of the processes of torchrun at once.

    Threads of gloo may still run when the interpreter takes itself apart, and then abort the process now and then although
    all is done and written ("terminate called without an active exception").
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _show_version(value: bool) -> None:
    if value:
        print(f"unnp {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Universal neural-network potentials: train in Python, export one file, run it in LAMMPS or ASE."""
