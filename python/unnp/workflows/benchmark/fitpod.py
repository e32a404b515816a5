"""POD potentials, which the command `fitpod` of LAMMPS fits to the training structures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from unnp.atoms.elements import elements_of
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.writing import write_structures
from unnp.errors import DataError, LammpsError
from unnp.files.writing import make_folder, write_atomically
from unnp.lammps.launch import Launch
from unnp.lammps.run import run_lammps
from unnp.lammps.system_config import InteractionConfig

PARAMETERS, COEFFICIENTS = "parameters.pod", "fit_coefficients.pod"
DATA = """file_format extxyz
file_extension xyz
path_to_training_data_set "structures"
basename_for_output_files fit
precision_for_pod_coefficients 10
"""


class PodParameters(Config):
    """The potential, by the keywords of LAMMPS' file; `species` and `pbc` are added."""

    rin: PositiveFloat = 1.0
    """distance [A] that no two atoms come closer than"""
    rcut: PositiveFloat = 5.0
    """cutoff [A]"""
    bessel_polynomial_degree: PositiveInt = 4
    """degree of the Bessel functions that the radial functions are made of"""
    inverse_polynomial_degree: PositiveInt = 10
    """degree of the powers of the inverse distance, of which they are made too"""
    onebody: Literal[0, 1] = 1
    """1: energies of single atoms are fitted too"""
    twobody_number_radial_basis_functions: NonNegativeInt = 12
    """radial functions of pairs"""
    threebody_number_radial_basis_functions: NonNegativeInt = 10
    """radial functions of three bodies; for more bodies there can be no more than for fewer"""
    threebody_angular_degree: NonNegativeInt = 8
    """degree of their angular functions"""
    fourbody_number_radial_basis_functions: NonNegativeInt = 8
    """radial functions of four bodies"""
    fourbody_angular_degree: NonNegativeInt = 6
    """degree of their angular functions"""
    fivebody_number_radial_basis_functions: NonNegativeInt = 6
    """radial functions of five bodies"""
    fivebody_angular_degree: NonNegativeInt = 4
    """degree of their angular functions"""
    sixbody_number_radial_basis_functions: NonNegativeInt = 5
    """radial functions of six bodies"""
    sixbody_angular_degree: NonNegativeInt = 3
    """degree of their angular functions"""
    sevenbody_number_radial_basis_functions: NonNegativeInt = 4
    """radial functions of seven bodies"""
    sevenbody_angular_degree: NonNegativeInt = 2
    """degree of their angular functions"""


class PodFit(Config):
    """The fit, by the keywords of LAMMPS' file; those of files are added."""

    fitting_weight_energy: PositiveFloat = 100.0
    """weight of energies"""
    fitting_weight_force: PositiveFloat = 1.0
    """weight of forces"""
    fitting_regularization_parameter: PositiveFloat = 1e-12
    """what is added to the diagonal of the normal equations"""


class FitpodConfig(Config):
    """A POD potential (N. C. Nguyen, Phys. Rev. B 107, 144103 (2023)) and how LAMMPS' `fitpod` fits it."""

    parameters: PodParameters = PodParameters()
    """the potential"""
    fit: PodFit = PodFit()
    """the fit"""


def fit_pod(config: FitpodConfig, structures: Sequence[Structure], launch: Launch, folder: Path) -> dict[str, float]:
    """Fit a POD potential to energies and forces; the folder gets the potential's two files.

    Args:
        config: the potential and the fit.
        structures: periodic in all directions, with energies and forces.
        launch: how LAMMPS is started; it runs on one process.
        folder: for files and log.

    Returns:
        ``n_parameters``, and ``minutes`` of the fit.

    Raises:
        DataError: a structure cannot be fitted to.
        LammpsError: LAMMPS is missing, lacks the package ML-POD, or failed.
    """
    begin = time.monotonic()
    make_folder(folder / "structures")
    write_structures(
        (_for_fitpod(s, k) for k, s in enumerate(structures)), folder / "structures/all.xyz", overwrite=True
    )
    elements = " ".join(elements_of(structures))
    write_atomically(folder / PARAMETERS, f"species {elements}\npbc 1 1 1\n{_lines(config.parameters)}")
    write_atomically(folder / "fit.pod", DATA + _lines(config.fit))
    write_atomically(folder / "in.lammps", f"fitpod {PARAMETERS} fit.pod\n")
    run_lammps(folder / "in.lammps", launch.model_copy(update={"ranks": 1}))
    return {"n_parameters": _n_coefficients(folder / COEFFICIENTS), "minutes": (time.monotonic() - begin) / 60}


def pod_potential(folder: Path, structures: Sequence[Structure]) -> InteractionConfig:
    """Return the potential that was fitted to structures in a folder."""
    names = f"{folder.name}/{PARAMETERS} {folder.name}/{COEFFICIENTS}"
    return InteractionConfig(
        pair_style="pod", pair_coeff=[f"* * {names} {{elements}}"], elements=elements_of(structures)
    )


def _for_fitpod(structure: Structure, k: int) -> Structure:
    """Return what a fit needs of a structure, with its first cell vector along x and the second in the plane of x and y."""
    if not structure.pbc.all():
        raise DataError(f"training structure {k} is not periodic in all directions, and fitpod takes no other ones.")
    if structure.energy is None or structure.forces is None or not np.isfinite(structure.forces).all():
        raise DataError(f"training structure {k} has no energy, or no forces on some atoms; fitpod needs both.")
    cell, turn = structure.to_atoms().cell.standard_form()
    return Structure(
        structure.numbers,
        structure.positions @ turn.T,
        cell.array,
        structure.pbc,
        energy=structure.energy,
        forces=structure.forces @ turn.T,
    )


def _lines(settings: Config) -> str:
    return "".join(f"{name} {value}\n" for name, value in settings)


def _n_coefficients(path: Path) -> int:
    """Return the number of coefficients that a file of them says."""
    try:
        words = path.read_text().split()
        return int(words[words.index("model_coefficients:") + 1])
    except (OSError, ValueError, IndexError):
        raise LammpsError(
            f"fitpod left no coefficients in {path}; its words are in log.lammps.out beside it."
        ) from None
