"""An analysis as rows of text."""

from __future__ import annotations

import math

from unnp.sampling.analysis import Analysis
from unnp.sampling.estimate import Estimate
from unnp.sampling.log_file import unit_names


def averages_header(analysis: Analysis) -> list[str]:
    """Return the titles of ``averages_rows``."""
    names = unit_names(analysis.evidence.samples.header)
    return [
        f"T [{names.temperature}]",
        "effective\nsamples",
        f"E\n[{names.energy}/atom]",
        f"H\n[{names.energy}/atom]",
        f"V\n[{names.length}^3/atom]",
        "order\nparameter",
        "heat capacity\n[k/atom]",
    ]


def averages_rows(analysis: Analysis) -> list[list[str]]:
    """Return one row per listed temperature; a reason where the samples do not support it."""
    rows, n, k = [], len(analysis.evidence.samples), analysis.evidence.samples.boltzmann
    for row in analysis.thermal.listed:
        begin = [f"{row.temperature:.6g}", f"{row.effective_fraction * n:.0f}"]
        if row.values is None:
            rows.append([*begin, "refused", "", "", "", ""])
            continue
        v = row.values
        capacity = v["heat_capacity"].times(1 / k)
        rows.append(begin + [with_error(x) for x in (v["energy"], v["enthalpy"], v["volume"], v["order"], capacity)])
    return rows


def melting_rows(analysis: Analysis) -> list[list[str]]:
    """Return quantity and value of the melting point; empty where there is none."""
    melting = analysis.transition.melting
    if melting is None:
        return []
    names = unit_names(analysis.evidence.samples.header)
    tm, slope, f = melting.temperature, melting.slope, names.pressure_factor
    rows = [
        [f"melting temperature [{names.temperature}]", with_error(tm)],
        [f"latent heat [{names.energy}/atom]", with_error(melting.latent_heat)],
        [
            "entropy change [k/atom]",
            f"{melting.latent_heat.value / (analysis.evidence.samples.boltzmann * tm.value):.4g}",
        ],
        [f"volume change [{names.length}^3/atom]", with_error(melting.volume_change)],
        [
            f"dP/dT [{names.pressure} {names.temperature}^-1]",
            "not told from infinity" if slope is None else with_error(slope.times(f)),
        ],
        ["dividing order parameter", f"{melting.phases.dividing:.4g}"],
        ["passages between the phases", str(melting.passages)],
    ]
    first, second = ("none" if t is None else f"{t:.1f}" for t in melting.halves)
    rows.append(["Tm of first and second half", f"{first}, {second}"])
    rows.append(["drift of dG between the halves [kT]", f"{melting.drift:+.2f}"])
    return rows


def with_error(estimate: Estimate) -> str:
    """Return ``value ± error`` with two digits of the error."""
    if not math.isfinite(estimate.error) or estimate.error <= 0:
        return f"{estimate.value:.6g}"
    digits = min(12, max(0, 1 - math.floor(math.log10(estimate.error))))
    return f"{estimate.value:.{digits}f} ± {estimate.error:.{digits}f}"
