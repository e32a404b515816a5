"""The contract of a judge and the registry that finds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from unnp.atoms.quantities import QUANTITIES
from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.config.kinds import registering
from unnp.plugins.registry import Registry
from unnp.workflows.learn.situation import Situation

Numbers = dict[str, float]
"""What a judge says, by names such as ``energy_mae``; in the units of ``unnp.atoms.quantities``."""


Shown = tuple[str, str]
"""Title and unit of a number."""


class Judge(ABC):
    """Says how good a model is.

    A subclass lives in one file of ``unnp.workflows.learn.judges``, or of a package that names it in the entry-point group
    ``unnp.judges``, and is decorated with ``@register(kind)``.

    Args:
        config: the settings.
        base: where relative paths in them begin.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[Config]]
    numbers: ClassVar[Sequence[str]] = [f"{name}_{kind}" for name in QUANTITIES for kind in ("mae", "rmse")]
    """Names of what it may say, of which a loop may be stopped by one; those of errors on labelled structures."""
    shown: ClassVar[Mapping[str, Shown]] = {
        f"{name}_mae": (f"{quantity.words} MAE", quantity.errors_in[0]) for name, quantity in QUANTITIES.items()
    }
    """Which of them the terminal shows, by name; a judge that says none of these shows all that it says."""
    moment: ClassVar[Literal["before", "after"]] = "after"
    """Whether it judges the old model before the new structures are learnt, or the new one after."""

    def __init__(self, config: Any, base: Path) -> None:
        self.config, self.base = config, base

    def check(self, pool: Sequence[Structure]) -> None:  # noqa: B027 most judges need nothing of the loop
        """Raise UnnpError where the judge has nothing to judge on; called once, before anything else is done."""

    @abstractmethod
    def judge(self, at: Situation) -> Numbers:
        """Return what there is to say of ``at.model``."""


REGISTRY: Registry[type[Judge]] = Registry("judge", "unnp.workflows.learn.judges", "unnp.judges")
register = registering(REGISTRY)
"""Make a judge known: ``@register("files")``."""
