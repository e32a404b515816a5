"""The input deck of a ramp: a loop over bins per leg, that runs by itself or from a restart file."""

from __future__ import annotations

from unnp.lammps.commands import (
    DAMPING,
    PRESSURE_DAMPING,
    bath,
    command,
    draw_velocities,
    piston,
    thermo_format,
    timestep,
    world,
)
from unnp.lammps.system import DATA_FILE, System
from unnp.workflows.ramp.config import Crystal, RampConfig
from unnp.workflows.ramp.plan import Leg, Plan

RDF_FILE = "rdf.dat"
SOLID_BONDS = {"fcc": 8, "hcp": 8, "bcc": 11}
"""Number of neighbours, out of the crystal's 12 or 14, that must be surrounded alike for an atom to be solid."""
SHELL = {"fcc": 1.354940, "hcp": 1.354940, "bcc": 1.520860}
"""Half-way between the first shells to be counted and the next, over the cube root of the volume per atom."""
NEAREST = {"fcc": 1.122462, "hcp": 1.122462, "bcc": 1.091124}
"""Distance of nearest neighbours over the cube root of the volume per atom."""
THERMO_COLUMNS = "step time temp press pe ke vol c_msd[4] c_fcc c_hcp c_bcc c_solid"


def ramp_deck(
    config: RampConfig, plan: Plan, system: System, crystal: Crystal, restart: str | None = None, step: int = 0
) -> str:
    """Return the deck of the bins from a step on.

    Args:
        config: what to run.
        plan: its bins.
        system: atoms and potential.
        crystal: lattice whose shells are looked at.
        restart: file to go on from, None at the beginning.
        step: the step of that file, where a bin begins.
    """
    begin = [*world(system.boundary), command("read_data", DATA_FILE)]
    if restart is not None:
        begin = [command("read_restart", restart)]
    lines = [
        f"# {system.title}",
        f"# {config.temperatures[0]:g} to {config.temperatures[1]:g} to {config.temperatures[2]:g} K at "
        f"{config.rates[0]:g} and {config.rates[1]:g} K/ps, {config.pressure:g} GPa; bins of {plan.steps_per_bin} steps",
        *([f"# Continuation from {restart}."] if restart else []),
        "",
        *begin,
        "",
        *system.potential,
        "",
        timestep(config.timestep),
        *([] if restart else [draw_velocities(config.temperatures[0], config.seed), ""]),
        *_measurements(config, plan, crystal, appending=restart is not None),
    ]
    for leg in plan.legs:
        done = (step - leg.first_step) // plan.steps_per_bin
        if done < leg.n_bins:
            lines += ["", *_leg(config, plan, leg, max(0, done), crystal, step)]
    return "\n".join([*lines, "", command("write_data", "final.data nocoeff")]) + "\n"


def _measurements(config: RampConfig, plan: Plan, crystal: Crystal, *, appending: bool) -> list[str]:
    samples = plan.steps_per_bin // config.stride
    return [
        command("compute", f"rdf all rdf {config.rdf_bins}"),
        command("fix", f"rdf all ave/time {config.stride} {samples} {plan.steps_per_bin} c_rdf[*] &"),
        command("", f"{'append' if appending else 'file'} {RDF_FILE} mode vector"),
        *(command("variable", f"{name} atom c_cna=={code}") for name, code in (("fcc", 1), ("hcp", 2), ("bcc", 3))),
        command("variable", f"solid atom c_bonds>={SOLID_BONDS[crystal]}"),
        *(command("compute", f"{name} all reduce ave v_{name}") for name in ("fcc", "hcp", "bcc", "solid")),
        command("restart", f"{plan.steps_per_bin} restart.*"),
        command("thermo", str(config.stride)),
    ]


def _leg(config: RampConfig, plan: Plan, leg: Leg, done: int, crystal: Crystal, step: int) -> list[str]:
    """Return the loop over the bins of a leg: fresh origins of the displacements, and the cutoff of this volume."""
    return [
        f"# {leg.name}",
        *_dynamics(config, leg, step),
        command("variable", f"bin loop {done + 1} {leg.n_bins}"),
        command("label", leg.name),
        command("variable", f"cutoff equal {SHELL[crystal]:.6f}*(vol/atoms)^(1/3)"),
        command("set", "group all image 0 0 0"),
        command("compute", "msd all msd com yes"),
        command("compute", "cna all cna/atom ${cutoff}"),
        command("compute", "q6 all orientorder/atom nnn NULL degrees 1 6 components 6 cutoff ${cutoff}"),
        command("compute", "bonds all coord/atom orientorder q6 0.5"),
        command("thermo_style", f"custom {THERMO_COLUMNS}"),
        thermo_format("warn reset"),
        command("run", f"{plan.steps_per_bin} start {leg.first_step} stop {plan.last_step(leg)}"),
        command("thermo_style", "one"),
        *(command("uncompute", name) for name in ("bonds", "q6", "cna", "msd")),
        command("next", "bin"),
        command("jump", f"SELF {leg.name}"),
    ]


def _dynamics(config: RampConfig, leg: Leg, step: int) -> list[str]:
    temperature = bath(leg.start, leg.stop, config.temperature_damping or DAMPING * config.timestep)
    damping = config.pressure_damping or PRESSURE_DAMPING * config.timestep
    pressure = piston(config.coupling, config.pressure, config.pressure, damping)
    if config.thermostat == "nose-hoover":
        return [command("fix", f"dynamics all npt temp {temperature} {pressure}")]
    # The random numbers of a continuation must not be those of the beginning again.
    seed = (config.seed + leg.first_step + step) % 899_999_999 + 1
    style = "langevin" if config.thermostat == "langevin" else "temp/csvr"
    return [
        command("fix", f"dynamics all nph {pressure}"),
        command("fix", f"thermostat all {style} {temperature} {seed}"),
    ]
