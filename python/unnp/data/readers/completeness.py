"""The check that labels are there: all required ones, and none in some structures only."""

from __future__ import annotations

from unnp.atoms.quantities import QUANTITIES, STANDARD
from unnp.atoms.structure import Structure
from unnp.data.readers.base import Frame
from unnp.data.readers.mapping import describe_missing
from unnp.data.readers.options import ReadOptions
from unnp.errors import DataError


class Completeness:
    """Checks structures one after the other, over as many files as belong together.

    Args:
        options: the required labels and what to do where one is missing.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._first: dict[str, tuple[bool, str]] = {}
        self._any_label = False

    def check(self, frame: Frame, structure: Structure) -> None:
        """Raise DataError naming file and frame where a label is missing or mixed."""
        if self._options.missing == "allow":
            return
        present = {label: structure.label(label) is not None for label in QUANTITIES}
        self._any_label = self._any_label or any(present[label] for label in (*STANDARD, *self._options.labels))
        present |= {"any": self._any_label, "group": structure.group != ""}
        for label in self._options.required:
            if not present[label]:
                raise DataError(describe_missing(frame, "energy" if label == "any" else label, self._options))
        if "any" in self._options.required:
            return
        for name in (*STANDARD, *self._options.labels):
            self.check_mixed(name, present[name], structure.source)

    def check_mixed(self, label: str, present: bool, where: str) -> None:
        """Raise DataError where a label is present in one structure and absent in another."""
        was_present, first = self._first.setdefault(label, (present, where))
        if present != was_present:
            with_label, without = (where, first) if present else (first, where)
            raise DataError(
                f"mixed labels: {with_label} has {label}, {without} has not. Complete the labels, read the files "
                "apart, or set missing: allow."
            )
