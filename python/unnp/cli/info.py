"""``unnp info``: what an exported model says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from unnp.exported.manifest import Manifest


def command(
    model: Annotated[Path, typer.Argument(help="Exported model.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as it is in the file.")] = False,
) -> None:
    """Print the manifest of an exported model: elements, cutoff, errors, references ...

    The file is checked; the model itself is not run."""
    from unnp.errors import printable
    from unnp.exported.archive import read_manifest

    manifest = read_manifest(model)
    # JSON spells out everything that steers a terminal by itself
    print(manifest.to_json() if as_json else "\n".join(printable(line) for line in _lines(manifest)))


def _lines(manifest: Manifest) -> list[str]:
    from unnp.errors import in_one_line

    exchanges = f", {len(manifest.exchange_widths)} exchanges" if manifest.exchange_widths else ""
    exchanges += f", {len(manifest.pooling_widths)} sums over all atoms" if manifest.pooling_widths else ""
    facts = {
        "name": in_one_line(manifest.name),
        "architecture": in_one_line(manifest.architecture),
        "elements": " ".join(manifest.elements),
        "cutoff": f"{manifest.cutoff:g} A, receptive field {manifest.receptive_field:g} A",
        "on several ranks": f"{manifest.halo}{exchanges}",
        "numbers": f"{manifest.n_parameters} parameters, {manifest.dtype}",
        "committee": _committee(manifest),
        **{_energies_of(head.name, manifest): _listed(head.reference_energies) for head in manifest.heads},
        "outputs": ", ".join(f"{o.name} per {o.per}" for o in manifest.outputs),
        "torch": f"written with {manifest.torch_version}, runs with {' to '.join(manifest.torch_supported)}",
        "created": in_one_line(manifest.created),
        "licence": in_one_line(manifest.licence),
        "format": str(manifest.format_version),
    }
    lines = [f"{key:<20}{value}" for key, value in facts.items() if value]
    seen = [f"  {in_one_line(key)}: {in_one_line(value, 1000)}" for key, value in manifest.validity.items()]
    lines += ["range of validity:", *seen] if seen else []
    for title, content in (("data", manifest.data), ("errors", manifest.metrics), ("config", manifest.config)):
        lines += [f"{title}:", *_indented(content)] if content else []
    cited = [f"  {in_one_line(reference, 1000)}" for reference in manifest.references]
    return [*lines, "cite:", *cited] if cited else lines


def _committee(manifest: Manifest) -> str:
    return f"{manifest.n_members} members; {manifest.calibration()}" if manifest.n_members > 1 else ""


def _energies_of(head: str, manifest: Manifest) -> str:
    return "reference energies" if len(manifest.heads) == 1 else f"head {head}"


def _listed(energies: dict[str, float]) -> str:
    return ", ".join(f"{element} {energy:.6g} eV" for element, energy in energies.items())


def _indented(content: dict[str, Any]) -> list[str]:
    import yaml

    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return [f"  {line}" for line in text.rstrip().splitlines()]
