"""Structures that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pydantic import Field

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.workflows.learn.proposers.base import Proposer, register
from unnp.workflows.learn.situation import Situation


class PoolConfig(Config):
    """Structures of files. Labels that they have are hidden until a structure is chosen."""

    data: list[str] = Field(min_length=1)
    """Files or stored data sets."""
    read: ReadOptions = ReadOptions(required=(), missing="allow")
    """Names and units of the labels in the files."""


@register("pool")
class Pool(Proposer):
    """All structures of some files, in each round."""

    Config = PoolConfig
    needs_model = False
    computes = False

    @cached_property
    def structures(self) -> Sequence[Structure]:
        """All structures, with their labels."""
        return open_structures([self.base / path for path in self.config.data], self.config.read)

    def propose(self, at: Situation) -> Sequence[Structure]:
        return self.structures
