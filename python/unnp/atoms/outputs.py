"""What a potential gives beside forces and stress: name, per atom or structure, shape and unit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unnp.config import Config

MAX_FEATURES = 1_000_000

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,64}$")]
"""A name of a head or output, one word wherever it is typed."""

Cost = Literal["bonds", "triplets"]
"""What time and memory of a network grow with."""


class Output(Config):
    """A quantity that a potential gives beside forces and stress."""

    name: Name
    """Name by which the output is asked for."""
    per: Literal["atom", "structure"] = "atom"
    """Whether each atom has a value, or the structure as a whole."""
    shape: list[Annotated[int, Field(ge=0, le=MAX_FEATURES)]] = Field(default_factory=list, max_length=4)
    """Shape of the value for one atom or structure; empty for a number."""
    unit: str = ""
    """Unit; empty for none."""
