"""The frames of a run: choose, label in batches that survive a kill, write ``frames.extxyz``."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from unnp.atoms.structure import Structure
from unnp.data.progress import counting
from unnp.data.writing import write_structures
from unnp.errors import LammpsError
from unnp.files.writing import copy_file, make_folder, write_atomically, writing
from unnp.lammps.run import run_lammps
from unnp.sampling.samples import Samples
from unnp.workflows.momt.basins import Basins
from unnp.workflows.momt.config import FramesConfig
from unnp.workflows.momt.deck import PRODUCTION
from unnp.workflows.momt.folder import Run
from unnp.workflows.momt.frames.candidates import Candidates, choose, find_candidates, frame_weights
from unnp.workflows.momt.frames.labels import read_labels, rerun_deck

BATCH = 2000
"""frames that each process labels at once; finished batches are kept"""
TOLERANCE = 1e-3
"""largest difference of energies between run and label [eV/atom]; a network in float32 has 1e-5"""
FRAMES_FILE = "frames.extxyz"


def write_frames(run: Run, settings: FramesConfig, samples: Samples) -> int:
    """Choose, label and write the frames of a run; nothing is done again that is finished.

    Args:
        run: whose production is finished.
        settings: how many, and which.
        samples: what production sampled.

    Returns:
        the number of frames written.

    Raises:
        LammpsError: there are no frames, LAMMPS failed, or its energies are not those of the run.
    """
    folder, record = run.folder, run.record
    assert record.basins is not None
    candidates = find_candidates(folder / PRODUCTION, record.chunks[PRODUCTION], samples)
    bins = settings.bins if settings.flat else None
    kept = choose(candidates, samples, settings.wanted, bins, run.config.seed)
    work, target = folder / "frames", folder / FRAMES_FILE
    stamp = _fingerprint(samples, candidates, kept)
    if target.exists() and record.frames == stamp:
        return len(kept)
    _begin(work, stamp)
    structures = _labelled(run, candidates, kept)
    rows = candidates.row[kept]
    _check_energies(structures, samples.energy[rows])
    grouped = [
        replace(s, group=_group(float(x), record.basins)) for s, x in zip(structures, samples.order[rows], strict=True)
    ]
    columns = {
        "H": samples.enthalpy[rows],
        "s": samples.order[rows],
        "weight": frame_weights(samples, candidates, kept, bins),
    }
    info = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    write_structures(grouped, target, info=info, overwrite=True)
    record.frames = stamp
    record.write(folder)
    shutil.rmtree(work, ignore_errors=True)
    return len(kept)


def _labelled(run: Run, candidates: Candidates, kept: np.ndarray) -> list[Structure]:
    config, folder = run.config, run.folder
    parts = config.walkers * config.ranks
    batches = [kept[k : k + BATCH * parts] for k in range(0, len(kept), BATCH * parts)]
    structures: list[Structure] = []
    with counting("labelling, batches", len(batches)) as advance:
        for number, batch in enumerate(batches, start=1):
            divided = np.array_split(batch, min(parts, len(batch)))
            done = folder / f"frames/done.{number}"
            if not done.exists():
                _rerun(run, candidates, divided, number)
                write_atomically(done, b"")
            for part in range(len(divided)):
                dump, log = _kept_names(folder, number, part)
                structures += read_labels(dump, log, list(run.system.elements))
            advance()
    return structures


def _rerun(run: Run, candidates: Candidates, divided: list[np.ndarray], number: int) -> None:
    folder = run.folder
    for part, frames in enumerate(divided):
        write_atomically(folder / f"frames/part.{part}.lammpstrj", b"".join(candidates.text(frames, first=1)))
    n, name = len(divided), "log.frames.lammps"
    deck = folder / "in.frames.lammps"
    serial = run.config.model_copy(update={"ranks": 1})  # each process labels frames of its own
    command = serial.shown(n) + (f" -partition {n}x1" if n > 1 else "")
    write_atomically(deck, rerun_deck(run.system, command, n))
    run_lammps(deck, serial, partitions=n, log=name)
    for part in range(n):
        dump, log = _kept_names(folder, number, part)
        with writing(dump):
            (folder / f"frames/labels.{part}.lammpstrj").replace(dump)
        copy_file(folder / (f"{name}.{part}" if n > 1 else name), log)


def _kept_names(folder: Path, batch: int, part: int) -> tuple[Path, Path]:
    return folder / f"frames/batch.{batch}.{part}.lammpstrj", folder / f"frames/batch.{batch}.{part}.log"


def _begin(work: Path, fingerprint: str) -> None:
    """Empty the work folder unless it belongs to the same choice of frames."""
    stamp = work / "choice.json"
    content = json.dumps({"fingerprint": fingerprint})
    if stamp.exists() and stamp.read_text() == content:
        return
    shutil.rmtree(work, ignore_errors=True)
    make_folder(work)
    write_atomically(stamp, content)


def _fingerprint(samples: Samples, candidates: Candidates, kept: np.ndarray) -> str:
    rows = candidates.row[kept]
    digest = hashlib.sha256()
    for array in (samples.step[rows], samples.walker[rows], samples.energy[rows], samples.bias[rows]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_energies(structures: list[Structure], expected: np.ndarray) -> None:
    labelled = np.array([structure.energy for structure in structures])
    worst = float(np.abs(labelled - expected).max()) / len(structures[0])
    if not worst < TOLERANCE:
        raise LammpsError(
            f"the energies of the labels differ from those of the run by up to {worst:.2g} eV/atom: were potential files in "
            "the run folder changed? Start again in another folder."
        )


def _group(order: float, basins: Basins) -> str:
    if basins.solid <= basins.liquid:
        return ""
    return "solid" if order > basins.solid else "liquid" if order < basins.liquid else "between"
