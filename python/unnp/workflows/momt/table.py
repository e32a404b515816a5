"""The summary of a run as rows for the terminal."""

from __future__ import annotations

from typing import Any


def summary_rows(summary: dict[str, Any]) -> list[list[str]]:
    """Return (name, value) rows of ``summary.json``."""
    rows = []
    for name, phase in summary["phases"].items():
        rows.append([name, f"{phase['time_ps']:g} ps, {phase['round_trips']:g} round trips, {phase['ended']}"])
    rows.append(["frames.extxyz", f"{summary['frames']} frames"])
    melting = summary["analysis"]["melting"]
    if melting is None:
        return [*rows, ["melting point", f"none: {summary['analysis']['refusal']}"]]
    rows.append(["melting point of this cell [K]", _estimate(melting["temperature"], "{:.1f}")])
    rows.append(["latent heat [meV/atom]", _estimate(melting["latent_heat_per_atom"], "{:.2f}", 1000)])
    rows.append(["volume change [A^3/atom]", _estimate(melting["volume_change_per_atom"], "{:.3f}")])
    if melting["pressure_slope"]:
        rows.append(["dP/dT [MPa/K]", _estimate(melting["pressure_slope"], "{:.2f}", 1000)])
    return rows


def _estimate(estimate: dict[str, float], form: str, factor: float = 1.0) -> str:
    return " +- ".join(form.format(factor * estimate[key]) for key in ("value", "error"))
