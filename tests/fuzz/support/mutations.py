"""Damage that any file may take, and changes of JSON; each is a mutant with a name from which it can be made again."""

from __future__ import annotations

import json
import os
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Due = Literal["error", "same"]
Change = Callable[[Path], object]


@dataclass(frozen=True)
class Mutant:
    """A change of an input.

    Attributes:
        name: of the case.
        change: is given the file or folder, and changes it.
        due: what has to come of it: "error", or "same", where the answer of the unchanged input is as good as an error.
        why: the reason why the answer may be the same although something was changed on purpose.
    """

    name: str
    change: Change
    due: Due = "error"
    why: str = ""

    def within(self, part: str) -> Mutant:
        """Return the same for a part of the input."""
        return Mutant(
            f"{part.replace('/', '-')}-{self.name}", lambda root: self.change(root / part), self.due, self.why
        )


def seed_of(name: str) -> random.Random:
    """Return the random numbers of a case: the same in every process."""
    return random.Random(zlib.crc32(name.encode()))


def file_damage(due: Due = "error", flips: int = 3, why: str = "") -> list[Mutant]:
    """Return mutants of any file: gone, cut, lengthened, another kind, single flipped bits."""
    changes: dict[str, Change] = {
        "gone": Path.unlink,
        "empty": lambda path: path.write_bytes(b""),
        "half": lambda path: _cut(path, path.stat().st_size // 2),
        "less-one": lambda path: _cut(path, path.stat().st_size - 1),
        "more": lambda path: path.write_bytes(path.read_bytes() + b"\0\1\2"),
        "text": lambda path: path.write_text("hello world\n" * 40),
        "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
        "folder": lambda path: (path.unlink(), path.mkdir()),
        "fifo": lambda path: (path.unlink(), os.mkfifo(path)),
        "dangling": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    }
    made = [Mutant(name, change, due, why) for name, change in changes.items()]
    return made + [Mutant(f"flip{k}", _flipper(k), due, why) for k in range(flips)]


def _cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def _flipper(k: int) -> Change:
    def flip(path: Path) -> None:
        flip_bit(path, seed_of(f"{path.name}{k}"))

    return flip


def flip_bit(path: Path, numbers: random.Random, begin: int = 0, end: int | None = None) -> None:
    """Flip one bit of a file, between two bytes."""
    content = bytearray(path.read_bytes())
    at = numbers.randrange(begin, min(end or len(content), len(content)))
    content[at] ^= 1 << numbers.randrange(8)
    path.write_bytes(content)


ODD_VALUES: dict[str, Any] = {
    "null": None,
    "text": "text",
    "minus": -1,
    "zero": 0,
    "huge": 10**30,
    "fraction": 0.37,
    "infinite": float("inf"),
    "nan": float("nan"),
    "list": [],
    "nested": [[[1]]],
    "object": {},
    "true": True,
}


def keys_of(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the places in a tree of JSON: of each list the first and the last."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*before, key)
            yield from keys_of(inner, (*before, key))
    elif isinstance(value, list) and value:
        for k in sorted({0, len(value) - 1}):
            yield (*before, k)
            yield from keys_of(value[k], (*before, k))


def put(tree: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Put a value at a place of a tree, and return the tree."""
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return tree


def take(tree: Any, place: tuple[Any, ...]) -> Any:
    """Remove what is at a place of a tree, and return the tree."""
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    return tree


def changed_json(change: Callable[[Any], Any]) -> Change:
    """Return the change of a JSON file that a change of its content makes; what that returns is written."""

    def apply(path: Path) -> None:
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return apply


def changed_text(change: Callable[[str], str]) -> Change:
    """Return the change of a text file that a change of its text makes."""
    return lambda path: path.write_bytes(change(path.read_text()).encode("utf-8", "surrogatepass"))


def text_damage(due: Due = "error") -> list[Mutant]:
    """Return mutants that only files of text (JSON, YAML) can have."""
    changes: dict[str, Callable[[str], str]] = {
        "deep": lambda text: "[" * 100_000,
        "closed-deep": lambda text: "[" * 5000 + "]" * 5000,
        "long-number": lambda text: "9" * 6000,
        "list": lambda text: f"[{text}]",
        "nothing": lambda text: "null",
        "twice": lambda text: text + text,
    }
    made = [Mutant(name, changed_text(change), due) for name, change in changes.items()]
    return [*made, Mutant("latin1", lambda path: path.write_bytes(b"\xff\xfe\xe4" + path.read_bytes()), due)]


def some(mutants: list[Mutant], *names: str) -> list[Mutant]:
    """Return the mutants of these names; fail where one is missing."""
    by_name = {mutant.name: mutant for mutant in mutants}
    return [by_name[name] for name in names]
