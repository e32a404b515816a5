"""How a ramp is cut into legs and bins of steps."""

from __future__ import annotations

from dataclasses import dataclass

from unnp.workflows.ramp.config import RampConfig


@dataclass(frozen=True)
class Leg:
    """A part of the run with one ramp of the thermostat.

    Attributes:
        name: "equilibration", "heating" or "cooling".
        start, stop: temperature of the thermostat [K].
        first_step: with which it begins.
        n_bins: number of bins, with ``steps_per_bin`` steps each.
    """

    name: str
    start: float
    stop: float
    first_step: int
    n_bins: int


@dataclass(frozen=True)
class Plan:
    """Legs one after the other, all in bins of the same number of steps, which is a multiple of ``stride``."""

    steps_per_bin: int
    legs: tuple[Leg, ...]

    @property
    def n_steps(self) -> int:
        """Steps of the whole run."""
        return sum(leg.n_bins for leg in self.legs) * self.steps_per_bin

    def last_step(self, leg: Leg) -> int:
        """Return the step with which a leg ends."""
        return leg.first_step + leg.n_bins * self.steps_per_bin

    def find(self, step: int) -> tuple[Leg, int] | None:
        """Return the leg and the number of the bin in it (from 0) that begins at a step, None where none does."""
        for leg in self.legs:
            if leg.first_step <= step < self.last_step(leg) and (step - leg.first_step) % self.steps_per_bin == 0:
                return leg, (step - leg.first_step) // self.steps_per_bin
        return None

    def target(self, leg: Leg, number: int) -> float:
        """Return the thermostat's temperature in the middle of a bin [K]."""
        return leg.start + (leg.stop - leg.start) * (number + 0.5) / leg.n_bins


def make_plan(config: RampConfig) -> Plan:
    """Return the plan of a configuration; the rates are met to within half a bin per leg."""
    start, peak, end = config.temperatures
    steps_per_ps = 1000 / config.timestep
    samples = round(config.bin / max(config.rates) * steps_per_ps / config.stride)
    per_bin = samples * config.stride

    def bins(kelvin: float, rate: float) -> int:
        return max(3, round(kelvin / rate * steps_per_ps / per_bin))

    heating, cooling = config.rates
    waiting = -int(-config.equilibration * steps_per_ps // per_bin)
    counts = (waiting, bins(peak - start, heating), bins(peak - end, cooling))
    legs, step = [], 0
    ramps = (("equilibration", start, start), ("heating", start, peak), ("cooling", peak, end))
    for (name, low, high), count in zip(ramps, counts, strict=True):
        if count:
            legs.append(Leg(name, low, high, step, count))
        step += count * per_bin
    return Plan(per_bin, tuple(legs))
