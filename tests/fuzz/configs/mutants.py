"""Damaged YAML of every verb: what no file may say, and other ways to say the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import yaml
from mutations import Mutant, changed_text, keys_of, put, seed_of, take

# For one place of a file: values that are right nowhere, written as YAML.
NEVER = {
    "deep": "[" * 1500 + "]" * 1500,
    "long-number": "9" * 5000,
    "no-date": "2020-13-45",
    "nan": ".nan",
    "infinite": ".inf",
    "tag-system": '!!python/object/apply:os.system ["touch written"]',
    "tag-name": "!!python/name:os.system",
    "tag-unknown": "!odd 1",
    "anchor-missing": "*nowhere",
    "self": "&a [*a]",
    "escape": '"\\e[2J\\e[31mError"',
    "line-breaks": '"cpu\\nshell touch written\\n"',
    "long-text": "x" * 5000,
    "surrogate": '"\\ud800"',
    "bidirectional": '"\\u202eabc"',
    "empty-mapping-key": "{? {a: 1} : 2}",
    "binary": "!!binary aGVsbG8=",
    "laughs": "["
    + ", ".join(["&a [x,x]", *(f"&{b} [*{a},*{a},*{a},*{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))])
    + "]",
}
WHOLE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "list": lambda text: "- 1\n- 2\n",
    "scalar": lambda text: "hello\n",
    "half": lambda text: text[: len(text) // 2] + "\n  - : ][",
    "tabs": lambda text: text + "\n\tx: 1\n",
    "two-documents": lambda text: text + "---\n" + text,
    "doubled": lambda text: text + text,
    "deep": lambda text: "{a: " * 1500 + "1" + "}" * 1500,
    "unknown": lambda text: text + "stranger: 1\n",
    "number-key": lambda text: text + "17: 1\n",
    "null-key": lambda text: text + "null: 1\n",
    "merge": lambda text: text + "<<: {stranger: 1}\n",
    "zeros": lambda text: "\0" * 300,
    "surrogates": lambda text: text + "# \ud800\n",
}
SAME: dict[str, Callable[[str], str]] = {
    "byte-order-mark": lambda text: "\ufeff" + text,
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "comments": lambda text: "# hello\n" + text + "# end\n",
    "start": lambda text: "---\n" + text + "...\n",
    "flow": lambda text: yaml.safe_dump(yaml.safe_load(text), default_flow_style=True, width=10**6),
    "short-lines": lambda text: yaml.safe_dump(yaml.safe_load(text), default_flow_style=True) + "\n\n",
}


def _with(place: tuple[Any, ...], value: str) -> Callable[[str], str]:
    """Put YAML text at a place of a file."""

    def change(text: str) -> str:
        marked = put(copy.deepcopy(yaml.safe_load(text)), place, "MUTANT")
        return yaml.safe_dump(marked).replace("MUTANT", value, 1)

    return change


def _doubled(place: tuple[Any, ...]) -> Callable[[str], str]:
    """Write a key twice; the second time with the same value."""

    def change(text: str) -> str:
        tree = yaml.safe_load(text)
        inner = tree
        for key in place[:-1]:
            inner = inner[key]
        value = inner[place[-1]]
        inner["DOUBLED"] = value
        return yaml.safe_dump(tree).replace("DOUBLED", str(place[-1]), 1)

    return change


def mutants(content: dict[str, Any], required: tuple[str, ...]) -> list[Mutant]:
    """Return the mutants of a file; ``required`` keys cannot be left out."""
    made = [Mutant(f"whole-{name}", changed_text(change)) for name, change in WHOLE.items()]
    made += [Mutant(f"same-{name}", changed_text(change), "same", "it says the same") for name, change in SAME.items()]
    places = [place for place in keys_of(content) if isinstance(place[-1], str)]
    for name, value in NEVER.items():
        place = seed_of(f"{sorted(content)}{name}").choice(places)
        made.append(Mutant(f"{'-'.join(map(str, place))}-{name}", changed_text(_with(place, value))))
    doubled = [p for p in places if all(isinstance(key, str) for key in p)]
    made += [Mutant(f"{'-'.join(p)}-twice", changed_text(_doubled(p))) for p in doubled[:6]]
    made += [
        Mutant(f"without-{key}", changed_text(lambda t, k=key: yaml.safe_dump(take(yaml.safe_load(t), (k,)))))
        for key in required
    ]
    for place in [p for p in places if _value(content, p) is not None][:10]:
        wrong = {"a": [1, {"b": None}]}
        made.append(
            Mutant(
                f"{'-'.join(map(str, place))}-odd-mapping",
                changed_text(_with(place, yaml.safe_dump(wrong, default_flow_style=True).strip())),
            )
        )
    return list({mutant.name: mutant for mutant in made}.values())


def _value(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        tree = tree[key]
    return tree
