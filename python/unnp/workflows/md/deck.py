"""LAMMPS input decks that a LAMMPS user would write, and that run by themselves."""

from __future__ import annotations

from unnp.lammps.captured import CAPTURED_FILE
from unnp.lammps.commands import command, thermo_format, timestep, world
from unnp.lammps.system import DATA_FILE, System
from unnp.lammps.watching import watching_words, with_words
from unnp.workflows.md.config import BAROSTATTED, MdConfig
from unnp.workflows.md.motion import (
    KEPT_FORCES,
    groups,
    integration,
    keeps_forces,
    minimisation,
    start_velocities,
    temperature_name,
)

THERMO_COLUMNS = "step time temp press pe ke etotal vol pxx pyy pzz pyz pxz pxy lx ly lz xy xz yz"
RESTART_FILES = ("restart.a", "restart.b")


def start_deck(config: MdConfig, system: System) -> str:
    """Return the deck of a run from the structure file ``structure.data``."""
    lines = [
        f"# {system.title}",
        f"# {_summary(config, system)}",
        f"# Runs by itself: {config.shown()} -in in.lammps",
        "",
        *world(system.boundary),
        command("read_data", DATA_FILE),
        "",
        *groups(system),
        *_potential(config, system, "deviation.out"),
        "",
        timestep(config.timestep),
        *_thermo(config, system),
        "",
    ]
    lines += minimisation(system) if config.minimise else []
    lines += start_velocities(config, system)
    lines += [*integration(config, system), "", *_dump(config, system, "trajectory"), *_run(config)]
    return "\n".join(lines) + "\n"


def resume_deck(config: MdConfig, system: System, restart: str, segment: int) -> str:
    """Return the deck that goes on from a restart file; ``segment`` counts the continuations from 1."""
    lines = [
        f"# {system.title}",
        f"# {_summary(config, system)}",
        f"# Continuation {segment}, from {restart}.",
        "",
        command("read_restart", restart),
        "",
        *groups(system),
        *_potential(config, system, f"deviation.{segment}.out"),
        "",
        timestep(config.timestep),
        *_thermo(config, system),
        "",
        *integration(config, system),
        "",
        *_dump(config, system, f"trajectory.{segment}"),
        *_run(config),
    ]
    return "\n".join(lines) + "\n"


def _summary(config: MdConfig, system: System) -> str:
    t0, t1 = config.temperatures
    p0, p1 = config.pressures
    parts = [config.ensemble, f"{t0:g} K" if t0 == t1 else f"{t0:g} to {t1:g} K"]
    if config.ensemble in BAROSTATTED:
        parts.append(f"{p0:g} GPa" if p0 == p1 else f"{p0:g} to {p1:g} GPa")
    parts.append(f"{config.steps} steps of {config.timestep:g} fs")
    if system.fixed:
        parts.append(f"{len(system.fixed)} atoms fixed")
    if system.velocities:
        parts.append("velocities of the structure file")
    return ", ".join(parts)


def _potential(config: MdConfig, system: System, file: str) -> list[str]:
    deviation = [] if config.deviation is None else [f"deviation {file} {config.deviation}"]
    # one file for all parts of the run: each part keeps the frames of the steps before it
    watching = watching_words(config.capture, config.stop, CAPTURED_FILE)
    return with_words(system, " ".join([*deviation, watching]).strip())


def _thermo(config: MdConfig, system: System) -> list[str]:
    name = temperature_name(system)
    return [
        command("thermo_style", f"custom {THERMO_COLUMNS}"),
        thermo_format() + (f" temp {name}" if name else ""),
        command("thermo", str(config.thermo)),
    ]


def _dump(config: MdConfig, system: System, name: str) -> list[str]:
    if config.dump is None:
        return []
    every, elements = config.dump.every, " ".join(system.elements)
    kept = keeps_forces(config)
    if config.dump.format == "extxyz":
        return [
            command("dump", f"trajectory all extxyz {every} {name}.extxyz"),
            command("dump_modify", f"trajectory element {elements} sort id vel yes forces {'no' if kept else 'yes'}"),
            *(_kept_forces(every, name) if kept else []),
            # has the energy at hand, so that it stands with each frame
            command("fix", f"energies all ave/time {every} 1 {every} c_thermo_pe"),
        ]
    columns = " ".join(KEPT_FORCES) if kept else "fx fy fz"
    titles = "".join(f" colname {name} f{c}" for name, c in zip(KEPT_FORCES, "xyz", strict=True)) if kept else ""
    return [
        command("dump", f"trajectory all custom {every} {name}.lammpstrj id type element xu yu zu vx vy vz {columns}"),
        command("dump_modify", f"trajectory element {elements} sort id format float %.10g{titles}"),
    ]


def _kept_forces(every: int, name: str) -> list[str]:
    return [
        command("dump", f"forces all custom {every} {name}.forces {' '.join(KEPT_FORCES)}"),
        command("dump_modify", "forces sort id format float %.10g"),
    ]


def _run(config: MdConfig) -> list[str]:
    # start and stop make a ramp the same ramp, however often it was interrupted
    return [
        command("restart", f"{config.restart} {' '.join(RESTART_FILES)}"),
        command("run", f"{config.steps} upto start 0 stop {config.steps}"),
        command("write_restart", "final.restart"),
        command("write_data", "final.data nocoeff"),
    ]
