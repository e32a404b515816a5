"""The loop: what is done in a round, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path

from unnp.atoms.structure import Structure
from unnp.config.kinds import check_kind
from unnp.config.overrides import merged
from unnp.data.opening import Concatenated, open_structures, origins_of
from unnp.data.store import Store, is_store
from unnp.data.store_writer import write_store
from unnp.errors import ConfigError, DataError
from unnp.executors.base import REGISTRY as EXECUTORS
from unnp.exported.archive import read_manifest
from unnp.files.kept import Result
from unnp.train.members import Member, export_committee, train_members, validation_errors
from unnp.workflows.learn.calibrating import calibrate
from unnp.workflows.learn.candidates import Candidates
from unnp.workflows.learn.choosing import choices
from unnp.workflows.learn.config import LearnConfig, training
from unnp.workflows.learn.console import say_round, say_step
from unnp.workflows.learn.labels import check_label, incomplete, labelled_structures
from unnp.workflows.learn.proposers.pool import Pool
from unnp.workflows.learn.rounds import (
    AFTER,
    BEFORE,
    LABEL,
    PROPOSE,
    SELECT,
    TRAIN,
    Round,
    has_labelled,
    read_rounds,
    reason_to_stop,
    round_path,
)
from unnp.workflows.learn.selectors.base import Choice
from unnp.workflows.learn.selectors.random import Random, RandomConfig
from unnp.workflows.learn.situation import Situation, Unlabelled
from unnp.workflows.learn.steps import RoundFolder, Steps

MEMBERS_PER_ROUND = 1000
"""Seeds that each round has for itself."""


class Loop:
    """Everything that a configuration names, built and checked, and the rounds made of it.

    Args:
        config: the loop.
        base: where relative paths in it begin, absolute.
        folder: of the run, absolute.

    Raises:
        ConfigError: a judge has nothing to judge on, or nothing can be drawn for the start or ever be chosen.
        DataError: structures cannot be read.
    """

    def __init__(self, config: LearnConfig, base: Path, folder: Path) -> None:
        self.config, self.base, self.folder = config, base, folder
        self.proposers = [proposer(own, base, name) for name, (proposer, own) in config.proposers.items()]
        self.judges = {name: judge(own, base) for name, (judge, own) in config.judges.items()}
        selector, own = config.selector
        self.selector = selector(own)
        executor, own = check_kind(EXECUTORS, config.executor, "executor")
        self.executor = executor(own)
        self.selector.check(self.pool)
        for judge in self.judges.values():
            judge.check(self.pool)
        if config.start.random and all(proposer.needs_model for proposer in self.proposers):
            raise ConfigError(
                "start.random: there is no proposer that works without a model, such as a pool, to draw from."
            )
        len(self.start)

    def check_label(self) -> None:
        """Try where labels come from, before anything is learnt, unless it has given labels already.

        Raises:
            ConfigError: the calculator of ``label`` cannot be started.
            DataError: structures of a pool have nothing to reveal.
            UnnpError: the executor cannot start that calculator, as it can compute nothing.
        """
        if not reason_to_stop(self.finished(), self.config.stop) and not has_labelled(self.folder):
            check_label(self.config.label, self.pool, self.base, self.executor)

    @cached_property
    def pool(self) -> Sequence[Structure]:
        """All labelled structures of the proposers of the kind pool."""
        return Concatenated([proposer.structures for proposer in self.proposers if isinstance(proposer, Pool)])

    @cached_property
    def start(self) -> Sequence[Structure]:
        """The labelled structures that the loop was given to begin with."""
        given = self.config.start
        return open_structures([self.base / path for path in given.data], given.read) if given.data else []

    def finished(self) -> list[Round]:
        """Return the finished rounds."""
        return read_rounds(self.folder)

    def rounds(self) -> Iterator[Round]:
        """Do what is left of the loop, and yield each round as it is finished."""
        while not (reason := reason_to_stop(self.finished(), self.config.stop)):
            number = len(self.finished())
            self._round(number)
            say_round(self.finished(), len(self.pool), self.judges)
            yield self.finished()[number]
        print(f"The loop is over: {reason}.", flush=True)

    def situation(self, number: int) -> Situation:
        """Return what a round begins with: the last model, and what it was learnt from."""
        model = next((path for k in reversed(range(number)) if (path := self._place(k).model).is_file()), None)
        return Situation(
            number,
            self._place(number).path,
            self.config.seed,
            self.executor,
            self.config.device,
            model,
            Concatenated(self._learnt(number - 1)),
            pool=self.pool,
            attempts=self.config.attempts,
        )

    def _place(self, number: int) -> RoundFolder:
        return RoundFolder(round_path(self.folder, number))

    def _round(self, number: int) -> None:
        place = self._place(number)
        steps = Steps(place.path, lambda name: say_step(number, name))
        at = self.situation(number)
        selected = self._propose_and_select(at, place, steps)
        if not selected["chosen"] and not selected["given"]:
            return
        steps.do(LABEL, lambda: self._label(number, place))
        known = replace(at, new=Store(place.labelled))
        if at.model is not None:
            steps.do(BEFORE, lambda: self._judge(known, "before"))
        steps.do(TRAIN, lambda: self._train(known, place))
        after = replace(known, model=place.model)
        steps.do(AFTER, lambda: self._judge(after, "after"))

    def _propose_and_select(self, at: Situation, place: RoundFolder, steps: Steps) -> Result:
        """Do both steps, and return what was chosen why; what is proposed is gathered once for both."""
        candidates = cache(partial(self._candidates, at))
        steps.do(PROPOSE, lambda: self._counted(candidates(), at))
        return steps.do(SELECT, lambda: self._select(candidates(), at, place))

    def _counted(self, found: Candidates, at: Situation) -> Result:
        """Return how many each proposer has proposed; raise DataError where a first model would learn nothing."""
        if at.model is None and not len(found.structures) and not len(self.start):
            for proposer in self.proposers:
                proposer.ask_again(at)
            counted = ", ".join(f"{name}: {n}" for name, n in {**found.counts, **found.left_out}.items())
            raise DataError(
                f"there is nothing that a first model could learn: no structure is proposed ({counted}). Go on with --resume "
                "when there is, or begin another loop (-o) with labelled structures in `start.data`."
            )
        return found.counts

    def _candidates(self, at: Situation) -> Candidates:
        asked = [
            proposer
            for proposer in self.proposers
            if at.model is not None or (self.config.start.random > 0 and not proposer.needs_model)
        ]
        taken = [Store(path) for k in range(at.number) if is_store(path := self._place(k).chosen)]
        return Candidates.of(asked, at, Concatenated([*taken, self.start]), self.config.limits)

    def _select(self, found: Candidates, at: Situation, place: RoundFolder) -> Result:
        """Write the chosen structures, and return what was chosen why."""
        chosen = self._choices(found.structures, at)
        kept = [found.structures[choice.index] for choice in chosen]
        if kept:
            write_store(kept, place.chosen, overwrite=True)
        entries = [
            {
                "source": structure.source,
                "group": structure.group,
                "proposer": found.proposers[choice.index],
                "score": choice.score,
                "reason": choice.reason,
            }
            for choice, structure in zip(chosen, kept, strict=True)
        ]
        given = len(self.start) if at.number == 0 else 0
        return {
            "candidates": len(found.structures),
            "left_out": found.left_out,
            "ended_early": found.ended_early,
            "given": given,
            "chosen": entries,
        }

    def _choices(self, structures: Sequence[Structure], at: Situation) -> list[Choice]:
        if not len(structures):
            return []
        if at.model is not None:
            return choices(self.selector, Unlabelled(structures), at)
        wanted = self.config.start.random
        return Random(RandomConfig(most=wanted)).select(Unlabelled(structures), at) if wanted else []

    def _label(self, number: int, place: RoundFolder) -> Result:
        chosen: Sequence[Structure] = Store(place.chosen) if is_store(place.chosen) else []
        given, origins = (list(self.start), origins_of(self.start)) if number == 0 else ([], [])
        config = self.config
        if len(chosen):
            found = labelled_structures(
                list(chosen),
                config.label,
                config.limits,
                base=self.base,
                work=place.labelling,
                executor=self.executor,
                attempts=config.attempts,
            )
            given, failures, left_out = [*given, *found.structures], found.failures, found.left_out
            origins += [found.origin] if found.origin and found.origin not in origins else []
        else:
            failures, left_out = {}, {}
        write_store(given, place.labelled, origins=origins, overwrite=True)
        reasons = {str(k): reason for k, reason in failures.items()}
        return {"labelled": len(given), "failures": reasons, "left_out": left_out}

    def _judge(self, at: Situation, moment: str) -> Result:
        return {name: judge.judge(at) for name, judge in self.judges.items() if judge.moment == moment}

    def _train(self, at: Situation, place: RoundFolder) -> Result:
        members = [self._member(at.number, k) for k in range(self.config.members)]
        for name, n in incomplete(self._learnt(at.number)).items():
            print(f"{n} structures have no {name}, which others have; it counts where it is", flush=True)
        train_members(members, self.executor, self.config.attempts)
        export_committee(members, place.model, f"{self.folder.name}, round {at.number}")
        calibrated = self.config.calibrate and at.model is not None
        errors = validation_errors(members)
        return {"validation": errors, "scales": calibrate(place.model, at.potential, at.new) if calibrated else {}}

    def _brings_elements(self, number: int) -> bool:
        """Whether a round has elements that the model before does not know: no weights stand for them."""
        known = read_manifest(self._place(number - 1).model).elements
        return any(symbol not in known for symbol in Store(self._place(number).labelled).statistics.elements)

    def _learnt(self, number: int) -> list[Store]:
        """Return what the model of a round is learnt from."""
        return [Store(path) for k in range(number + 1) if is_store(path := self._place(k).labelled)]

    def _member(self, number: int, k: int) -> Member:
        config = self.config
        stores = self._learnt(number)
        warm = config.warm is not None and number > 0 and not self._brings_elements(number)
        settings = merged(config.train, config.warm or {}) if warm else config.train
        start = str(self._place(number - 1).member(k)) if warm else None
        if incomplete(stores):
            settings = merged({"data": {"read": {"missing": "allow"}}}, settings)
        seed = (config.seed * MEMBERS_PER_ROUND + number) * MEMBERS_PER_ROUND + k
        paths = [str(store.path) for store in stores]
        return Member(training(settings, paths, seed, start), self._place(number).member(k))
