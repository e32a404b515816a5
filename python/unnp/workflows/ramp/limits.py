"""Phase labels along a ramp, the limits of superheating and undercooling, and the melting point they suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from unnp.workflows.ramp.bins import Bin

CRYSTAL_ABOVE = 0.5
"""Fraction of solid atoms of a crystal; just before it melts it still has about 0.8, a liquid has below 0.05."""
DISORDERED_BELOW = 0.2
CAGED = 0.05
"""Mean square displacement in a bin over the square of the neighbour distance, below which atoms stay in their cages."""


@dataclass(frozen=True)
class Phase:
    """Bins of a leg that follow each other and have the same label.

    Attributes:
        leg: "equilibration", "heating" or "cooling".
        label: "crystal", "partly crystalline", "liquid" or "glass".
        first, last: measured temperature of the first and the last bin [K].
        n_bins: how many.
        reason: the numbers behind the label.
    """

    leg: str
    label: str
    first: float
    last: float
    n_bins: int
    reason: str


@dataclass(frozen=True)
class Limit:
    """Where a crystal became a liquid, or a liquid a crystal, or why that was not seen.

    Attributes:
        temperature: half-way between the two bins around the change [K], None where there was none.
        error: half the distance of these bins [K]: the resolution of one run, not its statistical error.
        enthalpy_jump, volume_jump: of lines through the bins on either side, at the limit, disordered minus crystal
            [eV/atom, A^3/atom]; None where a side has fewer than three bins.
        reason: what was seen.
    """

    temperature: float | None
    error: float | None
    enthalpy_jump: float | None
    volume_jump: float | None
    reason: str


def label(part: Bin) -> str:
    """Return what the atoms of a bin are: "crystal", "partly crystalline", "liquid" or "glass"."""
    if part.solid >= CRYSTAL_ABOVE:
        return "crystal"
    if part.solid >= DISORDERED_BELOW:
        return "partly crystalline"
    return "glass" if part.msd < CAGED * part.neighbour_distance**2 else "liquid"


def phases(bins: Sequence[Bin]) -> list[Phase]:
    """Return the labels over time, bins with the same one taken together."""
    groups = [(key, list(group)) for key, group in groupby(bins, key=lambda part: (part.leg, label(part)))]
    return [
        Phase(leg, name, group[0].temperature, group[-1].temperature, len(group), _reason(name, group))
        for (leg, name), group in groups
    ]


def _reason(name: str, group: Sequence[Bin]) -> str:
    shares = {kind: float(np.mean([getattr(part, kind) for part in group])) for kind in ("fcc", "hcp", "bcc")}
    solid = float(np.mean([part.solid for part in group]))
    text = f"{100 * solid:.0f} % of the atoms have crystal-like neighbours"
    if name in ("crystal", "partly crystalline"):
        listed = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in shares.items())
        return f"{text} (common neighbours: {listed})"
    moved = float(np.mean([np.sqrt(max(part.msd, 0.0)) / part.neighbour_distance for part in group]))
    duration = group[0].duration
    ending = "atoms stay in their cages" if name == "glass" else "atoms leave their cages"
    return f"{text}; within {duration:.3g} ps they move {moved:.2f} neighbour distances: {ending}"


def superheating_limit(bins: Sequence[Bin]) -> Limit:
    """Return where the crystal melted on heating."""
    heating = [part for part in bins if part.leg == "heating"]
    if not heating:
        return _none("the heating has not begun.")
    if label(heating[0]) != "crystal":
        return _none(
            f"the heating began with a {label(heating[0])}, not a crystal ({_reason('crystal', heating[:1])})."
        )
    if label(heating[-1]) not in ("liquid", "glass"):
        return _none(
            f"the crystal did not melt up to {heating[-1].temperature:.0f} K ({_reason('crystal', heating[-1:])}); "
            "take a higher peak temperature or a slower rate."
        )
    change = max(k for k, part in enumerate(heating) if label(part) in ("crystal", "partly crystalline"))
    return _limit(heating[: change + 1], heating[change + 1 :], "the crystal melted")


def undercooling_limit(bins: Sequence[Bin]) -> Limit:
    """Return where the melt crystallised on cooling."""
    cooling = [part for part in bins if part.leg == "cooling"]
    if not cooling:
        return _none("the cooling has not begun.")
    if label(cooling[0]) != "liquid":
        return _none(f"the cooling began with a {label(cooling[0])}, not a liquid ({_reason('crystal', cooling[:1])}).")
    last = cooling[-1]
    became = label(last)
    if became == "crystal":
        change = max(k for k, part in enumerate(cooling) if label(part) in ("liquid", "glass"))
        return _limit(cooling[change + 1 :], cooling[: change + 1], "the melt crystallised")
    found = "only in part" if became == "partly crystalline" else "none seen"
    advice = "cool more slowly, or take more atoms" + (", or end at a lower temperature" if became == "liquid" else "")
    return _none(
        f"{found}: {became} at {last.temperature:.0f} K ({_reason(became, [last])}), the cooling was too fast for a "
        f"crystal to grow; {advice}."
    )


def melting_estimate(heated: Limit, cooled: Limit) -> tuple[float | None, str]:
    """Return ``T+ + T- - sqrt(T+ T-)`` [K] of the two limits, or None, and what that is worth.

    The hysteresis estimate of Luo et al., J. Chem. Phys. 120, 11640 (2004): it assumes that the melt crystallises as far
    below the melting point as nucleation theory says for the superheating that was seen.
    """
    above, below = heated.temperature, cooled.temperature
    if above is None or below is None:
        missing = " and ".join(
            name for name, value in (("superheating", above), ("undercooling", below)) if value is None
        )
        return None, f"no estimate: the limit of {missing} was not seen."
    if below >= above:
        return (
            None,
            f"no estimate: the melt crystallised at {below:.0f} K, not below {above:.0f} K where the crystal melted.",
        )
    estimate = above + below - float(np.sqrt(above * below))
    return estimate, "an estimate from the hysteresis of one run; `unnp melt` computes the melting point."


def _none(reason: str) -> Limit:
    return Limit(None, None, None, None, reason)


def _limit(ordered: Sequence[Bin], disordered: Sequence[Bin], happened: str) -> Limit:
    """Return the limit between a crystal's bins and a liquid's, of which one side ends where the other begins."""
    earlier, later = sorted((ordered, disordered), key=lambda side: side[0].first_step)
    one, other = earlier[-1], later[0]
    temperature = 0.5 * (one.temperature + other.temperature)
    error = 0.5 * max(abs(one.temperature - other.temperature), abs(one.target - other.target))
    reason = (
        f"{happened} between {one.temperature:.0f} and {other.temperature:.0f} K: the fraction of atoms with "
        f"crystal-like neighbours went from {one.solid:.2f} to {other.solid:.2f}."
    )
    return Limit(
        temperature,
        error,
        _jump(ordered, disordered, temperature, "enthalpy"),
        _jump(ordered, disordered, temperature, "volume"),
        reason,
    )


def _jump(ordered: Sequence[Bin], disordered: Sequence[Bin], temperature: float, name: str) -> float | None:
    values = []
    for side, wanted in ((ordered, "crystal"), (disordered, "liquid")):
        whole = [part for part in side if label(part) == wanted]
        # Near the limit defects and nuclei bend the curve; nearer than 20 bins it is straight enough otherwise.
        near = sorted(whole, key=lambda part: abs(part.temperature - temperature))[:20]
        if len(near) < 3:
            return None
        line = np.polyfit([part.temperature for part in near], [getattr(part, name) for part in near], 1)
        values.append(float(np.polyval(line, temperature)))
    return values[1] - values[0]
