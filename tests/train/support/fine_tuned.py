"""Potentials that begin with a run on EMT's labels of Al-Cu, and rattled cells to tune them with."""

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.derivatives import predict
from unnp.models import Potential
from unnp.train.building import build
from unnp.train.config import TrainConfig
from unnp.train.replay import open_all

SLOW = {"kind": "adamw", "learning_rate": 1e-3, "warmup_steps": 0, "average_decay": 0.5}
BESIDE = {"fine": {}, "default": {"groups": []}}


def labelled(symbol: str, n: int, zero: float = 0.0, a: float = 4.0, seed: int = 5) -> list[Atoms]:
    """Return rattled cells of one element with the labels of EMT, energies counted from another zero [eV/atom]."""
    random, frames = np.random.default_rng(seed), []
    for _ in range(n):
        atoms = bulk(symbol, cubic=True, a=a)
        atoms.positions += 0.1 * random.standard_normal((4, 3))
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy() + zero * len(atoms), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **labels, stress=atoms.get_stress())
        frames.append(atoms)
    return frames


def energy(potential: Potential, atoms: Atoms, head: int) -> float:
    """Return the energy [eV] of a head."""
    structure = Structure(atoms.numbers, atoms.positions, np.array(atoms.cell), atoms.pbc)
    graph = Graph.of(structure, Elements(potential.elements), potential.cutoff(), head).to("cpu", torch.float32)
    return float(predict(potential.eval(), graph, derivatives=False).energy)


def begun(config: TrainConfig) -> Potential:
    """Return the potential that a training begins with."""
    return build(config, open_all(config))[0]
