"""The atoms and the potential of a LAMMPS run: built, written into its folder, and named in its deck."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ase import Atoms

from unnp.adapters.dispersion import D3Config
from unnp.atoms.elements import Elements, symbols_of
from unnp.errors import ConfigError, in_one_line
from unnp.exported.archive import read_manifest
from unnp.files.writing import copy_file
from unnp.kim.eam import eam_table, write_table
from unnp.kim.models import find_model
from unnp.kim.potential_files import find_files
from unnp.lammps.commands import command
from unnp.lammps.crystals import build_crystal
from unnp.lammps.structure_file import read_atoms
from unnp.lammps.system_config import InteractionConfig, StructureConfig

DATA_FILE = "structure.data"
MODEL_FILE, LAST_LAYER_FILE = "model.pt", "model.safetensors"
SKIN = 1.0
"""What lists of neighbours reach beyond the cutoff of a model [A]."""
DENSEST = 0.2
"""Atoms per A^3 that lists of neighbours have room for; diamond has 0.176."""
MOST_ATOMS = 20_000_000


@dataclass(frozen=True)
class System:
    """What a deck says of the atoms.

    Attributes:
        title: one line for people.
        elements: chemical symbols of types 1, 2, ...
        boundary: arguments of the LAMMPS command.
        potential: the lines that define the potential.
        fixed: numbers of the atoms that do not move, from 1.
        velocities: whether the data file holds the velocities to begin with.
        lost: degrees of freedom that hold no thermal motion (LAMMPS' ``extra/dof``).
        n_atoms: how many there are.
    """

    title: str
    elements: Sequence[str]
    boundary: str
    potential: Sequence[str]
    fixed: Sequence[int] = ()
    velocities: bool = False
    lost: int = 3
    n_atoms: int = 0


def build_structure(config: StructureConfig, base: Path) -> Atoms:
    """Return the atoms that a configuration asks for; of a file with masses, momenta and fixed atoms, see ``read_atoms``.

    Args:
        config: file or crystal.
        base: where relative paths begin.

    Raises:
        DataError: the file cannot be read.
        ConfigError: there is no such frame, the crystal cannot be built, or there are too many atoms.
    """
    if config.file is not None:
        return repeated(read_atoms(config, base), config.repeat)
    return repeated(build_crystal(str(config.element), config.lattice, config.a, config.c), config.repeat)


def repeated(atoms: Atoms, copies: tuple[int, int, int]) -> Atoms:
    """Return copies along the lattice vectors; a copy has the masses and velocities of the atoms and is fixed as they are.

    Raises:
        ConfigError: more atoms than a run is prepared for here.
    """
    n_atoms = len(atoms) * math.prod(copies)
    if n_atoms > MOST_ATOMS:
        raise ConfigError(
            f"repeat: {n_atoms} atoms are more than are written here ({MOST_ATOMS}); repeat less, and let LAMMPS' own "
            "command replicate do the rest."
        )
    return atoms * copies


def place_potential(
    settings: InteractionConfig, atoms: Atoms, base: Path, folder: Path, *, device: str = "auto"
) -> tuple[list[str], list[str]]:
    """Return the elements of the LAMMPS types and the potential commands; copy the files these name.

    Args:
        settings: model, pair style or potential of OpenKIM.
        atoms: whose elements the types are.
        base: where relative paths in the settings begin.
        folder: the run's folder; the commands name the copies in it.
        device: where a model runs.

    Raises:
        ConfigError, DataError, ModelError: a file is missing, or the potential does not know an element or the head.
    """
    elements = settings.elements or symbols_of(atoms.numbers)
    Elements(elements)
    if settings.model is not None:
        manifest = read_manifest(base / settings.model)
        Elements(manifest.elements).species(atoms.numbers)
        manifest.head(settings.head)
        copy_file(base / settings.model, folder / MODEL_FILE)
        if settings.last_layer is not None:
            copy_file(base / settings.last_layer, folder / LAST_LAYER_FILE)
        if settings.plugin is not None and (base / settings.plugin).is_file():
            settings = settings.model_copy(update={"plugin": (base / settings.plugin).resolve()})
        return elements, model_lines(settings, MODEL_FILE, elements, device=device)
    if settings.kim is not None:
        table = eam_table(find_model(settings.kim))
        lines = [command("pair_style", table.pair_style), command("pair_coeff", table.pair_coeff(elements))]
        write_table(table, folder)
        return elements, lines
    lines = [command("pair_style", _with_copies(settings.pair_style or "", base, folder))]
    for arguments in settings.pair_coeff:
        filled = arguments.replace("{elements}", " ".join(elements))
        lines.append(command("pair_coeff", _with_copies(filled, base, folder)))
    return elements, [*lines, *(command("pair_modify", arguments) for arguments in settings.pair_modify)]


def model_lines(settings: InteractionConfig, model: str, elements: Sequence[str], *, device: str = "auto") -> list[str]:
    """Return the potential commands of an exported model."""
    options = [f"device {device}"] if device != "auto" else []
    options += [f"head {settings.head}"] if settings.head is not None else []
    options += [f"last_layer {LAST_LAYER_FILE}"] if settings.last_layer is not None else []
    options += [f"halo {settings.halo}"] if settings.halo != "auto" else []
    options += [f"dtype {settings.dtype}"] if settings.dtype != "model" else []
    types = " ".join(elements)
    style = command("pair_style", " ".join(["unnp", *options]))
    potential = [style, command("pair_coeff", f"* * {model} {types}")]
    return [
        *([command("plugin", f"load {_quoted(settings.plugin)}")] if settings.plugin else []),
        *(potential if settings.d3 is None else _with_d3(settings.d3, options, model, types)),
        # A list is cheap beside a network, whose cost grows with the ghost atoms: a thin skin, more lists.
        command("neighbor", f"{SKIN} bin"),
    ]


def _with_d3(d3: D3Config, options: Sequence[str], model: str, types: str) -> list[str]:
    """Return the potential commands of a model with D3; further words at the end of `pair_style` are the model's."""
    damping = {"bj": "bj", "zero": "original"}[d3.damping]
    dispersion = f"dispersion/d3 {damping} {d3.functional} {d3.cutoff:g} {d3.coordination_cutoff:g}"
    neighbours = math.ceil(4 / 3 * math.pi * (d3.cutoff + SKIN) ** 3 * DENSEST)
    return [
        command("pair_style", " ".join(["hybrid/overlay", dispersion, "unnp", *options])),
        command("pair_coeff", f"* * unnp {model} {types}"),
        command("pair_coeff", f"* * dispersion/d3 {types}"),
        command("neigh_modify", f"one {neighbours} page {10 * neighbours}"),
    ]


def on_device(system: System, settings: InteractionConfig, device: str) -> System:
    """Return the same system with the model on another device; other potentials have none."""
    if settings.model is None:
        return system
    plugin = [line for line in system.potential if line.startswith("plugin ")]
    lines = model_lines(settings.model_copy(update={"plugin": None}), MODEL_FILE, system.elements, device=device)
    return replace(system, potential=[*plugin, *lines])


def _quoted(path: Path) -> str:
    """Return a path as LAMMPS reads it back."""
    if re.search(r"[$&#\"'`\x00-\x1f]", str(path)):
        raise ConfigError(
            f"LAMMPS cannot load the plugin '{in_one_line(path)}': rename it, without $, &, # and quotes."
        )
    return f'"{path}"' if " " in str(path) else str(path)


def _with_copies(arguments: str, base: Path, folder: Path) -> str:
    """Copy the potential files that a command names into the folder, and name the copies."""
    words = []
    for word in arguments.split():
        path = Path(find_files(word, base).strip('"'))
        if str(path) != word or path.is_file():
            copy_file(path, folder / path.name)
            word = path.name
        words.append(word)
    return " ".join(words)
