"""Energy, forces and stress of the chosen frames, from LAMMPS' ``rerun``: the potential alone, without the bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unnp.atoms.elements import atomic_number
from unnp.atoms.structure import Structure
from unnp.errors import LammpsError
from unnp.lammps.commands import command, world
from unnp.lammps.log import read_log
from unnp.lammps.system import DATA_FILE, System
from unnp.units import BAR_PER_EV_PER_A3

_PRESSURES = tuple(f"c_virial[{k}]" for k in range(1, 7))
_ROWS, _COLUMNS = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]  # xx yy zz xy xz yz


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
        dump: of positions and forces.
        log: of LAMMPS, with energies and pressures.
        elements: of types 1, 2, ...

    Raises:
        LammpsError: the dump and the log do not belong together.
    """
    blocks = [block for block in read_log(log).blocks if block.rows]
    frames = dump.read_text().split("ITEM: TIMESTEP\n")[1:]
    if not blocks or len(blocks[-1].rows) != len(frames):
        raise LammpsError(f"{dump} holds {len(frames)} frames, which are not those of {log}; run again with --resume.")
    energies = blocks[-1]["PotEng"]
    pressures = np.stack([blocks[-1][name] for name in _PRESSURES], axis=1)
    numbers = np.array([0] + [atomic_number(symbol) for symbol in elements])
    return [
        _structure(text, numbers, float(energy), pressure)
        for text, energy, pressure in zip(frames, energies, pressures, strict=True)
    ]


def _structure(text: str, numbers: np.ndarray, energy: float, pressure: np.ndarray) -> Structure:
    head, _, body = text.partition("ITEM: ATOMS")
    origin, cell = _cell(head.partition("ITEM: BOX BOUNDS")[2].splitlines()[1:4])
    columns = np.array(body.partition("\n")[2].split(), dtype=np.float64).reshape(-1, 7)
    stress = np.zeros((3, 3))
    stress[_ROWS, _COLUMNS] = stress[_COLUMNS, _ROWS] = -pressure / BAR_PER_EV_PER_A3
    return Structure(
        numbers=numbers[columns[:, 0].astype(int)],
        positions=columns[:, 1:4] - origin,
        cell=cell,
        pbc=np.ones(3, dtype=bool),
        energy=energy,
        forces=columns[:, 4:7],
        stress=stress,
    )


def _cell(lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return origin and lattice vectors (rows) of the box bounds of a dump, which enclose a tilted box."""
    bounds = np.array([line.split() for line in lines], dtype=np.float64)
    xy, xz, yz = bounds[:, 2] if bounds.shape[1] > 2 else np.zeros(3)
    low = bounds[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = bounds[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    lx, ly, lz = high - low
    return low, np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])
