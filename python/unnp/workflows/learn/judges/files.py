"""Errors on labelled structures that are never learnt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pydantic import Field

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.opening import open_structures
from unnp.data.readers import ReadOptions
from unnp.workflows.learn.judges.base import Judge, Numbers, register
from unnp.workflows.learn.situation import Situation
from unnp.workflows.learn.spreading import errors_at


class FilesConfig(Config):
    """Labelled structures of files, which are never learnt from."""

    data: list[str] = Field(min_length=1)
    """Files or stored data sets."""
    read: ReadOptions = ReadOptions()
    """Names and units of the labels in the files."""


@register("files")
class Files(Judge):
    """Errors on the same structures in each round."""

    Config = FilesConfig

    @cached_property
    def structures(self) -> Sequence[Structure]:
        """All structures."""
        return open_structures([self.base / path for path in self.config.data], self.config.read)

    def check(self, pool: Sequence[Structure]) -> None:
        len(self.structures)

    def judge(self, at: Situation) -> Numbers:
        return errors_at(at, self.structures)
