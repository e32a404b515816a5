"""``unnp models``: which architectures there are, and what can be set about them."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Architecture to describe; default: list all.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of its settings.")] = False,
) -> None:
    """List the architectures, or describe the settings of one."""
    import json

    from unnp.errors import ConfigError
    from unnp.models import architecture, architectures, unavailable

    if name is None:
        if schema:
            raise ConfigError("--schema needs the name of an architecture; `unnp models` lists them.")
        for known, kind in architectures().items():
            presets = f"  presets: {', '.join(kind.presets)}" if kind.presets else ""
            print(f"{known:<12} {(kind.__doc__ or '').splitlines()[0]}{presets}")
        for known, reason in unavailable().items():
            print(f"{known:<12} cannot be used: {reason}")
        return
    kind = architecture(name)
    if schema:
        print(json.dumps(kind.Config.model_json_schema(), indent=2))
        return
    print(f"{name}: {(kind.__doc__ or '').strip()}\n\nSettings:")
    for key, field in kind.Config.model_fields.items():
        default = "required" if field.is_required() else repr(field.get_default(call_default_factory=True))
        print(f"  {key} = {default}\n      {field.description or ''}")
    for preset, settings in kind.presets.items():
        print(f"Preset {preset}: {', '.join(f'{k} = {v!r}' for k, v in settings.items()) or 'the defaults'}")
    print("\n".join(["References:", *(f"  {reference}" for reference in kind.references)]))
