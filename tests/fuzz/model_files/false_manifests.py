"""Manifests that say something else than their network, with the checksums of an export."""

from __future__ import annotations

import json
from typing import Any

from model_archive import Archive
from unnp.exported.archive import checksum_of

HALF = "\ud800"
"""Half a character: JSON can spell it, but no text has it."""
ENERGY = {"name": "energy", "per": "atom", "shape": [], "unit": "eV"}
FEATURES = {"name": "features", "per": "atom", "shape": [64], "unit": ""}
REFERENCE = {"Ni": -5.642534818437374}

# Changes to the manifest of models/teanet-mlearn-Ni with right checksums, and what is said of them; "" where the model stays
# right. Its cutoff is 5 A, its receptive field 9 A, and it exchanges 176 numbers per atom.
FALSE_MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "as it was": ({}, ""),
    "narrow exchange": ({"exchange_widths": [175]}, "exchanges 176 numbers per atom, not 175"),
    "wide exchange": ({"exchange_widths": [16384]}, "exchanges 176 numbers per atom, not 16384"),
    "two exchanges": ({"exchange_widths": [176, 176]}, "exchanges 176 numbers per atom, not 176, 176"),
    "no exchange": ({"exchange_widths": []}, "halo 'exchange' needs exchange_widths"),
    "a sum": ({"pooling_widths": [1]}, "sums no numbers over all atoms, not 1"),
    "cutoff 4.9 A": ({"cutoff": 4.9}, "sees beyond the cutoff of the manifest, 4.9"),
    "cutoff 2 A": ({"cutoff": 2.0}, "sees beyond the cutoff of the manifest, 2.0"),
    "cutoff 7 A": ({"cutoff": 7.0}, ""),
    "cutoff above the receptive field": ({"cutoff": 12.0}, "receptive_field"),
    "receptive field of one cutoff": ({"receptive_field": 5.0}, "sees beyond the receptive field of the manifest, 5.0"),
    "receptive field 15 A": ({"receptive_field": 15.0}, ""),
    "halo wide": ({"halo": "wide"}, ""),
    "halo wide with a short receptive field": (
        {"halo": "wide", "exchange_widths": [], "receptive_field": 6.0},
        "sees beyond the receptive field of the manifest, 6.0",
    ),
    "halo local": ({"halo": "local", "exchange_widths": []}, "bonds refer to atoms beyond"),
    "halo local that exchanges": ({"halo": "local"}, "exchange_widths is not empty"),
    "two members": ({"n_members": 2}, "energies of 2 members"),
    "another number type": ({"dtype": "float64"}, "the manifest says dtype float64"),
    "a second head": (
        {"heads": [{"name": name, "reference_energies": REFERENCE, "groups": []} for name in ("a", "b")]},
        "network cannot be run",
    ),
    "outputs in another order": ({"outputs": [FEATURES, ENERGY]}, ""),
    "half a character as the name": ({"name": HALF}, "is not valid JSON"),
    "half a character as an element": ({"elements": [HALF]}, "is not valid JSON"),
    "half a character as a head": (
        {"heads": [{"name": HALF, "reference_energies": REFERENCE, "groups": []}]},
        "is not valid JSON",
    ),
    "half a character as a group": (
        {"heads": [{"name": "a", "reference_energies": REFERENCE, "groups": [HALF]}]},
        "is not valid JSON",
    ),
    "half a character as an output": ({"outputs": [ENERGY, FEATURES, ENERGY | {"name": HALF}]}, "is not valid JSON"),
    "half a character as a key": ({"data": {"shortest_distances": {HALF: 1.0}}}, "is not valid JSON"),
    "two halves that fit": ({"name": "\ud83d\ude00"}, ""),
    "a distance that cannot be": ({"data": {"shortest_distances": {"Ni-Ni": 1e308}}}, ""),
}


def sealed(archive: Archive, **fields: Any) -> bytes:
    """Return the file with fields of its manifest changed, and the checksum that an export would have written for it."""
    manifest = json.loads(archive.read("extra/unnp.json")) | fields

    def rebuilt(checksum: str) -> bytes:
        text = json.dumps(manifest | {"records_checksum": checksum})
        return archive.rebuilt({"extra/unnp.json": text.encode()})

    return rebuilt(checksum_of(rebuilt("0" * 64)))
