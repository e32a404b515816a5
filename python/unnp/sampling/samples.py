"""The samples of one or more walkers as arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.errors import DataError, SamplingError
from unnp.sampling.log_file import LogHeader, check_equal_headers, read_log

MIN_ROWS = 100
MIN_FROZEN_ROWS = 20


@dataclass(frozen=True)
class Samples:
    """Configurations drawn from ``rho ~ exp{-[H + Vb(H, s)] / k T0}``, in time order within each walker.

    Energies are in the energy unit of the LAMMPS unit style (eV for metal), lengths likewise (A).

    Attributes:
        step: (n,) timestep.
        walker: (n,) int, ascending from 0.
        energy: (n,) potential energy E of all atoms.
        volume: (n,) V.
        enthalpy: (n,) H = E + P0 V.
        order: (n,) order parameter s.
        bias: (n,) bias Vb that the configuration was drawn with.
        updates: (n,) how often the bias had been updated.
        header: what all walkers share.
        notes: what a reader of results should know, such as lines left out.
    """

    step: np.ndarray
    walker: np.ndarray
    energy: np.ndarray
    volume: np.ndarray
    enthalpy: np.ndarray
    order: np.ndarray
    bias: np.ndarray
    updates: np.ndarray
    header: LogHeader
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.step)

    @property
    def temperature(self) -> float:
        """Thermostat temperature T0."""
        return self.header.temperature

    @property
    def pressure(self) -> float | None:
        """Reference pressure P0 [energy / length^3], None at constant volume."""
        return self.header.reference_pressure

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self.header.atoms

    @property
    def boltzmann(self) -> float:
        """Boltzmann's constant k [energy / temperature]."""
        return self.header.boltzmann

    def select(self, rows: np.ndarray) -> Samples:
        """Return the rows of a mask or index array."""
        arrays = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return dataclasses.replace(self, **{k: v[rows] for k, v in arrays.items() if isinstance(v, np.ndarray)})


def read_samples(paths: Sequence[Path]) -> Samples:
    """Read the logs of walkers that share one bias.

    Args:
        paths: one log per walker.

    Raises:
        DataError: no file, or one that is empty, damaged or not finite; or walkers of different ensembles.
    """
    if not paths:
        raise DataError("there is no log to read.")
    logs = [read_log(Path(path)) for path in paths]
    for path, log in zip(paths[1:], logs[1:], strict=True):
        check_equal_headers(logs[0].header, log.header, f"{paths[0]} and {path} differ")
    notes = tuple(
        f"{path}: {log.n_broken} broken line(s) left out, as a kill leaves them."
        for path, log in zip(paths, logs, strict=True)
        if log.n_broken
    )
    columns = {name: np.concatenate([log.columns[name] for log in logs]) for name in logs[0].columns}
    walker = np.repeat(np.arange(len(logs)), [len(log.columns["step"]) for log in logs])
    return Samples(walker=walker, header=logs[0].header, notes=notes, **columns)


def production(samples: Samples, burn_in: float) -> Samples:
    """Return the rows that results are to be made from.

    Where the bias was frozen at some step, only rows from there on; of these, each walker's first fraction ``burn_in`` is
    dropped. A bias that never stops to change is noted.

    Raises:
        SamplingError: fewer than 100 rows are left; they are all the same; or a bias that needs freezing never was frozen.
    """
    keep = np.zeros(len(samples), dtype=bool)
    for walker in np.unique(samples.walker):
        own = np.flatnonzero(samples.walker == walker)
        own = own[_frozen_from(samples.updates[own]) :]
        keep[own[int(burn_in * len(own)) :]] = True
    chosen = samples.select(keep)
    if len(chosen) < MIN_ROWS:
        raise SamplingError(
            f"{len(chosen)} rows are left after the adaptation and a burn-in of {burn_in:g}, fewer than {MIN_ROWS}; "
            "run longer or log more often."
        )
    if np.ptp(chosen.enthalpy) == 0:
        raise SamplingError(
            f"the enthalpy is {chosen.enthalpy[0]:.6g} in all rows: the atoms did not move; look at the run."
        )
    n_updates = int(np.ptp(chosen.updates))
    if n_updates == 0:
        return chosen
    if samples.header.needs_freezing:
        raise SamplingError(
            f"the bias of mode {samples.header.mode} was updated to the end; its samples obey no known density. Freeze it "
            "(freeze STEP, or fix_modify ID freeze yes) and run on."
        )
    note = f"the bias was still updated, {n_updates} times over the rows used; results hold as far as it had converged."
    return dataclasses.replace(chosen, notes=(*chosen.notes, note))


def _frozen_from(updates: np.ndarray) -> int:
    """Return the first row of the part at the end that has no updates; 0 where there is no such part.

    Between updates, too, rows share their number: a frozen part has to be much longer than that.
    """
    changes = np.flatnonzero(np.diff(updates)) + 1
    if not len(changes):
        return 0
    longest_before = int(np.diff(changes, prepend=0).max())
    n_last = len(updates) - int(changes[-1])
    return int(changes[-1]) if n_last >= max(MIN_FROZEN_ROWS, 4 * longest_before) else 0
