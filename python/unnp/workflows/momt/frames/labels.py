"""Energy, forces and stress of the chosen frames, from LAMMPS' ``rerun``: the potential alone, without the bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unnp.atoms.elements import atomic_number
from unnp.atoms.structure import Structure
from unnp.atoms.voigt import tensor_of
from unnp.errors import LammpsError
from unnp.lammps.commands import command, world
from unnp.lammps.dump_file import DumpFrame, read_dump
from unnp.lammps.log import read_log
from unnp.lammps.system import DATA_FILE, System
from unnp.units import BAR_PER_EV_PER_A3

_PRESSURES = tuple(f"c_virial[{k}]" for k in range(1, 7))


def rerun_deck(system: System, command_line: str, n_parts: int) -> str:
    """Return the deck that labels the frames of ``frames/part.<part>.lammpstrj``.

    Args:
        system: atoms and potential.
        command_line: starts it; shown in its head.
        n_parts: simulations side by side, each with its own part of the frames.
    """
    lines = [
        f"# {system.title}",
        "# Labels of frames: energy, forces and virial of the potential alone",
        f"# Runs by itself: {command_line} -in in.frames.lammps",
        "",
        command("variable", f"part world {' '.join(map(str, range(n_parts)))}"),
        "",
        *world(system.boundary),
        command("read_data", DATA_FILE),
        "",
        *system.potential,
        "",
        command("compute", "virial all pressure NULL virial"),
        command("thermo_style", f"custom step pe {' '.join(_PRESSURES)}"),
        command("thermo_modify", "flush yes format float %.17g"),
        command("thermo", "1"),
        command("dump", "labels all custom 1 frames/labels.${part}.lammpstrj type x y z fx fy fz"),
        command("dump_modify", "labels sort id format float %.17g"),
        command("rerun", "frames/part.${part}.lammpstrj dump x y z box yes format native"),
    ]
    return "\n".join(lines) + "\n"


def read_labels(dump: Path, log: Path, elements: list[str]) -> list[Structure]:
    """Return the labelled structures of one part.

    Args:
        dump: file with positions and forces.
        log: LAMMPS' log, with energies and pressures.
        elements: symbols for types 1, 2, ...

    Raises:
        LammpsError: the dump and the log do not belong together.
    """
    blocks = [block for block in read_log(log).blocks if block.rows]
    frames = list(read_dump(dump))
    if not blocks or len(blocks[-1].rows) != len(frames):
        raise LammpsError(f"{dump} holds {len(frames)} frames, which are not those of {log}; run again with --resume.")
    energies = blocks[-1]["PotEng"]
    pressures = np.stack([blocks[-1][name] for name in _PRESSURES], axis=1)
    numbers = np.array([0] + [atomic_number(symbol) for symbol in elements])
    return [
        _structure(frame, numbers, float(energy), pressure)
        for frame, energy, pressure in zip(frames, energies, pressures, strict=True)
    ]


def _structure(frame: DumpFrame, numbers: np.ndarray, energy: float, pressure: np.ndarray) -> Structure:
    origin, cell = frame.box()
    columns = frame.table()  # type x y z fx fy fz
    return Structure(
        numbers=numbers[columns[:, 0].astype(int)],
        positions=columns[:, 1:4] - origin,
        cell=cell,
        pbc=np.ones(3, dtype=bool),
        energy=energy,
        forces=columns[:, 4:7],
        stress=tensor_of(-pressure / BAR_PER_EV_PER_A3, "lammps"),
    )
