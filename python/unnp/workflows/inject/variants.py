"""Variants of methods: Tukey's loss off, thirds of confidence, a potential left out, a potential alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unnp.workflows.inject.methods import CLASSIFIER, CONFIDENCES, AugmentConfig, MethodConfig

Kind = Literal["tukey", "confidence", "left-out", "alone"]
Changed = Iterator[tuple[str, MethodConfig]]


@dataclass(frozen=True)
class Variant:
    """A method that differs from another in one thing.

    Attributes:
        of: name of the method that it differs from.
        kind: what differs.
        what: what it is: ``squares``, a third of confidence, or the name of a potential.
        method: its settings.
    """

    of: str
    kind: Kind
    what: str
    method: MethodConfig


def expanded(
    asked: Mapping[str, Sequence[Kind]], methods: Mapping[str, MethodConfig], potentials: Sequence[str]
) -> dict[str, Variant]:
    """Return the variants that are asked for, by name.

    Args:
        asked: kinds by the name of the method.
        methods: all methods.
        potentials: all empirical potentials.

    Raises:
        ValueError: a method is not there, has nothing that could be varied so, or a variant has the name of a method.
    """
    found: dict[str, Variant] = {}
    for of, kinds in asked.items():
        if of not in methods:
            raise ValueError(f"variants: there is no method '{of}'; give one of {', '.join(methods)}")
        for kind in dict.fromkeys(kinds):
            own = {
                f"{of}-{_WORDS[kind]}{what}": (what, method) for what, method in _KINDS[kind](methods[of], potentials)
            }
            if not own:
                raise ValueError(f"variants.{of}: {_MISSING[kind]}; leave {kind} out")
            if taken := [name for name in own if name in methods or name in found]:
                raise ValueError(f"variants.{of}: {taken[0]} is a method already; give that another name")
            found |= {name: Variant(of, kind, what, method) for name, (what, method) in own.items()}
    return found


def _tukey(method: MethodConfig, potentials: Sequence[str]) -> Changed:
    if method.augment is not None and method.augment.robust:
        yield "squares", _augmented(method, robust=False)


def _confidence(method: MethodConfig, potentials: Sequence[str]) -> Changed:
    if method.augment is not None and method.augment.labels == CLASSIFIER:
        yield from ((name, _augmented(method, confidence=[name])) for name in CONFIDENCES)


def _left_out(method: MethodConfig, potentials: Sequence[str]) -> Changed:
    used = _used(method, potentials)
    if len(used) > 1:
        yield from ((name, _restricted(method, [other for other in used if other != name])) for name in used)


def _alone(method: MethodConfig, potentials: Sequence[str]) -> Changed:
    used = _used(method, potentials)
    if len(used) > 1:
        yield from ((name, _restricted(method, [name])) for name in used)


_KINDS: dict[Kind, Callable[[MethodConfig, Sequence[str]], Changed]] = {
    "tukey": _tukey,
    "confidence": _confidence,
    "left-out": _left_out,
    "alone": _alone,
}
_WORDS: dict[Kind, str] = {"tukey": "", "confidence": "", "left-out": "without-", "alone": "only-"}
_MISSING: dict[Kind, str] = {
    "tukey": "it has no labels that count by Tukey's biweight",
    "confidence": "no classifier chooses its labels",
    "left-out": "it does not choose among several potentials",
    "alone": "it does not choose among several potentials",
}


def _used(method: MethodConfig, potentials: Sequence[str]) -> list[str]:
    """Return the potentials that a method learns from, in their order; none where the labels are those of a named one."""
    found: set[str] = set()
    if method.augment is not None:
        if method.augment.labels != CLASSIFIER:
            return []
        found |= set(method.augment.potentials or potentials)
    if method.pretrain is not None:
        found |= set(method.pretrain.potentials or potentials)
    return [name for name in potentials if name in found]


def _restricted(method: MethodConfig, potentials: list[str]) -> MethodConfig:
    """Return the method with these potentials wherever it learns from potentials."""
    update: dict[str, object] = {}
    if method.augment is not None:
        update["augment"] = method.augment.model_copy(update={"potentials": potentials})
    if method.pretrain is not None:
        update["pretrain"] = method.pretrain.model_copy(update={"potentials": potentials})
    return method.model_copy(update=update)


def _augmented(method: MethodConfig, **changes: object) -> MethodConfig:
    assert isinstance(method.augment, AugmentConfig)
    return method.model_copy(update={"augment": method.augment.model_copy(update=changes)})
