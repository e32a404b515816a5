"""Surface energies of all potentials of a configuration; what is finished is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unnp.adapters.potentials import identity_of, open_potential
from unnp.config import dump_yaml
from unnp.config.resume import check_run
from unnp.data.journal import Journal
from unnp.files.locks import hold_folder
from unnp.files.writing import make_folder, write_atomically
from unnp.workflows.relaxation.config import MinimiserConfig
from unnp.workflows.relaxation.kept import digest
from unnp.workflows.surfaces.config import SurfacesConfig
from unnp.workflows.surfaces.distances import distances_to_learnt, draw_distances
from unnp.workflows.surfaces.energies import Measured, measure_all
from unnp.workflows.surfaces.errors import Pair
from unnp.workflows.surfaces.maps import draw_map, features_of_slabs, open_features
from unnp.workflows.surfaces.report import notes, write_report
from unnp.workflows.surfaces.slabs import Slab, collect

CONFIG_FILE = "surfaces.yaml"


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        slabs: all of them.
        measured: in their order, of each potential.
        pairs: what is compared with the reference.
        notes: what is to be said of slabs and potentials.
    """

    slabs: list[Slab]
    measured: dict[str, list[Measured]]
    pairs: list[Pair]
    notes: list[str]


def run_surfaces(config: SurfacesConfig, base: Path, folder: Path, *, resume: bool = False) -> Result:
    """Compute what is not finished of the surface energies, and write tables and figures.

    Args:
        config: potentials, slabs, reference.
        base: where relative paths in it begin.
        folder: made where it is missing; it gets ``NAME.jsonl`` for each potential, with what is finished.
        resume: go on with the run in the folder, also with further potentials or another reference.

    Raises:
        ConfigError: wrong settings, or the folder holds a run, or none to go on with.
        DataError: files cannot be read or hold no slabs, or slabs or a potential have changed since the run began.
        ModelError: a potential cannot be opened, or can compute none of the slabs.
    """
    check_run(config, folder / CONFIG_FILE, resume=resume)
    collected = collect(config, base)
    slabs = collected.slabs
    formulas = list(dict.fromkeys(slab.formula for slab in slabs))
    calculators = {
        name: open_potential(name, each, formulas, base, config.device) for name, each in config.potentials.items()
    }
    model = config.features and open_features(base / config.features, config.device, slabs)
    make_folder(folder)
    with hold_folder(folder):
        write_atomically(folder / CONFIG_FILE, dump_yaml(config))
        measured = {}
        for name, own in calculators.items():
            made_with = _digest(slabs, config, identity_of(config.potentials[name], base))
            with Journal(folder / f"{name}.jsonl", made_with) as journal:
                measured[name] = measure_all(slabs, own, config.relax, journal, name)
        said = [*collected.notes, *notes(slabs, measured)]
        found = write_report(folder, slabs, measured, config.reference, said)
        if model and found:
            features = features_of_slabs(model, slabs)
            draw_map(folder / "map.png", slabs, features, found)
            if distances := distances_to_learnt(config, base, model, features):
                draw_distances(folder / "distances.png", [slab.name for slab in slabs], found, distances)
    return Result(slabs, measured, found, said)


def _digest(slabs: Sequence[Slab], config: SurfacesConfig, potential: str) -> str:
    structures = [atoms for slab in slabs for atoms in (slab.crystal, slab.atoms) if atoms is not None]
    made = [(slab.name, slab.plane, slab.made and (slab.made.thickness, slab.made.vacuum)) for slab in slabs]
    return digest(structures, config.relax or MinimiserConfig(), f"{potential} {made} {config.relax is not None}")
