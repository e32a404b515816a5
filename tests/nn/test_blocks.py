"""Every edge is in one slot, in a block of its receiver."""

import pytest
import torch
from unnp.nn.blocks import Blocks, neighbor_blocks

SCRIPTED = torch.jit.script(neighbor_blocks)


@pytest.mark.parametrize("size", [1, 3, 16])
@pytest.mark.parametrize("make", [neighbor_blocks, SCRIPTED], ids=["eager", "script"])
def test_edges_by_receiver(make, size: int):
    torch.manual_seed(0)
    receiver = torch.randint(0, 9, (70,))
    receiver = receiver[receiver != 4]  # one atom without edges; the last two have none either
    blocks: Blocks = make(receiver, 11, size)
    edge, taken = blocks.edge.reshape(-1, size), blocks.taken.reshape(-1, size)
    assert edge[taken].sort().values.tolist() == list(range(len(receiver)))
    assert all((receiver[e[t]] == atom).all() for e, t, atom in zip(edge, taken, blocks.atom, strict=True))
    counts = torch.bincount(receiver, minlength=11)
    assert torch.equal(torch.bincount(blocks.atom, minlength=11), (counts + size - 1) // size)
    assert torch.equal(blocks.atom, blocks.atom.sort().values)
    assert bool((edge < len(receiver)).all())


@pytest.mark.parametrize("make", [neighbor_blocks, SCRIPTED], ids=["eager", "script"])
@pytest.mark.parametrize("n_atoms", [0, 3])
def test_no_edges(make, n_atoms: int):
    blocks = make(torch.zeros(0, dtype=torch.int64), n_atoms, 4)
    assert [len(x) for x in blocks] == [0, 0, 0]
