"""LAMMPS input decks that a LAMMPS user would write, and that run by themselves."""

from __future__ import annotations

from unnp.errors import ConfigError
from unnp.lammps.md_config import BAROSTATTED, MdConfig
from unnp.lammps.system import DATA_FILE, System, command

BAR_PER_GPA = 1e4
THERMO_COLUMNS = "step time temp press pe ke etotal vol pxx pyy pzz pyz pxz pxy lx ly lz xy xz yz"
RESTART_FILES = ("restart.a", "restart.b")


def start_deck(config: MdConfig, system: System) -> str:
    """Return the deck of a run from the structure file ``structure.data``."""
    temperature = config.temperatures[0]
    lines = [
        f"# {system.title}",
        f"# {_summary(config)}",
        f"# Runs by itself: {_start(config)}",
        "",
        *_world(system),
        command("read_data", DATA_FILE),
        "",
        *system.potential,
        "",
        command("timestep", f"{_ps(config.timestep)}    # ps"),
        *_thermo(config),
        "",
    ]
    if config.minimise:
        lines += [
            command("min_style", "cg"),
            command("minimize", "0.0 1.0e-3 1000 10000"),
            command("reset_timestep", "0"),
            "",
        ]
    if temperature > 0:
        rotation = "" if "p" in system.boundary else " rot yes"
        lines += [
            command("velocity", f"all create {_number(temperature)} {config.seed} mom yes{rotation} dist gaussian")
        ]
    lines += [*_dynamics(config, system), "", *_dump(config, system, "trajectory"), *_run(config)]
    return "\n".join(lines) + "\n"


def resume_deck(config: MdConfig, system: System, restart: str, segment: int) -> str:
    """Return the deck that goes on from a restart file; ``segment`` counts the continuations from 1."""
    lines = [
        f"# {system.title}",
        f"# {_summary(config)}",
        f"# Continuation {segment}, from {restart}.",
        "",
        command("read_restart", restart),
        "",
        *system.potential,
        "",
        command("timestep", f"{_ps(config.timestep)}    # ps"),
        *_thermo(config),
        "",
        *_dynamics(config, system),
        "",
        *_dump(config, system, f"trajectory.{segment}"),
        *_run(config),
    ]
    return "\n".join(lines) + "\n"


def _start(config: MdConfig) -> str:
    launcher = config.launcher.replace("{ranks}", str(config.ranks))
    return f"{launcher} {config.lmp} -in in.lammps".strip()


def _summary(config: MdConfig) -> str:
    t0, t1 = config.temperatures
    p0, p1 = config.pressures
    parts = [config.ensemble, f"{t0:g} K" if t0 == t1 else f"{t0:g} to {t1:g} K"]
    if config.ensemble in BAROSTATTED:
        parts.append(f"{p0:g} GPa" if p0 == p1 else f"{p0:g} to {p1:g} GPa")
    parts.append(f"{config.steps} steps of {config.timestep:g} fs")
    return ", ".join(parts)


def _world(system: System) -> list[str]:
    return [command("units", "metal"), command("atom_style", "atomic"), command("boundary", system.boundary)]


def _thermo(config: MdConfig) -> list[str]:
    return [
        command("thermo_style", f"custom {THERMO_COLUMNS}"),
        command("thermo_modify", "flush yes format float %.10g"),
        command("thermo", str(config.thermo)),
    ]


def _dynamics(config: MdConfig, system: System) -> list[str]:
    if config.ensemble in BAROSTATTED and system.boundary != "p p p":
        raise ConfigError(
            f"{config.ensemble} changes the cell, which must be periodic in all directions, but the structure is not; "
            "use nvt, nve or langevin."
        )
    t0, t1 = (_number(t) for t in config.temperatures)
    p0, p1 = (_number(p * BAR_PER_GPA) for p in config.pressures)
    temperature = f"{t0} {t1} {_ps(config.temperature_damping or 100 * config.timestep)}"
    pressure = f"{config.coupling or 'iso'} {p0} {p1} {_ps(config.pressure_damping or 1000 * config.timestep)}"
    fixes = {
        "nve": ["nve"],
        "nvt": [f"nvt temp {temperature}"],
        "npt": [f"npt temp {temperature} {pressure}"],
        "nph": [f"nph {pressure}"],
        "langevin": ["nve", f"langevin {temperature} {config.seed}"],
    }
    names = ["dynamics", "thermostat"]
    return [command("fix", f"{name} all {fix}") for name, fix in zip(names, fixes[config.ensemble], strict=False)]


def _dump(config: MdConfig, system: System, name: str) -> list[str]:
    if config.dump is None:
        return []
    every, elements = config.dump.every, " ".join(system.elements)
    if config.dump.format == "extxyz":
        return [
            command("dump", f"trajectory all extxyz {every} {name}.extxyz"),
            command("dump_modify", f"trajectory element {elements} sort id vel yes forces yes"),
        ]
    columns = "id type element xu yu zu vx vy vz fx fy fz"
    return [
        command("dump", f"trajectory all custom {every} {name}.lammpstrj {columns}"),
        command("dump_modify", f"trajectory element {elements} sort id format float %.10g"),
    ]


def _run(config: MdConfig) -> list[str]:
    # start and stop make a ramp the same ramp, however often it was interrupted
    return [
        command("restart", f"{config.restart} {' '.join(RESTART_FILES)}"),
        command("run", f"{config.steps} upto start 0 stop {config.steps}"),
        command("write_restart", "final.restart"),
        command("write_data", "final.data nocoeff"),
    ]


def _ps(femtoseconds: float) -> str:
    return _number(femtoseconds / 1000)


def _number(value: float) -> str:
    return f"{value:.10g}"
