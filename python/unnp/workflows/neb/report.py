"""What is shown and kept of a path: barriers, the images, and the figures."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase.utils.forcecurve import fit_raw
from scipy.signal import find_peaks

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
    """Return the cells of a table of the barriers, of a band of parts with those of each."""
    found = [[QUANTITIES[name], f"{value:.4f}"] for name, value in barriers(band).items()]
    for k, (part, (first, last)) in enumerate(zip(band.parts, pairwise(band.joints), strict=True), 1):
        forward, back, reaction = barriers(part).values()
        found.append([f"part {k}, images {first} to {last} [eV]", f"{forward:.4f}, back {back:.4f}, {reaction:+.4f}"])
    return found


def valleys(band: Band) -> list[int]:
    """Return the images that lie in a minimum on the way; a ripple on a slope that is no deeper than ``VALLEY`` is none."""
    return [int(k) for k in find_peaks(-energies_of(band), prominence=VALLEY)[0]]


def notes(band: Band) -> list[str]:
    """Return what the numbers do not say: that ends are doubtful, the search did not end, or the path is not one step."""
    energies = energies_of(band)
    said = list(band.doubts)
    for k, each in enumerate(band.parts or [band], 1):
        which = f"part {k}" if band.parts else "the band"
        if each.problem:
            said.append(f"! {which}: {each.problem}")
        elif not each.at_rest:
            said.append(f"! {which} is not at rest after {each.steps} steps; go on with --resume and more --max-steps")
    top = int(energies.argmax())
    if top in (0, len(energies) - 1):
        said.append("! the highest image is an end of the path: there is no barrier between the ends")
    return said + [
        f"image {k} is a state at rest: the path is divided there"
        if k in band.joints
        else f"! image {k} lies in a minimum on the way: the path has two steps, look at each"
        for k in valleys(band)
        if k not in band.no_states
    ]


def parts_of(band: Band) -> list[dict[str, Any]]:
    """Return barriers of the parts of a band, and where each stands, as JSON; empty: it is one."""
    return [
        {
            "first_image": first,
            "last_image": last,
            **barriers(part),
            "steps": part.steps,
            "largest_force_eV_per_A": part.force,
            "at_rest": part.at_rest,
        }
        for part, (first, last) in zip(band.parts, pairwise(band.joints), strict=True)
    ]


def write_report(folder: Path, band: Band) -> None:
    """Write ``neb.json``, ``neb.csv``, ``path.extxyz``, ``path.png`` and ``convergence.png`` with their CSV."""
    energies, lengths = energies_of(band), distances(band.images)
    content = {
        **barriers(band),
        "steps": band.steps,
        "largest_force_eV_per_A": band.force,
        "at_rest": band.at_rest,
        "climbing": band.climbing,
        "saddle_image": int(energies.argmax()),
        "parts": parts_of(band),
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


def _draw_path(path: Path, band: Band, lengths: np.ndarray) -> None:
    """Draw the energies of the images and a cubic through them with the slopes that the forces have along the path."""
    energies = energies_of(band)
    first = band.images[0]
    positions = [atoms.positions for atoms in band.images]
    fit = fit_raw(energies, band.atomic_forces, positions, first.cell, first.pbc)
    figure, (ax,) = new_figure()
    ax.plot(fit.fit_path, fit.fit_energies, "-", lw=1)
    ax.plot(lengths, energies - energies[0], "o", color="C0", mfc="none")
    for k in band.joints[1:-1]:
        ax.axvline(lengths[k], color="0.8", lw=1, zorder=0)
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
