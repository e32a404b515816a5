"""Potentials with their weights from an exported model, to train them further or to export them again."""

from __future__ import annotations

from pathlib import Path

from unnp.errors import ModelError, UnnpError, in_one_line
from unnp.exported.loader import load_model
from unnp.exported.manifest import Manifest
from unnp.models import Potential
from unnp.models.build import potential_from_description
from unnp.models.checkpoint import number_type


def is_exported(path: Path) -> bool:
    """Return whether a path is one of an exported model, not of a run folder or a checkpoint."""
    return path.suffix == ".pt" and path.is_file()


def rebuilt(path: Path) -> tuple[list[Potential], Manifest]:
    """Return the members of an exported model as potentials, and its manifest.

    Raises:
        ModelError: it cannot be opened, or its weights do not fit the settings that it names.
    """
    loaded = load_model(path, device="cpu")
    manifest, weights = loaded.manifest, loaded.module.state_dict()
    members = []
    try:
        for k in range(manifest.n_members):
            with number_type(manifest.dtype):
                potential = potential_from_description(manifest.config)
            potential.load_state_dict({name: weights[f"potentials.{k}.{name}"] for name in potential.state_dict()})
            members.append(potential.eval())
    except (UnnpError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{path} does not hold the weights of its settings ({in_one_line(error)}); name the run folder that it is from."
        ) from None
    return members, manifest
