"""Directives that take their text from the package, so that documentation, defaults and schema cannot differ.

config-table MODULE.CLASS   all settings of a configuration, one table for each nested part
presets ARCHITECTURE        the named sets of settings of an architecture
quantities                  the table of quantities
cli-reference VERB ...      usage, help, arguments and options of a verb or of a verb of a group
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from cli_reference import cli_markdown
from config_tables import config_markdown, presets_markdown, quantities_markdown
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class ConfigTable(SphinxDirective):
    """The settings of a configuration class."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].rpartition(".")
        return self.parse_text_to_nodes(config_markdown(getattr(import_module(module), name)))


class Presets(SphinxDirective):
    """The presets of an architecture, one column each."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(presets_markdown(self.arguments[0]))


class Quantities(SphinxDirective):
    """The table of quantities."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(quantities_markdown())


class CliReference(SphinxDirective):
    """A verb of the command line."""

    required_arguments: ClassVar[int] = 1
    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(cli_markdown(list(self.arguments)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known."""
    app.add_directive("config-table", ConfigTable)
    app.add_directive("presets", Presets)
    app.add_directive("quantities", Quantities)
    app.add_directive("cli-reference", CliReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
