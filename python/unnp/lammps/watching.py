"""Uncertainty inside a run: capturing frames and stopping where the model may be off, as settings and as words of a deck."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from unnp.config import Config
from unnp.config.resume import FREE
from unnp.data.limits import FrameLimits
from unnp.errors import ConfigError
from unnp.exported.archive import read_manifest
from unnp.lammps.commands import number
from unnp.lammps.system import MODEL_FILE, System
from unnp.lammps.system_config import InteractionConfig, Positive

Steps = Annotated[int, Field(ge=1)]


class CaptureConfig(Config):
    """Frames that are kept because the model may be off in them."""

    threshold: Positive
    """deviation of the force on an atom [eV/A] from which on a frame is captured, calibrated where the model is"""
    every: Steps = 10
    """steps between looks, at which the deviations are computed"""
    apart: Steps = 100
    """least number of steps between two frames, so that they are no near copies"""
    most: Steps = 100
    """largest number of frames; none are looked for after them"""
    limits: FrameLimits | None = Field(default=FrameLimits(), json_schema_extra=FREE)
    """which of them are left out of `captured.kept.extxyz`; null: none. They carry no energies, so that `energy_range` has no
    part in it"""


class StopConfig(Config):
    """When a run ends because the model may be off."""

    threshold: Positive
    """deviation of the force on an atom [eV/A] at which the run ends, calibrated where the model is"""
    every: Steps = 10
    """steps between looks, at which the deviations are computed"""


def watching_words(capture: CaptureConfig | None, stop: StopConfig | None, file: str) -> str:
    """Return the keywords of ``pair_style unnp`` that capture frames in a file and stop the run."""
    words = []
    if capture is not None:
        words.append(f"capture {file} {number(capture.threshold)} {capture.every}")
        words.append(f"apart {capture.apart} most {capture.most}")
    if stop is not None:
        words.append(f"stop {number(stop.threshold)} {stop.every}")
    return " ".join(words)


def with_words(system: System, words: str) -> list[str]:
    """Return the lines of the potential, with further words for its pair style."""
    if not words:
        return list(system.potential)
    return [f"{line} {words}" if line.startswith("pair_style ") else line for line in system.potential]


def require_model(potential: InteractionConfig, wanted: Sequence[str]) -> None:
    """Raise ValueError where settings are of deviations, which only a model has."""
    if wanted and potential.model is None:
        raise ValueError(
            f"`{wanted[0]}` is of a committee of models or a last layer; it needs `potential: {{model: ...}}`"
        )


def require_deviations(potential: InteractionConfig, wanted: Sequence[str], folder: Path) -> None:
    """Raise ConfigError where settings are of deviations and the model in the run's folder has none."""
    if wanted and potential.last_layer is None and read_manifest(folder / MODEL_FILE).n_members < 2:
        raise ConfigError(
            f"{wanted[0]}: {potential.model} holds one model, which has nobody to disagree with; export several trainings into "
            "one file (`unnp export RUN1 RUN2 ...`), give the model's last layer (`unnp last-layer`) as potential.last_layer, "
            f"or leave `{wanted[0]}` out."
        )
