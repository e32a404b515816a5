"""Texts of a configuration that end up in a command: each is one line and means what it says."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from unnp.config.values import LONGEST_NAME
from unnp.errors import in_one_line, unknown

DEVICES = ("auto", "cpu", "cuda", "cuda:N")

_DEVICE = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")
# In LAMMPS $ and quotes stand for something else, & and # end a command early; the python style runs a file's code.
_NOT_PLAIN = re.compile(r"[$&#\"'`]|(?<![\w/.-])python(?![\w.-])")


def is_device_name(name: object) -> bool:
    """Return whether a value of a file names a device, which this machine need not have."""
    return isinstance(name, str) and _DEVICE.fullmatch(name) is not None


def _device(name: str) -> str:
    if not is_device_name(name):
        raise ValueError(unknown("device", in_one_line(name), DEVICES))
    return name


def _line(text: str) -> str:
    if not _is_one_line(text):
        raise ValueError("must be one line, without tabs or other control characters")
    return text


def _arguments(text: str) -> str:
    if _NOT_PLAIN.search(text) or not _is_one_line(text.replace("\t", " ")):
        raise ValueError("must be plain arguments on one line: no $, &, #, quotes, and not the style python")
    if any(len(part.encode()) > LONGEST_NAME for word in text.split() for part in word.split("/")):
        raise ValueError(f"holds a word of more than {LONGEST_NAME} characters")
    return text


def _is_one_line(text: str) -> bool:
    return '"""' not in text and all(unicodedata.category(c) not in ("Cc", "Zl", "Zp") for c in text)


Device = Annotated[str, AfterValidator(_device)]
"""``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""

Line = Annotated[str, AfterValidator(_line)]
"""One line for a shell or a comment."""

Arguments = Annotated[str, AfterValidator(_arguments)]
"""What follows a LAMMPS command, and cannot bring in another one."""
