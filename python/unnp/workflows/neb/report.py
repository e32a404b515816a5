"""What is shown and kept of a path: barriers, the images, and the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from ase.utils.forcecurve import fit_raw

from unnp.atoms.structure import Structure
from unnp.data.writing import write_structures
from unnp.files.writing import write_atomically
from unnp.plots import new_figure, save_figure, write_table
from unnp.workflows.neb.band import Band
from unnp.workflows.neb.path import distances

VALLEY = 1e-3
"""A minimum on the way that is deeper [eV] than this, below both its sides, is a state of its own."""
QUANTITIES = {
    "barrier_forward_eV": "barrier, forward [eV]",
    "barrier_back_eV": "barrier, back [eV]",
    "reaction_energy_eV": "reaction energy [eV]",
}


def energies_of(band: Band) -> np.ndarray:
    """Return the energies (n_images,) [eV] of a band that has been computed."""
    assert band.energies is not None
    return band.energies


def barriers(band: Band) -> dict[str, float]:
    """Return the barrier forward and back and the reaction energy [eV], of the images themselves."""
    energies = energies_of(band)
    highest = energies.max()
    values = (highest - energies[0], highest - energies[-1], energies[-1] - energies[0])
    return dict(zip(QUANTITIES, map(float, values), strict=True))


def rows(band: Band) -> list[list[str]]:
    """Return the cells of a table of the barriers."""
    return [[QUANTITIES[name], f"{value:.4f}"] for name, value in barriers(band).items()]


def valleys(band: Band) -> list[int]:
    """Return the images that lie in a minimum on the way."""
    energies = energies_of(band)
    return [k for k in range(1, len(energies) - 1) if energies[k] < min(_side(energies, k)) - VALLEY]


def notes(band: Band) -> list[str]:
    """Return what the numbers do not say: that ends are doubtful, the search did not end, or the path is not one step."""
    energies = energies_of(band)
    said = [*band.doubts, *([f"! the band: {band.problem}"] if band.problem else [])]
    if not band.at_rest and not band.problem:
        said.append(f"! the band is not at rest after {band.steps} steps; go on with --resume and more --max-steps")
    top = int(energies.argmax())
    if top in (0, len(energies) - 1):
        said.append("! the highest image is an end of the path: there is no barrier between the ends")
    said += [f"! image {k} lies in a minimum on the way: the path has two steps, look at each" for k in valleys(band)]
    return said


def write_report(folder: Path, band: Band) -> None:
    """Write ``neb.json``, ``neb.csv``, ``path.extxyz``, ``path.png`` and ``convergence.png`` with their CSV."""
    energies, lengths = energies_of(band), distances(band.images)
    content = {
        **barriers(band),
        "steps": band.steps,
        "largest_force_eV_per_A": band.forces[-1],
        "at_rest": band.at_rest,
        "climbing": band.climbing,
        "saddle_image": int(energies.argmax()),
        "notes": notes(band),
    }
    write_atomically(folder / "neb.json", json.dumps(content, indent=2) + "\n")
    columns = {"image": range(len(energies)), "distance_A": lengths, "energy_eV": energies - energies[0]}
    write_table(folder / "neb.csv", {**columns, "total_energy_eV": energies})
    structures = [
        Structure.from_atoms(atoms).with_labels({"energy": float(energy)})
        for atoms, energy in zip(band.images, energies, strict=True)
    ]
    write_structures(structures, folder / "path.extxyz", overwrite=True)
    _draw_path(folder / "path.png", band, lengths)
    _draw_steps(folder / "convergence.png", band)


def _side(energies: np.ndarray, k: int) -> tuple[float, float]:
    return float(energies[:k].max()), float(energies[k + 1 :].max())


def _draw_path(path: Path, band: Band, lengths: np.ndarray) -> None:
    """Draw the energies of the images and a cubic through them with the slopes that the forces have along the path."""
    energies = energies_of(band)
    first = band.images[0]
    positions = [atoms.positions for atoms in band.images]
    fit = fit_raw(energies, band.atomic_forces, positions, first.cell, first.pbc)
    figure, (ax,) = new_figure()
    ax.plot(fit.fit_path, fit.fit_energies, "-", lw=1)
    ax.plot(lengths, energies - energies[0], "o", color="C0", mfc="none")
    found = barriers(band)
    title = ", ".join(f"{key.split('_eV')[0].replace('_', ' ')} {value:.3f} eV" for key, value in found.items())
    ax.set_title(title, fontsize="x-small")
    ax.set(xlabel="distance along the path [A]", ylabel="energy above the start [eV]")
    kinds = ["image"] * len(lengths) + ["curve"] * len(fit.fit_path)
    xs, ys = np.concatenate([lengths, fit.fit_path]), np.concatenate([energies - energies[0], fit.fit_energies])
    save_figure(figure, path, {"kind": kinds, "distance_A": xs, "energy_eV": ys})


def _draw_steps(path: Path, band: Band) -> None:
    figure, (left, right) = new_figure(2)
    columns: dict[str, Any] = {
        "step": range(len(band.barriers)),
        "barrier_eV": band.barriers,
        "largest_force_eV_per_A": band.forces,
    }
    left.plot(band.barriers, ".-", ms=3, lw=1)
    right.plot(band.forces, ".-", ms=3, lw=1)
    left.set(xlabel="step", ylabel="highest image above the start [eV]")
    right.set(xlabel="step", ylabel="largest force [eV/A]", yscale="log")
    save_figure(figure, path, columns)
