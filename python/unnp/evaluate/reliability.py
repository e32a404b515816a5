"""Whether deviations can be believed: observed errors over expected ones."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from ase.io.extxyz import write_extxyz

from unnp import plots
from unnp.atoms.structure import Structure
from unnp.evaluate.calibration import UNITS, Estimated, Residuals
from unnp.files.writing import make_folder, write_atomically

BINS = 12
"""Bins of equally many labels, and steps of k."""
MULTIPLES = np.arange(1, BINS + 1) / 4
"""The k for which errors within k deviations are counted."""


def binned(errors: Residuals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the root mean square of deviations and of errors, and the number of labels, (n_bins,) each.

    Labels are sorted by their deviation and divided into at most 12 bins of as many labels.
    """
    order = np.argsort(errors.deviation, kind="stable")
    parts = np.array_split(order, min(BINS, len(order)))
    expected, observed = (
        np.array([np.sqrt(np.mean(np.square(values[part]))) for part in parts])
        for values in (errors.deviation, errors.error)
    )
    return expected, observed, np.array([len(part) for part in parts])


def within(errors: Residuals, multiples: np.ndarray = MULTIPLES) -> np.ndarray:
    """Return the share of errors of at most k deviations, 0..1, for each k."""
    return np.array([np.mean(np.abs(errors.error) <= k * errors.deviation) for k in multiples])


def gaussian(multiples: np.ndarray = MULTIPLES) -> np.ndarray:
    """Return the share that Gaussian errors have within k standard deviations, ``erf(k / sqrt 2)``."""
    return np.array([math.erf(k / math.sqrt(2)) for k in multiples])


def draw_reliability(name: str, errors: Residuals, path: Path) -> None:
    """Plot observed over expected errors, and the share of errors within k deviations, with their numbers in a CSV.

    Args:
        name: ``energy`` or ``forces``.
        errors: of the labels.
        path: PNG to write.
    """
    expected, observed, counts = binned(errors)
    figure, (left, right) = plots.new_figure(2)
    left.plot(expected, observed, "o-", ms=3)
    shown = np.concatenate([expected, observed])
    shown = shown[shown > 0]
    if len(shown):
        left.plot([shown.min(), shown.max()], [shown.min(), shown.max()], color="0.6", lw=0.8, zorder=0)
        left.set(xscale="log", yscale="log")
        plots.plain_log_ticks(left.xaxis, left.yaxis)
    left.set(xlabel=f"expected error [{UNITS[name]}]", ylabel=f"observed error, root mean square [{UNITS[name]}]")
    left.set_title(f"{name}: {len(errors.error)} labels", fontsize="medium")
    right.plot(MULTIPLES, within(errors), "o-", ms=3, label="observed")
    right.plot(MULTIPLES, gaussian(), color="0.6", lw=0.8, label="Gaussian")
    right.set(xlabel="k", ylabel="share of errors within k deviations", ylim=(0, 1.02))
    right.legend(frameon=False)
    empty = [None] * (BINS - len(counts))
    columns = {
        "expected": [*expected.tolist(), *empty],
        "observed": [*observed.tolist(), *empty],
        "n": [*counts.tolist(), *empty],
        "k": MULTIPLES.tolist(),
        "within_k": within(errors).tolist(),
        "within_k_gaussian": gaussian().tolist(),
    }
    plots.save_figure(figure, path, columns)


def summary(errors: dict[str, Residuals], scales: dict[str, float]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table: labels, factors, and shares of errors within 1, 2 and 3 deviations.

    Args:
        errors: with the deviations as they are reported, that is times the factors.
        scales: the factors that were found; empty where none was looked for.
    """
    header = [
        "",
        "labels",
        *(["factor"] if scales else []),
        "within 1",
        "2",
        "3 deviations",
    ]
    rows = []
    for name, own in errors.items():
        factors = [f"{scales[name]:.4g}" if name in scales else ""] if scales else []
        shares = [f"{share:.1%}" for share in within(own, np.array([1.0, 2.0, 3.0]))]
        rows.append([name, str(len(own.error)), *factors, *shares])
    return header, rows


COLUMNS = ("structure", "source", "group", "n_atoms", "energy_deviation", "max_force_deviation", "mean_force_deviation")


def write_deviations(structures: Sequence[Structure], results: Sequence[Estimated], folder: Path) -> None:
    """Write the deviations of structures and atoms into a folder.

    ``structures.csv`` has a row for each structure, energies in eV/atom and forces in eV/A, a deviation that is not known
    left empty; ``uncertainty.xyz`` the structures with ``unnp_force_deviation`` of their atoms.

    Args:
        structures: that were evaluated.
        results: of ``calibration.estimates`` for them.
        folder: is made where it does not exist.
    """
    make_folder(folder)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write_frames(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        for indices, batch, found in results:
            owner = batch.graph.atom_graph
            for row, k in enumerate(indices):
                structure, of_atoms = structures[k], found.force_deviation[owner == row].numpy()
                numbers = [float(found.energy_deviation[row]), float(of_atoms.max()), float(of_atoms.mean())]
                known = ["" if math.isnan(number) else number for number in numbers]
                writer.writerow([k, structure.source or "", structure.group or "", len(structure), *known])
                atoms = structure.to_atoms()
                if not np.isnan(of_atoms).any():
                    atoms.arrays["unnp_force_deviation"] = of_atoms
                write_extxyz(text, [atoms], write_results=False)
        text.detach()

    write_atomically(folder / "uncertainty.xyz", write_frames)
    write_atomically(folder / "structures.csv", table.getvalue())
