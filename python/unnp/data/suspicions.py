"""Numbers that are possible, but most likely stand in another unit, or were never computed."""

from __future__ import annotations

import numpy as np

from unnp.units import GPA_PER_EV_PER_A3, STRESS_TO_EV_PER_A3

LARGEST_LIKELY_STRESS = 1.0
"""Largest likely root mean square [eV/A^3] of a structure's stress components: 160 GPa, less than half the pressure in
the Earth's core."""

LARGEST_USUAL_STRESS = 15.0 / GPA_PER_EV_PER_A3
"""The same for the median structure [eV/A^3]: half of a data set is beyond it only where it is about very high
pressures."""

_USUAL_GPA = 5.0  # of hot, strained and disordered structures, within a factor of ten or so
_LIKELY_GPA = (0.05, 100.0)


def suspect_stresses(stresses: np.ndarray, unit: str | None = "eV/A^3") -> str:
    """Return what is to be said of stresses that are too large to be likely; empty where there are none.

    Args:
        stresses: (n_structures, 3, 3) [eV/A^3]; NaN where there is none.
        unit: unit in which they were taken to be; None: they are from a virial.
    """
    rms = np.sqrt(np.mean(np.square(stresses), axis=(1, 2))) if len(stresses) else np.zeros(0)
    rms = rms[np.isfinite(rms)]
    all_large = len(rms) and np.median(rms) > LARGEST_USUAL_STRESS
    large = rms if all_large else rms[rms > LARGEST_LIKELY_STRESS]
    if not len(large):
        return ""
    typical = float(np.median(large))
    found = f"the stress of {len(large)} of {len(rms)} structures is {typical * GPA_PER_EV_PER_A3:.4g} GPa"
    if unit is None:
        return f"{found}, from the virial. Check that virial_key names a virial in energy_unit, and energy_unit itself."
    return f"{found}, taken as {unit}. {_advice(typical, unit)}"


def _advice(typical: float, unit: str) -> str:
    """Return which unit a stress that was taken in another one [eV/A^3] most likely has."""
    others = {
        name: typical / STRESS_TO_EV_PER_A3[unit] * factor * GPA_PER_EV_PER_A3
        for name, factor in STRESS_TO_EV_PER_A3.items()
        if name != unit
    }
    likely = min(others, key=lambda name: abs(np.log(others[name] / _USUAL_GPA)))
    if not _LIKELY_GPA[0] <= others[likely] <= _LIKELY_GPA[1]:
        return f"No unit that is known ({', '.join(STRESS_TO_EV_PER_A3)}) makes it likely; check the labels."
    return (
        f"It is likely in {likely} ({others[likely]:.3g} GPa): give stress_unit={likely}, with "
        "stress_sign=compression where the file counts pressure positive, as VASP and LAMMPS do; a virial in energy "
        "units is read with virial_key."
    )


def suspect_energies(all_energies_are_zero: bool, forces_max: float) -> str:
    """Return what is to be said where all energies are exactly 0 though forces [eV/A] are not; else an empty text."""
    if not all_energies_are_zero or not forces_max > 0:
        return ""
    return (
        "every energy is exactly 0, though forces are not: it was most likely never computed (ASE writes 0 for LAMMPS "
        "dumps). Without energies the forces can still be learnt: give energy_key another name and missing=allow."
    )
