"""Damaged and tampered data stores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mutations import (
    ODD_VALUES,
    Change,
    Due,
    Mutant,
    changed_json,
    changed_text,
    file_damage,
    flip_bit,
    put,
    seed_of,
    take,
    text_damage,
)

ARRAYS = (
    "numbers",
    "positions",
    "forces",
    "cell",
    "pbc",
    "energy",
    "stress",
    "group",
    "offsets",
    "source_offsets",
    "source",
)
INDEX = "dataset.json"


def _damaged_arrays() -> list[Mutant]:
    made = []
    for k, name in enumerate(ARRAYS):
        damage = file_damage(flips=0)
        made += [damage[k % len(damage)].within(f"{name}.npy"), damage[(k + 4) % len(damage)].within(f"{name}.npy")]
        made.append(Mutant(f"{name}-flip-content", _flip(name, 128, None)))
        made.append(Mutant(f"{name}-flip-header", _flip(name, 0, 100)))
    return made


def _flip(name: str, begin: int, end: int | None) -> Change:
    return lambda store: flip_bit(store / f"{name}.npy", seed_of(f"{name}{begin}"), begin, end)


def rewritten(**changes: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Return the change of a store that changes arrays, with their right checksums and numbers of rows."""

    def apply(store: Path) -> None:
        index = json.loads((store / INDEX).read_text())
        for name, change in changes.items():
            path = store / f"{name}.npy"
            array = change(np.load(path))
            np.save(path, array)
            index["arrays"][name] |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": len(array)}
        (store / INDEX).write_text(json.dumps(index))

    return apply


def _with(place: tuple[int, ...], value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[place] = value
        return array

    return change


def _typed(dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: array.astype(dtype)


TAMPERED: dict[str, Change] = {
    "energy-infinite": rewritten(energy=_with((3,), np.inf)),
    "energy-1e300": rewritten(energy=_with((3,), 1e300)),
    "forces-infinite": rewritten(forces=_with((5, 1), -np.inf)),
    "forces-1e300": rewritten(forces=_with((5, 1), 1e300)),
    "forces-partly-absent-in-one-component": rewritten(forces=_with((5, 1), np.nan)),
    "stress-infinite": rewritten(stress=_with((2, 0, 0), np.inf)),
    "positions-nan": rewritten(positions=_with((7, 0), np.nan)),
    "positions-infinite": rewritten(positions=_with((7, 0), np.inf)),
    "positions-same": rewritten(positions=lambda a: np.concatenate([a[:1], a[:1], a[2:]])),
    "cell-nan": rewritten(cell=_with((1, 1, 1), np.nan)),
    "cell-zero": rewritten(cell=lambda a: 0 * a),
    "cell-flat": rewritten(cell=lambda a: np.concatenate([a[:, :1], a[:, :1], a[:, 2:]], axis=1)),
    "cell-tiny": rewritten(cell=lambda a: 1e-9 * a),
    "numbers-zero": rewritten(numbers=_with((0,), 0)),
    "numbers-200": rewritten(numbers=_with((0,), 200)),
    "group-of-none": rewritten(group=_with((2,), 77)),
    "group-minus": rewritten(group=_with((2,), -2)),
    "offsets-back": rewritten(offsets=_with((2,), 1)),
    "offsets-minus": rewritten(offsets=_with((1,), -4)),
    "offsets-huge": rewritten(offsets=_with((1,), 2**62)),
    "offsets-begin": rewritten(offsets=_with((0,), 1)),
    "no-atoms-in-one": rewritten(offsets=_with((1,), 0)),
    "source-offsets-huge": rewritten(source_offsets=_with((1,), 2**62)),
    "energy-short": rewritten(energy=lambda a: a[:-1]),
    "energy-float32": rewritten(energy=_typed("f4")),
    "energy-swapped-bytes": rewritten(energy=_typed(">f8")),
    "energy-text": rewritten(energy=_typed("U20")),
    "forces-flat": rewritten(forces=np.ravel),
    "pbc-numbers": rewritten(pbc=_typed("u1")),
    "object-array": lambda store: np.save(store / "energy.npy", np.array([{}] * 12, dtype=object), allow_pickle=True),
    "exchanged": lambda store: (store / "energy.npy").write_bytes((store / "group.npy").read_bytes()),
}


# What has to give the answer of the unchanged store, or to be refused, and why it need not be refused.
ALLOWED: dict[str, tuple[Due, str]] = {
    "index-statistics-infinite": (
        "same",
        "the statistics are of use only where they are printed, and are checked there",
    ),
    "index-statistics-true": ("same", "the statistics are of use only where they are printed, and are checked there"),
}


def _odd_index() -> list[Mutant]:
    places = [
        ("n_structures",),
        ("arrays",),
        ("groups",),
        ("version",),
        ("format",),
        ("arrays", "energy"),
        ("statistics",),
    ]
    places += [("arrays", "energy", "rows"), ("arrays", "energy", "sha256"), ("groups", 0)]
    names = list(ODD_VALUES)
    made = []
    for k, place in enumerate(places):
        title = "-".join(map(str, place))
        made.append(Mutant(f"index-without-{title}", changed_json(lambda d, p=place: take(d, p))))
        for name in (names[k % len(names)], names[(k + 5) % len(names)]):
            value = ODD_VALUES[name]
            made.append(Mutant(f"index-{title}-{name}", changed_json(lambda d, p=place, v=value: put(d, p, v))))
    for name in ("huge", "minus", "text"):
        made.append(
            Mutant(
                f"index-n_structures-{name}2", changed_json(lambda d, v=ODD_VALUES[name]: put(d, ("n_structures",), v))
            )
        )
    return [Mutant(m.name, m.within(INDEX).change, *ALLOWED.get(m.name, ("error", ""))) for m in made]


def _damaged_index() -> list[Mutant]:
    damage = [m for m in file_damage(flips=0) if m.name != "more"]
    return [m.within(INDEX) for m in [*damage, *text_damage()]]


def _doubled_key(text: str) -> str:
    return text.replace('{"', '{"n_structures": 3, "', 1)


# What must give the answer of the unchanged store, or be refused.
SAME = [
    Mutant(
        "index-spaced",
        lambda store: (store / INDEX).write_text(json.dumps(json.loads((store / INDEX).read_text()), indent=3)),
        "same",
        "white space",
    ),
    Mutant("other-file-beside", lambda store: (store / "notes.txt").write_text("x"), "same", "a file of the user"),
    Mutant(
        "part-beside", lambda store: (store / ".energy.npy.part").write_text("x"), "same", "left by a killed writer"
    ),
    Mutant(
        "doubled-key",
        lambda store: changed_text(_doubled_key)(store / INDEX),
        "same",
        "if the last counts, it is right",
    ),
]

MUTANTS = [
    *_damaged_arrays(),
    *(Mutant(name, change) for name, change in TAMPERED.items()),
    *_odd_index(),
    *_damaged_index(),
    *SAME,
]
