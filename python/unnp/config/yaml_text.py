"""YAML as people mean it (the core schema of YAML 1.2), with bounds, and a mistake for every key that stands twice."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from unnp.errors import in_one_line

MOST_CHARACTERS = 4_000_000
MOST_LEVELS = 100
MOST_DIGITS = 100
MOST_VALUES = 1_000_000
"""Values that a file may hold, aliases written out: a few lines of aliases can stand for more than fits into memory."""

# YAML 1.1, which PyYAML follows, takes `No` and `on` for truth values, 012 for ten, 1:30 for ninety and 1e-3 for text.
_CORE = {
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", "~nN"),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "tag:yaml.org,2002:merge": (r"<<", "<"),
}
_BASES = {"0o": 8, "0x": 16}


class YamlError(ValueError):
    """A text is not YAML, or more than a configuration can be; the message is one line."""


def parse_yaml(text: str) -> Any:
    """Return what a YAML text says: tables, lists, texts, numbers, truth values and None, nothing else.

    Raises:
        YamlError: it is no YAML, has a key twice, or goes beyond the bounds; the message says in which line.
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlError(f"it has {len(text)} characters; a configuration has at most {MOST_CHARACTERS}")
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlError(f"{where}{in_one_line(error.problem or error.context)}") from None
    except yaml.YAMLError as error:
        raise YamlError(in_one_line(error)) from None


def format_yaml(content: Any) -> str:
    """Return YAML that ``parse_yaml``, and a reader of YAML 1.1, read back as it was."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False)


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0
        self._values: dict[int, int] = {}  # of finished nodes, by id
        self._levels: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; count what it holds, also where it is an alias of one before."""
        mark, is_alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        if self._level >= MOST_LEVELS:
            raise _problem(f"nested more than {MOST_LEVELS} levels deep", mark)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        if not is_alias:
            self._measure(node, mark)
        elif id(node) not in self._values:
            raise _problem("a value holds itself", mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a table; a key that stands twice hides a mistake, so it is one."""
        table = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in table.value:
            if isinstance(key, yaml.ScalarNode):
                name = (key.tag, key.value)
                if name in seen:
                    raise _problem(f"the key '{in_one_line(key.value, 60)}' stands twice", key.start_mark)
                seen.add(name)
        return table

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Hashable:
        """Return the value of a node; numbers that Python does not make are said as all other mistakes."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            if isinstance(error, yaml.YAMLError):
                raise
            given = in_one_line(getattr(node, "value", ""), 40)
            raise _problem(f"'{given}' is not a number that can be used", node.start_mark) from None

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return a whole number: decimal, also with zeros before it, octal as 0o14, or hexadecimal as 0xc."""
        text = self.construct_scalar(node).replace("_", "")
        if len(text) > MOST_DIGITS:
            raise ValueError
        return int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return a number; `.inf` and `.nan` are numbers too, for whoever takes them."""
        text = self.construct_scalar(node).replace("_", "").lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))

    def _measure(self, node: yaml.Node | None, mark: yaml.Mark) -> None:
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        values = 1 + sum(self._values[id(child)] for child in children)
        levels = 1 + max((self._levels[id(child)] for child in children), default=0)
        if values > MOST_VALUES:
            raise _problem(f"more than {MOST_VALUES} values", mark)
        if levels > MOST_LEVELS:
            raise _problem(f"nested more than {MOST_LEVELS} levels deep", mark)
        self._values[id(node)], self._levels[id(node)] = values, levels


class _Dumper(yaml.SafeDumper):
    """Puts quotes around each text that YAML 1.1 or 1.2 takes for something else."""


def _problem(what: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=mark)


_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _CORE.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first) + [""] * ("null" in _tag))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
