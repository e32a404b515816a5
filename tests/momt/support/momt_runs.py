"""Configurations of small runs."""

from __future__ import annotations

from unnp.config import from_dict
from unnp.workflows.momt.config import MomtConfig

AL = {
    "structure": {"element": "Al", "lattice": "fcc", "a": 4.05, "repeat": [2, 2, 2]},
    "potential": {"pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs {elements}"]},
    "temperatures": [650, 1400],
}
SHORT = {
    **AL,
    "stages": {"observe": 2, "adapt": {"min": 4, "max": 4}, "production": {"min": 8, "max": 8}, "chunk": 2},
    "frames": {"wanted": 30},
    "walkers": 2,
}


def make(**settings: object) -> MomtConfig:
    return from_dict({**SHORT, **settings}, MomtConfig)
