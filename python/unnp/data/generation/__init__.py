"""Making structures to label: crystals, strained, rattled, with vacancies and surfaces, and snapshots of dynamics."""

from unnp.data.generation.generate import generate_structures
from unnp.data.generation.recipe import Recipe

__all__ = ["Recipe", "generate_structures"]
