"""The structures of a run: candidates from the dumps, thinned, labelled without the bias, written with their weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unnp.errors import LammpsError
from unnp.lammps.dump_file import read_dump, renumbered
from unnp.sampling.reweighting import log_weights
from unnp.sampling.samples import Samples
from unnp.workflows.momt.frames.flat import select_flat

_DUMP = re.compile(r"frames\.(\d+)\.(\d+)\.lammpstrj")


@dataclass(frozen=True)
class Candidates:
    """Dumped frames that have a row in the logs.

    Attributes:
        file: (n,) index into ``files``.
        begin, end: (n,) bytes of the frame in its file.
        row: (n,) row of the samples.
        files: dumps.
    """

    file: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    row: np.ndarray
    files: list[Path]

    def __len__(self) -> int:
        return len(self.row)

    def text(self, frames: np.ndarray, first: int) -> Iterator[bytes]:
        """Yield the dump text of frames, numbered ``first``, ``first + 1``, ... as timesteps, which must ascend."""
        for number, k in enumerate(frames, start=first):
            with self.files[self.file[k]].open("rb") as file:
                file.seek(self.begin[k])
                content = file.read(self.end[k] - self.begin[k])
            yield renumbered(content, number)


def find_candidates(folder: Path, n_chunks: int, samples: Samples) -> Candidates:
    """Return the frames dumped in the finished chunks of production.

    Args:
        folder: the folder in which production ran.
        n_chunks: finished chunks; dumps of later ones are not complete.
        samples: rows that frames must belong to; a step that two chunks share is taken once.

    Raises:
        LammpsError: there are none.
    """
    found = sorted((int(m[1]), int(m[2]), p) for p in folder.iterdir() if (m := _DUMP.fullmatch(p.name)))
    dumps = [(walker, path) for chunk, walker, path in found if chunk <= n_chunks]
    row_of = {(int(w), int(s)): k for k, (w, s) in enumerate(zip(samples.walker, samples.step, strict=True))}
    columns = []
    for number, (walker, path) in enumerate(dumps):
        for frame in read_dump(path):
            row = row_of.pop((walker, frame.step), None)
            if row is not None:
                columns.append((number, frame.begin, frame.end, row))
    if not columns:
        raise LammpsError(f"{folder} holds no frames; was it made with frames: null?")
    file, begins, ends, rows = np.array(columns).T
    return Candidates(file, begins, ends, rows, [path for _, path in dumps])


def choose(candidates: Candidates, samples: Samples, wanted: int, bins: int | None, seed: int) -> np.ndarray:
    """Return ascending indices of the candidates that are kept.

    Args:
        candidates: dumped frames.
        samples: their rows.
        wanted: how many; all where there are fewer.
        bins: number of bins for enthalpy and order, to be filled evenly; None: evenly in time.
        seed: seed for the choice.
    """
    n = len(candidates)
    if bins is not None:
        enthalpy, order = samples.enthalpy[candidates.row], samples.order[candidates.row]
        return select_flat(enthalpy, order, wanted, bins, np.random.default_rng(seed))
    return np.unique(np.linspace(0, n - 1, min(wanted, n)).round().astype(int))


def frame_weights(samples: Samples, candidates: Candidates, kept: np.ndarray, bins: int | None) -> np.ndarray:
    """Return weights (n_kept,), mean 1, with which averages over the kept frames are averages at T0 and P0.

    ``w = exp(Vb / k T0) * (candidates / kept in the frame's bin)``: the first undoes the bias, the second the thinning.

    Args:
        samples: rows of the candidates.
        candidates: dumped frames.
        kept: indices of those that are kept.
        bins: number of bins that the thinning had for enthalpy and order; None where it did not look at them.
    """
    rows = candidates.row
    logs = log_weights(samples.select(rows), samples.temperature)
    weight = np.exp(logs - logs.max())
    if bins is not None:
        edges = [_edges(samples.enthalpy[rows], bins), _edges(samples.order[rows], bins)]
        cell = np.searchsorted(edges[0], samples.enthalpy[rows], "right") * (bins + 2)
        cell += np.searchsorted(edges[1], samples.order[rows], "right")
        all_in, kept_in = np.bincount(cell), np.bincount(cell[kept], minlength=cell.max() + 1)
        weight[kept] *= all_in[cell[kept]] / kept_in[cell[kept]]
    return weight[kept] / weight[kept].mean()


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    return np.linspace(values.min(), values.max(), bins + 1)[1:-1]
