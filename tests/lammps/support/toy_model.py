"""A small message-passing model that follows the contract of exported files, whatever the package's own models do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

ELEMENTS = ["Ni", "Al", "Cu"]
CUTOFF = 3.9
N_LAYERS = 3
WIDTH = 6
REFERENCE = [-0.3, 0.7, 0.1]


class Layer(nn.Module):
    """Messages along both directions of each bond: a scalar part and a vector part."""

    def __init__(self) -> None:
        super().__init__()
        self.message = nn.Linear(2 * WIDTH + 4, 2 * WIDTH)
        self.update = nn.Linear(2 * WIDTH, WIDTH)

    def forward(
        self, h: Tensor, bond_index: Tensor, bond_vector: Tensor, n_owned: int, halo: int, n_all: int
    ) -> Tensor:
        h_all = torch.ops.unnp.exchange(h, n_all, halo)
        i, j, width = bond_index[0], bond_index[1], h.shape[1]
        length = bond_vector.norm(2, dim=1, keepdim=True)
        x = (length / 3.9).clamp(max=1.0)
        envelope = (1 - x * x) ** 3
        k = torch.arange(1, 5, dtype=h.dtype, device=h.device)
        radial = torch.sin(k * length)
        unit = bond_vector / length
        owned = j < n_owned
        to_i = self.message(torch.cat([h_all[i], h_all[j], radial], 1)) * envelope
        to_j = self.message(torch.cat([h_all[j], h_all[i], radial], 1)) * envelope
        to_j, j = to_j[owned], j[owned]
        scalar = torch.zeros_like(h).index_add(0, i, to_i[:, :width]).index_add(0, j, to_j[:, :width])
        vector = torch.zeros([n_owned, width, 3], dtype=h.dtype, device=h.device)
        vector = vector.index_add(0, i, to_i[:, width:].unsqueeze(2) * unit.unsqueeze(1))
        vector = vector.index_add(0, j, -to_j[:, width:].unsqueeze(2) * unit[owned].unsqueeze(1))
        features = torch.cat([torch.tanh(scalar), torch.tanh(vector.square().sum(2))], 1)
        return h + torch.tanh(self.update(features))


class Member(nn.Module):
    """Three layers and a readout."""

    def __init__(self, connected: bool) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(len(ELEMENTS), WIDTH))
        self.layers = nn.ModuleList([Layer() for _ in range(N_LAYERS)])
        self.readout = nn.Linear(WIDTH, 1)
        self.connected = connected

    def forward(self, species: Tensor, bond_index: Tensor, bond_vector: Tensor, n_owned: int, halo: int) -> Tensor:
        h = self.embedding[species[:n_owned]]
        if self.connected:
            h = h + 0 * bond_vector.sum()
        for layer in self.layers:
            h = layer(h, bond_index, bond_vector, n_owned, halo, species.shape[0])
        return self.readout(h).squeeze(1)


class Toy(nn.Module):
    """A committee of members with reference energies.

    With ``connected=False`` the graph of a rank without bonds holds no gradient, which the engine has to survive.
    """

    def __init__(self, n_members: int = 1, connected: bool = True, seed: int = 7) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.networks = nn.ModuleList([Member(connected) for _ in range(n_members)])
        self.register_buffer("reference_energies", torch.tensor(REFERENCE, dtype=torch.float64))

    def forward(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        return self.members(species, bond_index, bond_vector, graph, head, n_updated, halo).mean(0)

    @torch.jit.export
    def members(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        energies = []
        for network in self.networks:
            energy = network(species, bond_index, bond_vector, n_updated, halo).double()
            energies.append(energy + self.reference_energies[species[:n_updated]])
        return torch.stack(energies)

    @torch.jit.export
    def features(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> Tensor:
        return self.forward(species, bond_index, bond_vector, graph, head, n_updated, halo).unsqueeze(1)

    @torch.jit.export
    def outputs(
        self,
        species: Tensor,
        bond_index: Tensor,
        bond_vector: Tensor,
        graph: Tensor,
        head: Tensor,
        n_updated: int,
        halo: int,
    ) -> dict[str, Tensor]:
        energy = self.forward(species, bond_index, bond_vector, graph, head, n_updated, halo)
        return {"energy": energy, "features": energy.unsqueeze(1)}


def manifest(dtype: str = "float64", n_members: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the manifest of a toy model, with fields changed."""
    return {
        "format_version": 1,
        "name": "toy",
        "architecture": "toy",
        "config": {},
        "elements": ELEMENTS,
        "cutoff": CUTOFF,
        "receptive_field": N_LAYERS * CUTOFF,
        "halo": "exchange",
        "exchange_widths": [WIDTH] * N_LAYERS * n_members,
        "dtype": dtype,
        "units": {"energy": "eV", "length": "angstrom"},
        "heads": [{"name": "default", "reference_energies": dict(zip(ELEMENTS, REFERENCE, strict=True))}],
        "outputs": [
            {"name": "energy", "per": "atom", "shape": [], "unit": "eV"},
            {"name": "features", "per": "atom", "shape": [1], "unit": ""},
        ],
        "n_members": n_members,
        "torch_version": torch.__version__,
        "torch_supported": ["2.11", "2.15"],
        "n_parameters": 1234,
        "data": {},
        "metrics": {},
        "references": ["A. Author, A toy for tests (2026)"],
        "licence": "MIT",
        "created": "2026-01-01T00:00:00",
    } | changes


def write_toy(path: Path, dtype: str = "float64", n_members: int = 1, connected: bool = True, **changes: Any) -> Path:
    """Write a toy model as an exported file; further arguments change fields of the manifest."""
    from unnp.core import core

    core()  # the scripted model calls unnp::exchange
    model = Toy(n_members, connected).to(getattr(torch, dtype))
    model.reference_energies = model.reference_energies.double()
    extra = {"unnp.json": json.dumps(manifest(dtype, n_members, **changes))}
    torch.jit.save(torch.jit.script(model.eval()), str(path), _extra_files=extra)
    return path
