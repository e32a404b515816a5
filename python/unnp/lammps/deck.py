"""LAMMPS input decks that a LAMMPS user would write, and that run by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unnp.errors import ConfigError
from unnp.lammps.md_config import BAROSTATTED, MdConfig

BAR_PER_GPA = 1e4
DATA_FILE = "structure.data"
THERMO_COLUMNS = "step time temp press pe ke etotal vol pxx pyy pzz pyz pxz pxy lx ly lz xy xz yz"
RESTART_FILES = ("restart.a", "restart.b")


@dataclass(frozen=True)
class System:
    """What a deck says of the atoms.

    Attributes:
        title: one line for people.
        elements: chemical symbols of types 1, 2, ...
        boundary: arguments of the LAMMPS command.
        potential: the lines that define the potential.
    """

    title: str
    elements: Sequence[str]
    boundary: str
    potential: Sequence[str]


def model_lines(config: MdConfig, model: str, elements: Sequence[str]) -> list[str]:
    """Return the potential commands of an exported model."""
    settings = config.potential
    options = [f"device {config.device}"] if config.device != "auto" else []
    options += [f"halo {settings.halo}"] if settings.halo != "auto" else []
    options += [f"dtype {settings.dtype}"] if settings.dtype != "model" else []
    return [
        *([_command("plugin", f"load {settings.plugin}")] if settings.plugin else []),
        _command("pair_style", " ".join(["unnp", *options])),
        _command("pair_coeff", f"* * {model} {' '.join(elements)}"),
        # A list is cheap beside a network, whose cost grows with the ghost atoms: a thin skin, more lists.
        _command("neighbor", "1.0 bin"),
    ]


def start_deck(config: MdConfig, system: System) -> str:
    """Return the deck of a run from the structure file ``structure.data``."""
    temperature = config.temperatures[0]
    lines = [
        f"# {system.title}",
        f"# {_summary(config)}",
        f"# Runs by itself: {_start(config)}",
        "",
        *_world(system),
        _command("read_data", DATA_FILE),
        "",
        *system.potential,
        "",
        _command("timestep", f"{_ps(config.timestep)}    # ps"),
        *_thermo(config),
        "",
    ]
    if config.minimise:
        lines += [
            _command("min_style", "cg"),
            _command("minimize", "0.0 1.0e-3 1000 10000"),
            _command("reset_timestep", "0"),
            "",
        ]
    if temperature > 0:
        rotation = "" if "p" in system.boundary else " rot yes"
        lines += [
            _command("velocity", f"all create {_number(temperature)} {config.seed} mom yes{rotation} dist gaussian")
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
        _command("read_restart", restart),
        "",
        *system.potential,
        "",
        _command("timestep", f"{_ps(config.timestep)}    # ps"),
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
    return [_command("units", "metal"), _command("atom_style", "atomic"), _command("boundary", system.boundary)]


def _thermo(config: MdConfig) -> list[str]:
    return [
        _command("thermo_style", f"custom {THERMO_COLUMNS}"),
        _command("thermo_modify", "flush yes format float %.10g"),
        _command("thermo", str(config.thermo)),
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
    return [_command("fix", f"{name} all {fix}") for name, fix in zip(names, fixes[config.ensemble], strict=False)]


def _dump(config: MdConfig, system: System, name: str) -> list[str]:
    if config.dump is None:
        return []
    every, elements = config.dump.every, " ".join(system.elements)
    if config.dump.format == "extxyz":
        return [
            _command("dump", f"trajectory all extxyz {every} {name}.extxyz"),
            _command("dump_modify", f"trajectory element {elements} sort id vel yes forces yes"),
        ]
    columns = "id type element xu yu zu vx vy vz fx fy fz"
    return [
        _command("dump", f"trajectory all custom {every} {name}.lammpstrj {columns}"),
        _command("dump_modify", f"trajectory element {elements} sort id format float %.10g"),
    ]


def _run(config: MdConfig) -> list[str]:
    # start and stop make a ramp the same ramp, however often it was interrupted
    return [
        _command("restart", f"{config.restart} {' '.join(RESTART_FILES)}"),
        _command("run", f"{config.steps} upto start 0 stop {config.steps}"),
        _command("write_restart", "final.restart"),
        _command("write_data", "final.data nocoeff"),
    ]


def _command(word: str, arguments: str) -> str:
    return f"{word:<15} {arguments}"


def _ps(femtoseconds: float) -> str:
    return _number(femtoseconds / 1000)


def _number(value: float) -> str:
    return f"{value:.10g}"
