"""Reference pages made from the program itself: help texts of the commands, settings of configurations and architectures."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import typer
from docutils import nodes
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

LIMITS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


def commands_text() -> str:
    """Return one section for each command, with what ``--help`` says."""
    from unnp.cli import build_app

    app = build_app()
    app.rich_markup_mode = None
    sections = []
    for words in verbs(typer.main.get_command(app)):
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="unnp", terminal_width=110, catch_exceptions=False)
        sections += [f"## unnp {' '.join(words)}", "", "```text", shown.output.strip(), "```", ""]
    return "\n".join(sections)


def verbs(command: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of all commands below one, those of groups after the group's name."""
    found: list[tuple[str, ...]] = []
    for name, inner in sorted(command.commands.items()):
        words = (*before, name)
        found += verbs(inner, words) if hasattr(inner, "commands") else [words]
    return found


def settings_text(kind: type[BaseModel], level: int = 2) -> str:
    """Return the settings of a configuration as a list, followed by a section for each configuration inside of it."""
    schema = kind.model_json_schema()
    parts = _settings(schema)
    for name, inner in schema.get("$defs", {}).items():
        if inner.get("properties"):
            parts += [f"{'#' * level} {name}", "", inner.get("description", ""), "", *_settings(inner)]
    return "\n".join(parts)


def architecture_text(name: str) -> str:
    """Return settings, presets and references of an architecture."""
    from unnp.models import architecture

    kind = architecture(name)
    parts = [settings_text(kind.Config, level=3), ""]
    for preset, settings in kind.presets.items():
        parts.append(f"* preset `{preset}`: " + ", ".join(f"{key} {value}" for key, value in settings.items()))
    return "\n".join([*parts, "", "Cite: " + "; ".join(kind.references) + "."])


def _settings(schema: dict[str, Any]) -> list[str]:
    lines = []
    for name, field in schema.get("properties", {}).items():
        needed = name in schema.get("required", ())
        default = "" if "default" not in field or "$ref" in field else f", default {_literal(field['default'])}"
        description = " ".join(field.get("description", "").split())
        kind = f"{_type(field)}{', required' if needed else default}"
        lines += [f"`{name}`", f": {description[:1].upper()}{description[1:]} *({kind})*", ""]
    return lines


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2]
    if "enum" in field:
        return " or ".join(_literal(value) for value in field["enum"])
    if "const" in field:
        return _literal(field["const"])
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " or ".join(dict.fromkeys(_type(option) for option in field[key]))
    if field.get("type") == "array":
        fixed = field.get("prefixItems")
        return f"[{', '.join(_type(item) for item in fixed)}]" if fixed else f"list of {_type(field.get('items', {}))}"
    if field.get("type") == "object":
        inner = field.get("additionalProperties")
        return f"table of {_type(inner)}" if isinstance(inner, dict) else "table"
    limits = [f"{sign} {field[key]:g}" for key, sign in LIMITS.items() if key in field]
    return " ".join([field.get("type", "any value"), *limits])


def _literal(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) and value else f"`{json.dumps(value)}`"


class _Reference(SphinxDirective):
    """Puts generated text where it stands."""

    optional_arguments = 1

    def text(self) -> str:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)


class Commands(_Reference):
    """``unnp-commands``: the help texts of all commands."""

    def text(self) -> str:
        return commands_text()


class Settings(_Reference):
    """``unnp-config module:Class``: the settings of a configuration."""

    def text(self) -> str:
        module, _, name = self.arguments[0].partition(":")
        return settings_text(getattr(import_module(module), name))


class ArchitectureSettings(_Reference):
    """``unnp-architecture name``: settings and presets of an architecture."""

    def text(self) -> str:
        return architecture_text(self.arguments[0])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("unnp-commands", Commands)
    app.add_directive("unnp-config", Settings)
    app.add_directive("unnp-architecture", ArchitectureSettings)
    return {"parallel_read_safe": True, "version": "1"}
