"""Central differences of the energy, through LAMMPS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
from lammps_run import Run, run_lammps
from momt_decks import VOIGT, dump, each, forces, head, show, shown, thermo, write_frames, write_structure
from momt_oracle import NKTV2P

STEP = 1e-4  # [A]
STRAIN = 1e-5  # moves atoms at the far end by as much


@dataclass
class Differences:
    """A structure under a bias: what LAMMPS printed for it, its forces, and differences of pe + Vb.

    `directions` is (n, n_atoms, 3); `slopes` holds d(pe + Vb) along each [eV/A], `strains` d(pe + Vb)/d strain [eV].
    """

    shown: dict[str, float]
    forces: np.ndarray
    directions: np.ndarray
    slopes: np.ndarray
    strains: np.ndarray

    @property
    def virial(self) -> np.ndarray:
        """Return p V [eV] of thermo output, the atoms at rest: xx, yy, zz, xy, xz, yz."""
        pressure = np.array([self.shown[name] for name in ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")])
        return pressure * self.shown["vol"] / NKTV2P


def differentiate(folder: Path, atoms: ase.Atoms, fixes: str, n_single: int = 24, n_all: int = 3) -> Differences:
    """Evaluate a structure, and displaced and strained ones, in one LAMMPS."""
    directions = _directions(len(atoms), n_single, n_all)
    frames = [atoms]
    for direction in directions:
        frames += [_displaced(atoms, sign * STEP * direction) for sign in (1, -1)]
    for axes in VOIGT:
        frames += [_strained(atoms, axes, sign * STRAIN) for sign in (1, -1)]
    write_structure(folder, atoms)
    write_frames(folder / "frames.dump", frames)
    box = "change_box all triclinic\n"
    deck = head() + box + fixes + thermo() + show("start") + dump("start") + each(len(frames))
    run = run_lammps(folder, deck, timeout=120)
    energy = np.array([_energy(run, f"frame{k}") for k in range(len(frames))])
    # Reading a configuration must leave nothing behind of the one before.
    np.testing.assert_allclose(energy[0], _energy(run, "start"), rtol=0, atol=1e-10)
    halves = (energy[1::2] - energy[2::2]) / 2
    slopes, strains = halves[: len(directions)] / STEP, halves[len(directions) :] / STRAIN
    return Differences(shown(run, "start"), forces(run, "start"), directions, slopes, strains)


def _energy(run: Run, name: str) -> float:
    values = shown(run, name)
    return values["pe"] + values["bias"]


def _directions(n_atoms: int, n_single: int, n_all: int) -> np.ndarray:
    """Return single coordinates, and directions of all atoms at once."""
    rng = np.random.default_rng(5)
    single = np.eye(3 * n_atoms)[rng.choice(3 * n_atoms, n_single, replace=False)]
    mixed = rng.normal(0, 1 / np.sqrt(3 * n_atoms), (n_all, 3 * n_atoms))
    return np.concatenate([single, mixed]).reshape(-1, n_atoms, 3)


def _displaced(atoms: ase.Atoms, shift: np.ndarray) -> ase.Atoms:
    moved = atoms.copy()
    moved.positions += shift
    return moved


def _strained(atoms: ase.Atoms, axes: tuple[int, int], strain: float) -> ase.Atoms:
    deformation = np.eye(3)
    deformation[axes] += strain
    moved = atoms.copy()
    moved.set_cell(atoms.cell.array @ deformation.T, scale_atoms=True)
    return moved
