"""All that is proposed in a round and neither known nor unphysical."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unnp.atoms.structure import Structure
from unnp.data.fingerprint import fingerprint
from unnp.data.limits import FrameLimits, unphysical
from unnp.data.opening import Concatenated
from unnp.train.datasets import Subset
from unnp.workflows.learn.proposers.base import Proposer
from unnp.workflows.learn.situation import Situation

KNOWN = "learnt already, or proposed twice"


@dataclass(frozen=True)
class Candidates:
    """Structures to choose from.

    Attributes:
        structures: with the labels they have.
        proposers: name of the proposer of each.
        counts: how many each proposer has proposed, what is left out included.
        left_out: how many were left out, by reason; of runs that ended early how many did.
        ended_early: why the first of such runs did, by proposer.
    """

    structures: Sequence[Structure]
    proposers: list[str]
    counts: dict[str, int]
    left_out: dict[str, int]
    ended_early: dict[str, str]

    @classmethod
    def of(
        cls, proposers: Iterable[Proposer], at: Situation, taken: Iterable[Structure], limits: FrameLimits | None
    ) -> Candidates:
        """Ask proposers, and leave out what is known.

        Args:
            proposers: to be asked.
            at: the round.
            taken: structures that were chosen before.
            limits: of where atoms may be in structures that a proposer has computed; None: none.
        """
        seen = {fingerprint([structure]) for structure in taken}
        parts: list[Sequence[Structure]] = []
        names: list[str] = []
        counts: dict[str, int] = {}
        left_out: Counter[str] = Counter()
        ended: dict[str, str] = {}
        for proposer in proposers:
            found = proposer.propose(at)
            counts[proposer.name] = len(found)
            left_out.update(proposer.left_out(at))
            ended |= {proposer.name: why} if (why := proposer.ended_early(at)) else {}
            reasons = unphysical(found, limits) if limits is not None and proposer.computes else {}
            kept = []
            for k in range(len(found)):
                mark = fingerprint([found[k]])
                reason = reasons.get(k) or (KNOWN if mark in seen else "")
                seen.add(mark)
                left_out.update([reason] if reason else [])
                kept += [] if reason else [k]
            parts.append(Subset(found, kept))
            names += [proposer.name] * len(kept)
        return cls(Concatenated(parts) if parts else [], names, counts, dict(left_out), ended)
