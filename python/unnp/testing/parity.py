"""LAMMPS on any number of ranks gives what the potential in memory gives, by exchange and with wide ghost shells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.core import is_available
from unnp.errors import ConfigError, LammpsError, UnnpError, in_one_line
from unnp.lammps.data_file import boundary, data_file
from unnp.lammps.launch import Launch
from unnp.lammps.plugin import plugin_path
from unnp.lammps.run import run_lammps
from unnp.testing.checking import Check, CheckSkipped, Measurement, at_least, at_most, close
from unnp.testing.committees import SHAPES, Committee, committee_of
from unnp.testing.lammps_output import measure, printed, read_dump, virial
from unnp.testing.subject import Subject

RANKS = (1, 2, 4)
MOST_RANKS = 64
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Case:
    """A structure that LAMMPS computes with a potential, and how.

    Attributes:
        committee: the potential.
        shape: which structure.
        halo: the pair style's `halo`.
    """

    committee: Committee
    shape: str
    halo: str

    @property
    def label(self) -> str:
        """A name for files."""
        return f"{self.committee.name}-{self.shape}-{self.halo}"


def cases_of(committee: Committee) -> list[Case]:
    """Return all structures with the halo of the potential, and the crystal with a wide one where that is another way."""
    cases, potential = [Case(committee, shape, "auto") for shape in SHAPES], committee.potentials[0]
    has_one_way = potential.halo() == "wide" or potential.communication().sums
    return cases if has_one_way else [*cases, Case(committee, "crystal", "wide")]


def run_cases(cases: Iterable[Case], files: Path, folder: Path, ranks: int, device: str = "auto") -> None:
    """Compute cases in one LAMMPS, whose output stays in a folder.

    Args:
        cases: to compute.
        files: folder of the exported files, absolute.
        folder: the run's folder.
        ranks: number of MPI processes.
        device: the pair style's `device`.

    Raises:
        LammpsError: LAMMPS failed.
    """
    deck = ""
    for case in cases:
        atoms, symbols = case.committee.structure(case.shape), case.committee.symbols
        (folder / f"{case.label}.data").write_text(data_file(atoms, symbols))
        deck += f"clear\nunits metal\nboundary {boundary(atoms)}\nread_data {case.label}.data\n"
        deck += f"pair_style unnp halo {case.halo} device {device}\n"
        deck += f'pair_coeff * * "{case.committee.file(files)}" {" ".join(symbols)}\n'
        deck += measure(case.label)
    (folder / "in.lammps").write_text(deck)
    run_lammps(folder / "in.lammps", Launch(ranks=ranks))


def compare_with_lammps(case: Case, folder: Path, rounding: float = 1.0) -> Iterator[Measurement]:
    """Yield the differences between what LAMMPS left in a folder and the potentials in memory, on the CPU.

    Args:
        case: what was computed.
        folder: where LAMMPS ran.
        rounding: factor on what an energy may be off; more than 1 where another device adds in another order.
    """
    committee, where = case.committee, f"({case.label})"
    dump, numbers = read_dump(folder / f"{case.label}.dump"), _numbers(case, folder)
    expected = committee.predict(dump.atoms(committee.symbols))
    tolerance, energy = committee.tolerance(dump.forces), float(expected.energy)
    yield at_least(f"largest force {where}", np.abs(dump.forces).max(), 1e-2)
    yield close(f"forces {where}", dump.forces, expected.forces, tolerance)
    yield close(f"energy {where}", numbers[0], energy, rounding * committee.relative() * abs(energy))
    yield close(f"energies of atoms {where}", dump.atom_energy, expected.atomic_energy, tolerance)
    yield close(f"virials of atoms {where}", dump.centroid_virial, expected.atomic_virial, 10 * tolerance)
    total = np.asarray(expected.atomic_virial).sum(0)
    yield close(f"virial {where}", virial(numbers), total, 10 * len(dump["id"]) * tolerance)
    if case.shape == "cluster":
        reference = np.mean([float(p.reference_energies[0, 0]) for p in committee.potentials])
        allowed = 2e-6 if committee.single else 2e-15
        yield close(f"energy of the lone atom {where}", dump.atom_energy[-1], reference, allowed)
        yield at_most(f"force on the lone atom {where}", np.abs(dump.forces[-1]).max(), 0.0)


def _numbers(case: Case, folder: Path) -> np.ndarray:
    numbers = printed((folder / "log.lammps").read_text(), case.label)
    if numbers is None:
        raise LammpsError(f"{folder}/log.lammps has no line that begins with {case.label}.")
    return numbers


def check_installed() -> None:
    """Raise CheckSkipped where LAMMPS, MPI or the plugin is missing, with what to do."""
    try:
        Launch().check()
        plugin_path()
    except UnnpError as error:
        raise CheckSkipped(str(error)) from None
    if not is_available():
        raise CheckSkipped("the compiled part of unnp is missing; `unnp doctor` says why.")


def numbers_of_ranks(text: str) -> list[int]:
    """Return the numbers in a text such as "1,2,4".

    Raises:
        ConfigError: there is something else in it.
    """
    words = text.split(",")
    if not all(word.strip().isdecimal() and 1 <= int(word) <= MOST_RANKS for word in words):
        raise ConfigError(f"ranks '{in_one_line(text, 50)}': give numbers from 1 to {MOST_RANKS}, such as 1,2,4.")
    return [int(word) for word in words]


def lammps_checks(ranks: Sequence[int] = RANKS, dtypes: Sequence[str] = DTYPES) -> list[Check]:
    """Return a check for each number of ranks and each number type."""
    return [_lammps_check(n, dtype) for n in ranks for dtype in dtypes]


def _lammps_check(ranks: int, dtype: str) -> Check:
    def measure_parity(subject: Subject) -> Iterator[Measurement]:
        check_installed()
        folder = subject.folder / f"{dtype}-{ranks}"
        folder.mkdir()
        cases = cases_of(committee_of(subject, dtype))
        run_cases(cases, subject.folder, folder, ranks)
        for case in cases:
            yield from compare_with_lammps(case, folder)

    text = f"LAMMPS on {ranks} rank{'s' * (ranks > 1)} gives what the potential in memory gives, in {dtype}."
    return Check(f"lammps, {ranks} rank{'s' * (ranks > 1)}, {dtype}", text, measure_parity)
