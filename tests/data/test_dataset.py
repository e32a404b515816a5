"""Datasets: graphs and labels that fit together, kept within the memory they may take."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset, collate
from unnp.data.statistics import statistics
from unnp.data.store_writer import write_store
from unnp.errors import DataError, ModelError

Make = Callable[..., list[Structure]]
ELEMENTS = Elements(["Ni", "Al"])
CUTOFF = 4.5


def test_labels_and_graphs_of_a_batch(make_structures: Make) -> None:
    structures = make_structures(3)
    structures[1].energy = structures[1].forces = structures[1].stress = None
    dataset = Dataset(structures, ELEMENTS, CUTOFF)
    batch = collate([dataset[k] for k in range(3)])
    labels = batch.labels
    assert labels["energy"].isnan().tolist() == [False, True, False]
    assert labels["stress"].isnan().flatten(1).all(1).tolist() == [False, True, False]
    assert labels["forces"][4:8].isnan().all()
    np.testing.assert_array_equal(labels["forces"][8:], structures[2].forces)
    assert labels.group.tolist() == [0, 1, 2]
    assert dataset.groups == ["group0", "group1", "group2"]
    alone = Graph.of(structures[2], ELEMENTS, CUTOFF)
    last = batch.graph.atom_graph[batch.graph.bond_index[0]] == 2
    torch.testing.assert_close(batch.graph.bond_vector[last], alone.bond_vector)
    moved = batch.to("cpu", torch.float32)
    assert moved.graph.bond_vector.dtype == torch.float32
    assert moved.labels["energy"].dtype == torch.float64


def test_stress_of_a_slab_is_no_label(make_structures: Make) -> None:
    (structure,) = make_structures(1)
    structure.pbc = np.array([True, True, False])
    assert Dataset([structure], ELEMENTS, CUTOFF)[0].labels["stress"].isnan().all()


def test_memory_is_bounded_and_the_oldest_go_first(make_structures: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    structures = make_structures(4, symbols=("Al",))
    one = Dataset(structures, ELEMENTS, CUTOFF)[0].n_bytes
    built: list[int] = []
    build = Graph.of
    monkeypatch.setattr(
        Graph,
        "of",
        lambda s, *rest: built.append(next(k for k, t in enumerate(structures) if t is s)) or build(s, *rest),
    )
    dataset = Dataset(structures, ELEMENTS, CUTOFF, cache_bytes=int(2.5 * one))
    for k in (0, 1, 0, 2, 0, 1):  # 2 pushes out 1, which was used less recently than 0
        dataset[k]
    assert built == [0, 1, 2, 1]
    assert dataset.costs("bonds").tolist() == [Graph.of(s, ELEMENTS, CUTOFF).n_bonds for s in structures]
    nothing_kept = Dataset(structures, ELEMENTS, CUTOFF, cache_bytes=0)
    built.clear()
    assert nothing_kept[3].graph.n_atoms == nothing_kept[3].graph.n_atoms == 4
    assert built == [3, 3]


def test_average_neighbors(make_structures: Make) -> None:
    structures = make_structures(4)
    dataset = Dataset(structures, ELEMENTS, CUTOFF)
    assert dataset.average_neighbors == pytest.approx(statistics(structures, CUTOFF).average_neighbors)
    assert 12 <= dataset.average_neighbors <= 18.5  # two shells of fcc


def test_from_a_store(make_structures: Make, tmp_path: Path) -> None:
    structures = make_structures(5)
    stored, plain = (Dataset(s, ELEMENTS, CUTOFF) for s in (write_store(structures, tmp_path / "set"), structures))
    assert stored.groups == plain.groups
    np.testing.assert_array_equal(stored.n_atoms, plain.n_atoms)
    for k in range(5):
        for name in ("energy", "forces", "stress"):
            assert torch.equal(stored[k].labels[name], plain[k].labels[name])
        assert torch.equal(stored[k].labels.group, plain[k].labels.group)
        assert torch.equal(stored[k].graph.bond_vector, plain[k].graph.bond_vector)


def test_errors(make_structures: Make) -> None:
    structures = make_structures(3)
    with pytest.raises(DataError, match="unknown group 'group2'; allowed: group0, group1"):
        Dataset(structures, ELEMENTS, CUTOFF, groups=["group0", "group1"])
    with pytest.raises(ModelError, match=r"frame 1 contains Ni, but the model knows only Al"):
        Dataset(structures, Elements(["Al"]), CUTOFF)[1]
    with pytest.raises(IndexError):
        Dataset(structures, ELEMENTS, CUTOFF)[3]
    with pytest.raises(DataError, match="at least one structure"):
        collate([])


def test_statistics(make_structures: Make) -> None:
    structures = make_structures(3)
    structures[1].forces = structures[1].stress = None
    s = statistics(structures)
    assert (s.n_structures, s.n_atoms, s.atoms_per_structure) == (3, 12, (4, 4))
    assert s.elements == {"Al": 8, "Ni": 4}
    assert s.missing == {"energy": 0, "forces": 1, "stress": 1}
    assert s.groups == {"group0": 1, "group1": 1, "group2": 1}
    forces = np.stack([structures[0].forces, structures[2].forces])  # type: ignore[list-item]
    assert s.rms["forces"] == pytest.approx(np.sqrt((forces**2).mean()))
    assert s.forces_max == pytest.approx(np.linalg.norm(forces, axis=2).max())
    energies = [x.energy / 4 for x in structures if x.energy is not None]
    assert s.energy_per_atom == pytest.approx((min(energies), sum(energies) / 3, max(energies)))
    nothing = statistics(make_structures(2, labelled=False))
    assert nothing.energy_per_atom is None
    assert nothing.rms == {}
