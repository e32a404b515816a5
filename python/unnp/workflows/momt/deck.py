"""Input decks of the stages; each runs by itself in the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unnp.lammps.commands import command, draw_velocities, world
from unnp.lammps.system import DATA_FILE, System
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.deck_parts import ensemble, interactions, text, thermo, thermostat
from unnp.workflows.momt.fix_momt import UNBIASED, bias_arguments, fix_momt

ADAPT, PRODUCTION = "adapt", "production"
STATE_FILE, START_FILE = "state.json", "start.json"
"""Bias as a stage has left it, and as the run begins with it where it is that of another run."""


@dataclass(frozen=True)
class Chunk:
    """One start of LAMMPS in a stage that is made of several.

    Attributes:
        stage: "adapt" or "production".
        number: from 1.
    """

    stage: str
    number: int

    @property
    def deck(self) -> str:
        """Name of the deck in the run folder: one begins the stage, one goes on, of which the last is kept."""
        return f"in.{self.stage}.lammps" if self.number == 1 else f"in.{self.stage}.continue.lammps"


def observe_deck(config: MomtConfig, system: System, phase: str) -> str:
    """Return the deck of plain dynamics of one phase, with the order parameter measured.

    Args:
        config: the run's configuration.
        system: atoms and potential.
        phase: "solid" (at the lowest temperature) or "liquid" (molten, then at the highest).
    """
    temperature = config.temperatures[0 if phase == "solid" else 1]
    start = temperature if phase == "solid" else melt_temperature(config)
    run = command("run", str(config.steps(config.stages.observe, config.pace)))
    melting = [
        "# made at another temperature than it is measured at",
        *ensemble(config, start),
        thermostat(config, start, str(config.seed)),
        run,
        command("unfix", "thermostat"),
        command("unfix", "motion"),
        command("reset_timestep", "0"),
        "",
    ]
    return text(
        f"# {system.title}",
        f"# Observe: the {phase} at {temperature:g} K, {config.stages.observe:g} ps, without bias",
        f"# Runs by itself: {config.shown()} -in in.observe.{phase}.lammps",
        "",
        *world(system.boundary),
        command("read_data", DATA_FILE),
        *interactions(config, system, f"observe/captured.{phase}.extxyz"),
        # half of the kinetic energy of a crystal at rest in its sites goes into potential energy
        draw_velocities(2 * start, config.seed),
        "",
        *(melting if phase == "liquid" else []),
        fix_momt(config, f"observe/momt.{phase}.log", UNBIASED, temperature=temperature),
        *ensemble(config, temperature),
        thermostat(config, temperature, str(config.seed + 1)),
        *thermo(config),
        run,
        command("write_data", f"observe/{phase}.data nocoeff"),
    )


def chunk_deck(config: MomtConfig, system: System, chunk: Chunk, basins: Basins) -> str:
    """Return the deck of a chunk: the first begins with data files, each other with the restart files before it."""
    t0, walkers = config.reference_temperature, range(config.walkers)
    # No two of a run are alike: room for 1,000 walkers in a chunk, and for 500 chunks before those of production.
    seeds = [config.seed + 1000 * (chunk.number + 500 * (chunk.stage == PRODUCTION)) + w for w in walkers]
    last = chunk.number * config.chunk_steps
    ranks = f"-partition {config.walkers}x{config.ranks} " if config.walkers > 1 else ""
    return text(
        f"# {system.title}",
        f"# {_summary(config)}",
        f"# {chunk.stage.capitalize()}, chunk {chunk.number}: up to {last * config.timestep / 1000:g} ps",
        f"# Runs by itself: {config.shown(config.walkers)} {ranks}-in {chunk.deck}",
        "",
        _per_walker("walker", walkers),
        _per_walker("seed", seeds),
        *_begin(config, system, chunk),
        *interactions(config, system, f"{chunk.stage}/captured.${{walker}}.extxyz"),
        *([draw_velocities(t0, "${seed}")] if chunk == Chunk(ADAPT, 1) else []),
        _biased(config, chunk, basins),
        *ensemble(config, t0),
        thermostat(config, t0, "${seed}"),
        *thermo(config),
        "",
        *(_dump(config, chunk) if chunk.stage == PRODUCTION and config.frames else []),
        command("run", f"{last} upto"),
        command("write_restart", f"{chunk.stage}/restart.{chunk.number}.${{walker}}"),
        command("write_data", f"{chunk.stage}/final.${{walker}}.data nocoeff"),
    )


def melt_temperature(config: MomtConfig) -> float:
    """Return the temperature at which the liquid is made [K]; without order parameter nothing needs to melt."""
    if not config.has_order:
        return config.temperatures[1]
    return config.stages.melt_temperature or 1.5 * config.temperatures[1]


def _begin(config: MomtConfig, system: System, chunk: Chunk) -> list[str]:
    if chunk.number > 1:
        return ["", command("read_restart", f"{chunk.stage}/restart.{chunk.number - 1}.${{walker}}")]
    if chunk.stage == PRODUCTION:
        start, lines = f"{ADAPT}/final.${{walker}}.data", []
    else:
        phases = ["liquid" if w % 2 and config.has_order else "solid" for w in range(config.walkers)]
        start, lines = "observe/${phase}.data", [_per_walker("phase", phases)]
    return [*lines, "", *world(system.boundary), command("read_data", start)]


def _biased(config: MomtConfig, chunk: Chunk, basins: Basins) -> str:
    options = [bias_arguments(config, basins)]
    begins_with = f"{ADAPT}/{STATE_FILE}" if chunk.stage == PRODUCTION else START_FILE if config.bias_from else ""
    if chunk.number == 1 and begins_with:  # later ones begin with restart files, which hold the bias too
        options.append(f"start {begins_with}")
    if chunk.stage == PRODUCTION:
        options.append("freeze 0")
    options += [f"state {chunk.stage}/{STATE_FILE} {config.chunk_steps}"]
    return fix_momt(config, f"{chunk.stage}/momt.${{walker}}.log", " ".join(options))


def _dump(config: MomtConfig, chunk: Chunk) -> list[str]:
    # positions only: the forces at hand hold the bias
    name = f"{PRODUCTION}/frames.{chunk.number}.${{walker}}.lammpstrj"
    return [
        command("dump", f"frames all custom {config.stride} {name} id type x y z"),
        command("dump_modify", "frames sort id format float %.12g"),
    ]


def _per_walker(name: str, values: Sequence[object]) -> str:
    return command("variable", f"{name} world {' '.join(map(str, values))}")


def _summary(config: MomtConfig) -> str:
    low, high = config.temperatures
    pressure = "constant volume" if config.pressure is None else f"{config.pressure:g} GPa"
    return (
        f"MOMT {config.bias.kind}, {low:g} to {high:g} K, T0 {config.reference_temperature:g} K, {pressure}, "
        f"timestep {config.timestep:g} fs, {config.walkers} walker(s)"
    )
