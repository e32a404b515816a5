"""What is shown and kept of elastic properties: a table, elastic.json, and the equation of state as a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unnp.files.writing import make_folder, write_atomically
from unnp.plots import new_figure, save_figure
from unnp.workflows.elastic.run import ElasticResult, cubic_constants, is_cubic

_CELL = {"a": "A", "b": "A", "c": "A", "alpha": "degrees", "beta": "degrees", "gamma": "degrees"}


def properties(result: ElasticResult) -> dict[str, float]:
    """Return the numbers of a result by name and unit; of a cubic crystal the three constants, else the upper triangle."""
    cell = dict(zip(_CELL, result.atoms.cell.cellpar().tolist(), strict=True))
    cubic = is_cubic(result.stiffness)
    if cubic and np.allclose(list(cell.values()), [cell["a"]] * 3 + [90.0] * 3, rtol=1e-4):
        cell = {"a": cell["a"]}
    numbers = {f"{name} [{_CELL[name]}]": value for name, value in cell.items()}
    numbers["energy [eV/atom]"] = result.energy
    numbers["bulk modulus [GPa]"] = result.equation_of_state.bulk_modulus
    if cubic:
        constants = dict(zip(("C11", "C12", "C44"), cubic_constants(result.stiffness), strict=True))
    else:
        rows, columns = np.triu_indices(6)
        constants = {f"C{i + 1}{j + 1}": result.stiffness[i, j] for i, j in zip(rows, columns, strict=True)}
    return numbers | {f"{name} [GPa]": float(value) for name, value in constants.items()}


def comparison(results: Mapping[str, ElasticResult]) -> list[list[str]]:
    """Return rows ``[quantity, value of each potential, ...]``; for two potentials also how far the first deviates from
    the second."""
    columns = [properties(result) for result in results.values()]
    names = [name for name in columns[0] if all(name in column for column in columns)]
    rows = [[name, *(f"{column[name]:.6g}" for column in columns)] for name in names]
    if len(columns) == 2:
        for row, name in zip(rows, names, strict=True):
            row.append(_deviation(columns[0][name], columns[1][name], name))
    return rows


def write_elastic(folder: Path, results: Mapping[str, ElasticResult]) -> None:
    """Write ``elastic.json`` and ``equation-of-state.png`` with its CSV into a folder."""
    make_folder(folder)
    content = {name: _description(result) for name, result in results.items()}
    write_atomically(folder / "elastic.json", json.dumps(content, indent=2) + "\n")
    figure, (ax,) = new_figure()
    columns: dict[str, list[Any]] = {"potential": [], "volume_A3_per_atom": [], "energy_eV_per_atom": []}
    for (name, result), mark in zip(results.items(), ("o", "x", "+", "s") * len(results), strict=False):
        curve = result.equation_of_state
        ax.plot(curve.volumes, curve.energies, mark, mfc="none", label=name)
        columns["potential"] += [name] * len(curve.volumes)
        columns["volume_A3_per_atom"] += curve.volumes.tolist()
        columns["energy_eV_per_atom"] += curve.energies.tolist()
    ax.set(xlabel="volume [A$^3$/atom]", ylabel="energy [eV/atom]")
    ax.legend(frameon=False)
    save_figure(figure, folder / "equation-of-state.png", columns)


def _description(result: ElasticResult) -> dict[str, Any]:
    curve = result.equation_of_state
    return {
        "properties": properties(result),
        "formula": result.atoms.get_chemical_formula(),
        "cell_A": np.asarray(result.atoms.cell).tolist(),
        "volume_A3_per_atom": result.atoms.get_volume() / len(result.atoms),
        "stiffness_GPa": result.stiffness.tolist(),
        "equation_of_state": {
            "volume_A3_per_atom": curve.volume,
            "energy_eV_per_atom": curve.energy,
            "bulk_modulus_GPa": curve.bulk_modulus,
            "bulk_modulus_derivative": curve.bulk_modulus_derivative,
        },
    }


def _deviation(value: float, reference: float, name: str) -> str:
    if "energy" in name:
        return f"{1000 * (value - reference):+.2f} meV"
    return f"{100 * (value - reference) / reference:+.2f} %" if abs(reference) > 1e-3 else f"{value - reference:+.3g}"
