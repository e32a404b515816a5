"""The crystal that is melted: its repeats, its neighbour shell, and the Bragg peak that tells it from the melt."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

from unnp.errors import ConfigError
from unnp.lammps.structure_file import require_free
from unnp.lammps.system import build_structure, repeated
from unnp.workflows.melt.config import MeltConfig

ASPECT = 3.0
SHELL_SIZES = range(12, 19)
"""Neighbours that can make up a shell: fcc and hcp 12, bcc 14, diamond 16, simple cubic 18."""
LEAST_WIDTH, LEAST_LENGTH = 3.0, 8.0
"""Smallest cell across and along the interface's normal, in radii of the neighbour shell."""
LEAST_SPACING = 0.5
"""Smallest distance between lattice planes whose Bragg peak is used, in cube roots of the volume per atom; thermal
motion dims finer ones."""


@dataclass(frozen=True)
class Crystal:
    """A crystal in a cell for two phases.

    Attributes:
        atoms: the whole cell; the interface will be at right angles to its third axis.
        shell_radius: between the neighbours that are counted and the next ones [A].
        coordination: number of neighbours within it.
        cubic: whether the crystal's three axes are alike, so that its box is to change by one factor.
        bragg: integers (n_x, n_y) of a wave vector of the cell in the plane of the interface at which all atoms
            scatter in phase; None where there is none.
    """

    atoms: Atoms
    shell_radius: float
    coordination: int
    cubic: bool
    bragg: tuple[int, int] | None


def build_crystal(config: MeltConfig, base: Path) -> Crystal:
    """Return the crystal that a configuration asks for.

    Args:
        config: with the structure, and how large the cell is to be.
        base: where relative paths begin.

    Raises:
        ConfigError: not periodic, not rectangular, not commensurate with its cell, or too small.
        DataError: the structure file cannot be read.
    """
    unit = build_structure(config.structure, base)
    require_free(unit, "melting")
    if not unit.pbc.all():
        raise ConfigError("structure: melting needs a crystal that is periodic in all three directions.")
    angles, sides = unit.cell.angles(), unit.cell.lengths()
    if np.abs(angles - 90).max() > 0.01:
        raise ConfigError(
            f"structure: the cell must be rectangular, its angles are {', '.join(f'{a:.4g}' for a in angles)} degrees; "
            "give the conventional cell."
        )
    repeat = config.cell.repeat or _repeats(unit, config.cell.atoms)
    atoms = repeated(unit, repeat)
    if len(atoms) < config.cell.atoms:
        raise ConfigError(
            f"cell.repeat: {len(atoms)} atoms are too small a cell for two phases; repeat the crystal more often "
            f"(cell.atoms asks for {config.cell.atoms})."
        )
    radius, coordination = _neighbour_shell(atoms)
    lengths = atoms.cell.lengths()
    if min(lengths[:2]) < LEAST_WIDTH * radius or lengths[2] < LEAST_LENGTH * radius:
        raise ConfigError(
            f"the cell of {' x '.join(f'{length:.3g}' for length in lengths)} A is too small for two phases: it must be "
            f"{LEAST_WIDTH * radius:.3g} A wide and {LEAST_LENGTH * radius:.3g} A long at least; raise cell.atoms or "
            "cell.repeat."
        )
    cubic = bool(np.ptp(sides) < 1e-3 * sides.mean())
    return Crystal(atoms, radius, coordination, cubic, _bragg_peak(atoms))


def _repeats(unit: Atoms, n_atoms: int) -> tuple[int, int, int]:
    sides = unit.cell.lengths()
    width = (n_atoms * unit.get_volume() / len(unit) / ASPECT) ** (1 / 3)
    nx, ny = (max(1, round(width / side)) for side in sides[:2])
    return nx, ny, max(1, ceil(n_atoms / (len(unit) * nx * ny)))


def _neighbour_shell(atoms: Atoms) -> tuple[float, int]:
    """Return radius and size of the shell behind which the largest gap is.

    Raises:
        ConfigError: the atoms have different surroundings, as where a crystal does not fit its cell.
    """
    reach = 2.2 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    i, distance = neighbor_list("id", atoms, reach)
    order = np.lexsort((distance, i))
    first = np.searchsorted(i[order], np.arange(len(atoms)))
    counts = np.diff(np.append(first, len(i)))
    most = SHELL_SIZES[-1] + 1
    if counts.min() < most:
        raise _not_commensurate("an atom has too few neighbours")
    near = distance[order][first[:, None] + np.arange(most)]  # (n_atoms, most), ascending
    if near[:, 0].min() < 0.8 * np.median(near[:, 0]):
        raise _not_commensurate(f"two atoms are {near[:, 0].min():.3g} A apart, most {np.median(near[:, 0]):.3g} A")
    mean = near.mean(0)
    size = max(SHELL_SIZES, key=lambda n: mean[n] / mean[n - 1])
    radius = float(mean[size - 1] + mean[size]) / 2
    if near[:, size - 1].max() > radius + 0.4 * (mean[size] - mean[size - 1]):
        raise _not_commensurate(f"not every atom has {size} neighbours within {radius:.3g} A")
    return radius, size


def _not_commensurate(reason: str) -> ConfigError:
    return ConfigError(
        f"structure: {reason}; the cell must hold a crystal that goes on through its boundaries "
        "(a whole number of crystal cells along each axis, nothing missing)."
    )


def _bragg_peak(atoms: Atoms) -> tuple[int, int] | None:
    """Return the shortest wave vector in the plane with an amplitude above 0.9, else the strongest if above 0.5.

    The amplitude is ``|sum_j exp(i k r_j)| / n_atoms``.
    """
    lengths = atoms.cell.lengths()
    spacing = (atoms.get_volume() / len(atoms)) ** (1 / 3)
    most = [int(side / (LEAST_SPACING * spacing)) for side in lengths[:2]]
    x, y = atoms.get_scaled_positions()[:, :2].T
    along_x = np.exp(2j * np.pi * np.outer(np.arange(most[0] + 1), x))
    along_y = np.exp(2j * np.pi * np.outer(np.arange(-most[1], most[1] + 1), y))
    amplitude = np.abs(along_x @ along_y.T) / len(atoms)  # (n_x, n_y)
    nx, ny = np.meshgrid(np.arange(most[0] + 1), np.arange(-most[1], most[1] + 1), indexing="ij")
    k = np.hypot(nx / lengths[0], ny / lengths[1])
    amplitude[(k * LEAST_SPACING * spacing > 1) | (k == 0) | ((nx == 0) & (ny < 0))] = 0
    strong = amplitude > 0.9
    if not strong.any():
        strong = amplitude == max(amplitude.max(), 0.5)
    if not strong.any():
        return None
    best = np.argmin(np.where(strong, k - 1e-9 * (nx + ny), np.inf))  # of vectors alike the one in the first quadrant
    return int(nx.flat[best]), int(ny.flat[best])
