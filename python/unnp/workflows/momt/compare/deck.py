"""Decks of plain dynamics to compare a MOMT run with."""

from __future__ import annotations

from unnp.lammps.commands import command, draw_velocities, world
from unnp.lammps.system import System
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck_parts import ensemble, interactions, text, thermo, thermostat
from unnp.workflows.momt.fix_momt import UNBIASED, fix_momt


def plain_deck(config: MomtConfig, system: System, start: str, temperature: float, steps: int) -> str:
    """Return the deck of one temperature, from "solid" or "liquid"."""
    title = f"Plain dynamics from the {start} at {temperature:g} K"
    return _deck(config, system, start, start, title, [temperature], steps)


def ramp_deck(config: MomtConfig, system: System, steps: int) -> str:
    """Return the deck of a ramp from the solid at the lowest temperature to the highest and back, in stairs."""
    up = config.ensemble_temperatures
    title = f"Plain dynamics in stairs from {up[0]:g} to {up[-1]:g} K and back"
    return _deck(config, system, "ramp", "solid", title, [*up, *up[::-1]], steps)


def n_stairs(config: MomtConfig, method: str) -> int:
    """Return the number of logs that a method writes."""
    return 2 * config.n_temperatures if method == "ramp" else 1


def _deck(
    config: MomtConfig, system: System, method: str, start: str, title: str, temperatures: list[float], steps: int
) -> str:
    each = config.pace * max(1, steps // len(temperatures) // config.pace)
    lines = [
        f"# {system.title}",
        f"# {title}, {each * len(temperatures) * config.timestep / 1000:g} ps",
        f"# Runs by itself: {config.shown()} -in in.compare.{method}.lammps",
        "",
        *world(system.boundary),
        command("read_data", f"observe/{start}.data"),
        *interactions(config, system),
        draw_velocities(temperatures[0], config.seed),
    ]
    for k, temperature in enumerate(temperatures):
        lines += [
            *([command("unfix", name) for name in ("thermostat", "motion", "momt")] if k else []),
            "",
            fix_momt(config, f"compare/momt.{method}.{k}.log", UNBIASED, temperature=temperature),
            *ensemble(config, temperature),
            thermostat(config, temperature, str(config.seed + k)),
            *thermo(config),
            command("run", str(each)),
        ]
    return text(*lines)
