"""Mistakes in a setting that takes values of several kinds: told once, at the place where they are in the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Mistake = Mapping[str, Any]
"""An error of pydantic: type, loc, msg, input, ..."""
Place = tuple[int | str, ...]

_PHRASES = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "a text",
}
_BEGINNING = "Input should be "


def told_once(mistakes: Sequence[Any], content: Any) -> list[Mistake]:
    """Return the mistakes without the names that pydantic gives the members of a union.

    For ``fixed: Literal["file"] | list[int]`` pydantic tells of ``fixed.literal['file']`` and of ``fixed.list[int]``. Where the
    value is of the kind of one member, the mistakes of that member remain; otherwise, one that lists all kinds.

    Args:
        mistakes: all errors that one validation found.
        content: what was validated.
    """
    members: dict[Place, dict[str, list[Mistake]]] = defaultdict(lambda: defaultdict(list))
    plain: list[Mistake] = []
    for mistake in mistakes:
        k = _member_at(mistake, content)
        if k is None:
            plain.append(mistake)
        else:
            members[mistake["loc"][:k]][str(mistake["loc"][k])].append(mistake)
    for place, by_member in members.items():
        found = [mistake for of_member in by_member.values() for mistake in of_member]
        plain += told_once(_of_union(place, found), content) if len(by_member) > 1 else found
    return plain


def _of_union(place: Place, mistakes: list[Mistake]) -> list[Mistake]:
    """Return the mistakes of the member whose kind the value has, or one that lists the kinds."""
    k = len(place)
    plain: list[Mistake] = [{**mistake, "loc": place + mistake["loc"][k + 1 :]} for mistake in mistakes]
    inside = [mistake for mistake in plain if mistake["loc"] != place or not _is_of_another_kind(mistake)]
    if inside:
        return inside
    kinds = dict.fromkeys(
        _PHRASES.get(mistake["type"], mistake["msg"].removeprefix(_BEGINNING)) for mistake in mistakes
    )
    return [{**plain[0], "type": "union", "msg": _BEGINNING + ", or ".join(kinds)}]


def _is_of_another_kind(mistake: Mistake) -> bool:
    return mistake["type"] in _PHRASES or mistake["type"] in ("literal_error", "union")


def _member_at(mistake: Mistake, content: Any) -> int | None:
    """Return which part of a location stands for a member of a union, being no key of the file; None: no part."""
    location: Place = mistake["loc"]
    for k, part in enumerate(location):
        is_index = isinstance(content, list | tuple) and isinstance(part, int) and part < len(content)
        if is_index or (isinstance(content, dict) and part in content):
            content = content[part]
        elif isinstance(content, dict) and part in content.values():
            continue  # the `kind` by which a union is told apart
        else:
            is_missing = mistake["type"] == "missing" and k == len(location) - 1
            return None if is_missing else k
    return None
