"""The levels of theory of a training: scale and reference energies of each head, from its data or from an older head."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

from unnp.atoms.elements import Elements
from unnp.atoms.structure import Structure
from unnp.data.opening import Concatenated
from unnp.data.reference_energies import is_isolated, reference_energies
from unnp.data.statistics import group_names, statistics
from unnp.device import resolve_dtype
from unnp.errors import ConfigError, unknown
from unnp.models import Head, Potential
from unnp.models.growth import grown
from unnp.train.config import TrainConfig
from unnp.train.datasets import Sources, Subset
from unnp.train.mixed import jumps, mixed_zeros, said_of
from unnp.train.start import Start, large_rate
from unnp.train.zeros import (
    OTHER_ZERO,
    VISIBLE_JUMP,
    Differences,
    Shift,
    differences_of,
    of_new_elements,
    parts_of_another_zero,
    sampled,
)

logger = logging.getLogger(__name__)


def fitted_head(config: TrainConfig, sources: Sources, elements: Elements, owner: Mapping[str, int], name: str) -> Head:
    """Return a head with the scale and the reference energies of its own training structures.

    Args:
        config: of the training.
        sources: all structures.
        elements: of the potential.
        owner: position of the head of each group.
        name: of the head.

    Raises:
        ConfigError: it has no training structures.
    """
    k, cutoff, alone = list(config.heads).index(name), config.potential.cutoff(), len(config.heads) == 1
    own = sources.train if alone else _own(sources.train, owner, k)
    if not len(own):
        raise ConfigError(f"heads.{name} has no training structures; give it groups that have, or leave it out.")
    isolated = [s for s in sources.validation if s.energy is not None and is_isolated(s, cutoff)]
    held_back = [s for s in isolated if owner[s.group] == k]  # a single atom may have been held back
    kind = config.heads[name].reference_energies or config.reference_energies
    if kind == "shift":
        raise ConfigError(
            f"heads.{name}: `shift` moves the energies of an older head, and this one begins anew; name copy_of."
        )
    energies = reference_energies(Concatenated([own, held_back]), elements, kind, cutoff)
    if text := mixed_zeros(sampled(own), energies):
        logger.warning("heads.%s: %s", name, text)
    scale = (sources.statistics if alone else statistics(own)).rms.get("forces") or 1.0
    return Head(scale, energies, name, _groups(own))


def begin_with(
    start: Start,
    config: TrainConfig,
    sources: Sources,
    elements: Elements,
    owner: Mapping[str, int],
    closest: Sequence[Sequence[float]],
) -> Potential:
    """Return the potential that a training begins with: the weights of the start, and what it lacks with random weights.

    Args:
        start: what the training begins with.
        config, sources, elements, owner: as of ``fitted_head``.
        closest: as of ``grown``.

    Raises:
        ConfigError: a head has no data, or energies of another zero; or the architecture cannot take new elements.
    """
    heads, begin = [], []
    for name, settings in config.heads.items():
        source = settings.copy_of or (name if name in start.heads else None)
        if source is None and config.heads.keys().isdisjoint(start.heads) and "heads" not in config.model_fields_set:
            raise ConfigError(
                f"start: {config.start} has the heads {', '.join(start.heads)}; name under `heads` which stay."
            )
        if source is not None and source not in start.heads:
            raise ConfigError(f"heads.{name}.copy_of: " + unknown("head of the start", source, start.heads))
        begin.append(None if source is None else start.heads.index(source))
        if source is None:
            heads.append(fitted_head(config, sources, elements, owner, name))
        else:
            heads.append(_older_head(start, config, sources, elements, owner, name, source))
    for text in (large_rate(config, start), *_without_data(config, sources, elements, owner)):
        if text:
            logger.warning("%s", text)
    return grown(start.potential, elements.symbols, heads, begin, config.potential.outputs, closest).train()


def _older_head(
    start: Start,
    config: TrainConfig,
    sources: Sources,
    elements: Elements,
    owner: Mapping[str, int],
    name: str,
    source: str,
) -> Head:
    """Return a head that begins with the weights of an older one: with its scale, and its energies where they hold."""
    position = start.heads.index(source)
    old, kind = start.potential.heads[position], config.heads[name].reference_energies
    own = _own(sources.train, owner, list(config.heads).index(name))
    new = Subset(own, [k for k, group in enumerate(own.group_names) if group not in sources.old_heads])
    if problem := _refused(config, name, source, elements, n_structures=len(own), mixed=len(new) < len(own)):
        raise ConfigError(f"heads.{name}: {problem}")
    given = kind if isinstance(kind, dict) else {}
    energies = {**old.reference_energies, **given}
    differences = differences_of(start.potential, position, new, resolve_dtype(start.dtype))
    shift = differences.shift
    stays = old.reference_energies.keys().isdisjoint(given) and kind != "shift"
    if stays and shift.is_another_zero:
        raise ConfigError(f"heads.{name}: {_another_zero(source, shift)}")
    for text in _jumps(name, differences) or (_doubts(source, differences, start) if stays else ()):
        logger.warning("heads.%s: %s", name, text)
    if kind == "shift":
        energies = {symbol: energy + shift.energies.get(symbol, 0.0) for symbol, energy in energies.items()}
    energies = of_new_elements(energies, own, elements, start.potential.cutoff())
    return Head(old.energy_scale, energies, name, _groups(own) or old.groups)


def _refused(config: TrainConfig, name: str, source: str, elements: Elements, *, n_structures: int, mixed: bool) -> str:
    """Return why a head cannot begin with the weights of an older one; empty where it can."""
    settings, rates = config.heads[name], config.optimizer.rates
    kind = settings.reference_energies
    if kind in ("zero", "least-squares"):
        return (
            f"its weights belong to the reference energies of '{source}' of the start, not to {kind}; leave reference_energies "
            "out, give some as a table, or `shift` to move them by least squares to the labels."
        )
    if isinstance(kind, dict) and (absent := [symbol for symbol in kind if symbol not in elements.symbols]):
        return unknown("element of reference_energies", absent[0], elements.symbols)
    if kind == "shift" and mixed:
        return (
            "old data go through it, and `shift` would move their zero of energy too; give the new data a head of their own, "
            f"with copy_of: {source}."
        )
    moves = any([rates.elements, rates.representation, rates.energy_heads * settings.rate])
    if not n_structures and moves:
        return (
            "it has no training structures, but the layers below it learn, so its energies would drift away; give it groups, "
            "or by `replay` old data, leave it out, or freeze it and all below it (optimizer.rates)."
        )
    return ""


def _jumps(name: str, differences: Differences) -> list[str]:
    """Return what to say of new structures that are alike but for a constant; raise ConfigError where that is large."""
    found = jumps(differences.structures, differences.per_atom, VISIBLE_JUMP)
    if any(abs(jump.size) > OTHER_ZERO for jump in found):
        raise ConfigError(f"heads.{name}: {said_of(found)}")
    return [said_of(found)] if found else []


def _doubts(source: str, differences: Differences, start: Start) -> Iterator[str]:
    """Yield what to say where new structures, all or a part of them, may count from another zero than the start."""
    for part, of_part in parts_of_another_zero(differences, start.potential.cutoff()):
        yield _another_zero(source, of_part, of=part, certain=False)
    if differences.shift.may_be_another_zero:
        yield _another_zero(source, differences.shift, certain=False)


def _another_zero(source: str, shift: Shift, *, of: str = "its new structures", certain: bool = True) -> str:
    found = ", ".join(f"{symbol} {energy:+.2f} eV" for symbol, energy in shift.energies.items() if energy)
    said = (
        f"the energies of {of} differ from those of '{source}' of the start by {'' if certain else 'nearly '}a "
        f"constant for each element ({found}; {shift.size:.2f} eV/atom)"
    )
    what_to_do = f"give them a head of their own: `copy_of: {source}, reference_energies: shift`."
    if certain:
        return (
            f"{said}: they count from another zero or are of another level of theory. Do not mix them with what it knows, "
            f"{what_to_do}"
        )
    return (
        f"{said}. Where they count from another zero (corrections as MP2020, other pseudopotentials) or are of another "
        f"level of theory, {what_to_do} Where it is the start that is wrong by so much, all is well."
    )


def _own(structures: Sequence[Structure], owner: Mapping[str, int], k: int) -> Subset:
    """Return the structures of the head at position ``k``."""
    return Subset(structures, [i for i, group in enumerate(group_names(structures)) if owner[group] == k])


def _groups(structures: Sequence[Structure]) -> tuple[str, ...]:
    return tuple(sorted({group for group in group_names(structures) if group}))


def _without_data(config: TrainConfig, sources: Sources, elements: Elements, owner: Mapping[str, int]) -> Iterator[str]:
    """Yield what to say of the elements that a head has no training structure with."""
    for k, name in enumerate(config.heads):
        own = _own(sources.train, owner, k)
        seen = set(statistics(own).elements) if len(own) else set(elements.symbols)
        if absent := [symbol for symbol in elements.symbols if symbol not in seen]:
            yield (
                f"heads.{name} has no training structure with {', '.join(absent)}: energies of structures with them are not "
                "learnt, and those that it knew will drift. Add such structures, or old ones by `replay`."
            )
