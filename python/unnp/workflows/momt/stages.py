"""The phases that make samples: observe, adapt, production; each in pieces that are recorded when they are finished."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from unnp.errors import SamplingError
from unnp.files.writing import copy_file, write_atomically, writing
from unnp.lammps.log import LammpsLog
from unnp.lammps.run import run_lammps
from unnp.sampling.samples import production, read_samples
from unnp.workflows.momt.config import MomtConfig, Span
from unnp.workflows.momt.deck import ADAPT, PRODUCTION, Chunk, chunk_deck, observe_deck
from unnp.workflows.momt.folder import Record, walker_logs
from unnp.workflows.momt.gates import effective_fractions, half_run_drift
from unnp.workflows.momt.observation import basins_of
from unnp.workflows.momt.watch.estimate import so_far
from unnp.workflows.momt.watch.progress import MomtProgress
from unnp.workflows.momt.watch.tail import last_rows

OBSERVED = ("solid", "liquid")


@dataclass
class Run:
    """A run that is going on.

    Attributes:
        config: its order parameter is settled.
        folder: of the run.
        record: what is finished.
    """

    config: MomtConfig
    folder: Path
    record: Record

    def finished(self, phase: str) -> int:
        """Return the number of finished pieces of a phase."""
        return self.record.chunks.get(phase, 0)

    def finish(self, phase: str) -> None:
        """Record one more finished piece of a phase."""
        self.record.chunks[phase] = self.finished(phase) + 1
        self.record.write(self.folder)


def observe(run: Run) -> None:
    """Run plain dynamics of solid and liquid and record what they say of the basins."""
    config, record = run.config, run.record
    if record.basins is not None:
        return
    n = config.steps(config.phases.observe, config.pace)
    for k, phase in enumerate(OBSERVED):
        if run.finished("observe") > k:
            continue
        log = run.folder / f"observe/momt.{phase}.log"
        with writing(log):
            log.unlink(missing_ok=True)
        deck = run.folder / f"in.observe.{phase}.lammps"
        write_atomically(deck, observe_deck(config, record.system, phase))
        with MomtProgress(f"observe {phase}", [log], config, 0, n) as progress:
            _lammps(run, deck, progress, walkers=1)
        run.finish("observe")
    record.basins = basins_of(config, run.folder)
    record.write(run.folder)
    if config.has_order:
        print(
            f"observe: liquid below s = {record.basins.liquid:.3f}, solid above {record.basins.solid:.3f}", flush=True
        )


def advance(run: Run, phase: str) -> None:
    """Run chunks of a phase until its gates hold, or it has reached its greatest length.

    Args:
        run: whose earlier phases are finished.
        phase: "adapt" or "production".
    """
    config = run.config
    assert run.record.basins is not None
    if phase == ADAPT and run.finished(PRODUCTION):
        return
    span: Span = getattr(config.phases, phase)
    least, most = (math.ceil(t * 1000 / config.timestep / config.chunk_steps - 1e-9) for t in (span.min, span.max))
    logs = [run.folder / phase / f"momt.{walker}.log" for walker in range(config.walkers)]
    done = run.finished(phase)
    with MomtProgress(phase, logs, config, done * config.chunk_steps, most * config.chunk_steps) as progress:
        while True:
            done = run.finished(phase)
            unmet = _unmet(run, phase) if done else []
            if done:
                progress.note = so_far(logs, run.record.basins)
                progress.chunk_done(unmet)
            if done >= most or (done >= least and not unmet):
                break
            _run_chunk(run, Chunk(phase, done + 1), progress)
        reason = f"at its greatest length, {span.max:g} ps, without: {'; '.join(unmet)}" if unmet else "all gates hold"
        progress.say(f"ended after {done * config.chunk_steps * config.timestep / 1000:g} ps: {reason}")
    run.record.ended[phase] = reason
    run.record.write(run.folder)


def _run_chunk(run: Run, chunk: Chunk, progress: MomtProgress) -> None:
    assert run.record.basins is not None
    if chunk.number == 1:
        with writing(run.folder / chunk.phase):
            for log in walker_logs(run.folder, chunk.phase):
                log.unlink()
    deck = run.folder / chunk.deck
    write_atomically(deck, chunk_deck(run.config, run.record.system, chunk, run.record.basins))
    _lammps(run, deck, progress, walkers=run.config.walkers)
    state = run.folder / chunk.phase / "state.json"
    copy_file(state, state.with_name(f"state.{chunk.number}.json"))
    run.finish(chunk.phase)
    with writing(run.folder / chunk.phase):
        for old in (run.folder / chunk.phase).glob(f"restart.{chunk.number - 1}.*"):
            old.unlink()


def _lammps(run: Run, deck: Path, progress: MomtProgress, walkers: int) -> LammpsLog:
    name = deck.name.replace("in.", "log.", 1)
    return run_lammps(deck, run.config, partitions=walkers, log=name, follow=progress)


def _unmet(run: Run, phase: str) -> list[str]:
    """Return the gates of a phase that do not hold yet, in words."""
    gates, folder = run.config.gates, run.folder / phase
    last = last_rows(walker_logs(run.folder, phase))
    unmet = []
    if run.config.has_order and (last is None or last.round_trips < gates.round_trips):
        unmet.append(f"{last.round_trips if last else 0:g} of {gates.round_trips:g} round trips")
    if phase == ADAPT:
        drift = half_run_drift(folder, run.finished(phase))
        if drift is None or drift > gates.drift:
            unmet.append("drift not known yet" if drift is None else f"drift {drift:.2g} > {gates.drift:g} kT0")
        return unmet
    return unmet + _too_few_frames(run) + _unsupported(run)


def _too_few_frames(run: Run) -> list[str]:
    config = run.config
    if config.frames is None:
        return []
    rows = run.finished(PRODUCTION) * config.chunk_steps * config.walkers * (1 - config.analysis.burn_in)
    candidates = int(rows / config.stride)
    wanted = config.frames.wanted
    return [] if candidates >= wanted else [f"{candidates} of {wanted} frames"]


def _unsupported(run: Run) -> list[str]:
    try:
        samples = production(read_samples(walker_logs(run.folder, PRODUCTION)), run.config.analysis.burn_in)
    except SamplingError as error:
        return [str(error)]
    temperatures = run.config.ensemble_temperatures
    fractions = effective_fractions(samples, temperatures)
    worst = min(range(len(fractions)), key=fractions.__getitem__)
    least = run.config.gates.effective_fraction
    if fractions[worst] >= least:
        return []
    return [f"effective fraction {fractions[worst]:.2g} < {least:g} at {temperatures[worst]:.0f} K"]
