"""The stages that make samples: observe, adapt, production; each in pieces that are recorded when they are finished."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from unnp.errors import LammpsError, SamplingError
from unnp.files.writing import copy_file, write_atomically, writing
from unnp.lammps.captured import told
from unnp.lammps.run import run_lammps
from unnp.sampling.samples import production, read_samples
from unnp.workflows.momt.config import MomtConfig, Span
from unnp.workflows.momt.deck import ADAPT, PRODUCTION, Chunk, chunk_deck, observe_deck
from unnp.workflows.momt.folder import Run, walker_logs
from unnp.workflows.momt.gates import effective_fractions, half_run_drift
from unnp.workflows.momt.observation import basins_of
from unnp.workflows.momt.watch.estimate import so_far
from unnp.workflows.momt.watch.progress import MomtProgress
from unnp.workflows.momt.watch.tail import last_rows

OBSERVED = ("solid", "liquid")


def observe(run: Run) -> None:
    """Run plain dynamics of solid and liquid and record what they say of the basins."""
    config, record = run.config, run.record
    if record.basins is not None:
        return
    n = config.steps(config.stages.observe, config.pace)
    for k, phase in enumerate(OBSERVED):
        if run.finished("observe") > k:
            continue
        log = run.folder / f"observe/momt.{phase}.log"
        with writing(log):
            log.unlink(missing_ok=True)
        deck = run.folder / f"in.observe.{phase}.lammps"
        write_atomically(deck, observe_deck(config, run.system, phase))
        with MomtProgress(f"observe {phase}", [log], config, 0, n) as progress:
            _lammps(run, deck, progress, walkers=1)
        run.finish("observe")
    record.basins = basins_of(config, run.folder)
    record.write(run.folder)
    if config.has_order:
        print(
            f"observe: liquid below s = {record.basins.liquid:.3f}, solid above {record.basins.solid:.3f}", flush=True
        )


def advance(run: Run, stage: str) -> None:
    """Run chunks of a stage until its gates hold, or it has reached its greatest length.

    Args:
        run: whose earlier stages are finished.
        stage: "adapt" or "production".
    """
    config = run.config
    assert run.record.basins is not None
    if stage == ADAPT and run.finished(PRODUCTION):
        return
    span: Span = getattr(config.stages, stage)
    # A time that is a whole number of chunks stays so, whatever its division rounds to.
    least, most = (math.ceil(t * 1000 / config.timestep / config.chunk_steps - 1e-9) for t in (span.min, span.max))
    logs = [run.folder / stage / f"momt.{walker}.log" for walker in range(config.walkers)]
    done = run.finished(stage)
    with MomtProgress(stage, logs, config, done * config.chunk_steps, most * config.chunk_steps) as progress:
        while True:
            done = run.finished(stage)
            unmet = _unmet(run, stage) if done else []
            if done:
                progress.note = so_far(logs, run.record.basins)
                progress.chunk_done(unmet)
            if done >= most or (done >= least and not unmet):
                break
            _run_chunk(run, Chunk(stage, done + 1), progress)
        time = done * config.chunk_steps * config.timestep / 1000
        progress.say(f"ended after {time:g} ps: {ending(config, stage, unmet)}")
    run.record.unmet[stage] = unmet
    run.record.write(run.folder)


def ending(config: MomtConfig, stage: str, unmet: Sequence[str]) -> str:
    """Say why a stage ended, where these gates did not hold."""
    if not unmet:
        return "all gates hold"
    return f"at its greatest length, {getattr(config.stages, stage).max:g} ps, without: {'; '.join(unmet)}"


def _run_chunk(run: Run, chunk: Chunk, progress: MomtProgress) -> None:
    assert run.record.basins is not None
    if chunk.number == 1:
        with writing(run.folder / chunk.stage):
            for log in walker_logs(run.folder, chunk.stage):
                log.unlink()
    deck = run.folder / chunk.deck
    write_atomically(deck, chunk_deck(run.config, run.system, chunk, run.record.basins))
    _lammps(run, deck, progress, walkers=run.config.walkers)
    state = run.folder / chunk.stage / "state.json"
    copy_file(state, state.with_name(f"state.{chunk.number}.json"))
    run.finish(chunk.stage)
    with writing(run.folder / chunk.stage):
        for old in (run.folder / chunk.stage).glob(f"restart.{chunk.number - 1}.*"):
            old.unlink()


def _lammps(run: Run, deck: Path, progress: MomtProgress, walkers: int) -> None:
    name = deck.name.replace("in.", "log.", 1)
    try:
        log = run_lammps(deck, run.config, partitions=walkers, log=name, follow=progress)
        if log.stopped:
            raise LammpsError(
                f"LAMMPS {log.stopped}. Train the model on such frames, or go on with --resume and another `stop` or none."
            )
    except LammpsError:
        if run.config.capture is not None:
            print(f"captured: {told(run.keep_captured().summary)}", flush=True)
        raise


def _unmet(run: Run, stage: str) -> list[str]:
    """Return the gates of a stage that do not hold yet, in words."""
    gates, folder = run.config.gates, run.folder / stage
    last = last_rows(walker_logs(run.folder, stage))
    unmet = []
    if run.config.has_order and (last is None or last.round_trips < gates.round_trips):
        unmet.append(f"{last.round_trips if last else 0:g} of {gates.round_trips:g} round trips")
    if stage == ADAPT:
        drift = half_run_drift(folder, run.finished(stage))
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
