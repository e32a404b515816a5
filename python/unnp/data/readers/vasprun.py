"""Whether the electronic steps in a vasprun.xml converged, read element by element."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

from unnp.data.readers.text import open_bytes

_DEFAULT_EDIFF = 1e-4  # eV
_SETTINGS = ("NELM", "EDIFF")
_END, _TAIL = b"</modeling>", 4096


@dataclass
class _Step:
    """The electronic energies of one ionic step, and whether its result has been written."""

    energies: list[float] = field(default_factory=list)
    finished: bool = False

    def converged(self, settings: dict[str, float]) -> bool:
        """VASP writes nowhere that it gave up: all steps used, and the last one still changed the energy."""
        if "NELM" not in settings or len(self.energies) < settings["NELM"]:
            return True
        change = abs(self.energies[-1] - self.energies[-2]) if len(self.energies) > 1 else float("inf")
        return change <= settings.get("EDIFF", _DEFAULT_EDIFF)


def converged_in_vasprun(path: Path) -> Iterator[bool]:
    """Yield for each ionic step that ASE reads whether it converged; a file that ends early ends the steps."""
    settings: dict[str, float] = {}
    step, electronic = _Step(), False
    with open_bytes(path) as file, contextlib.suppress(ParseError):
        for event, element in iterparse(file, events=("start", "end")):
            if event == "start":
                step = _Step() if element.tag == "calculation" else step
                electronic = electronic or element.tag == "scstep"
                continue
            if element.tag == "i" and element.get("name") in _SETTINGS:
                with contextlib.suppress(ValueError):
                    settings[str(element.get("name"))] = float(element.text or "")
            elif element.tag == "scstep":
                step.energies.append(_energy_of(element))
                electronic = False
                element.clear()
            elif element.tag == "energy" and not electronic:
                step.finished = True
            elif element.tag == "calculation":
                yield step.converged(settings)
                step = _Step()
                element.clear()
    if step.finished:
        yield step.converged(settings)


def ends_early(path: Path) -> bool:
    """Tell whether the file lacks its end, because VASP is still running or was stopped."""
    tail = b""
    with open_bytes(path) as file:
        while block := file.read(1 << 20):
            tail = (tail + block)[-_TAIL:]
    return _END not in tail


def _energy_of(electronic_step: Element) -> float:
    """Return the free energy after an electronic step; NaN, which no change from it makes small, where it is missing."""
    try:
        return float(electronic_step.findtext("energy/i[@name='e_fr_energy']", default=""))
    except ValueError:
        return float("nan")
