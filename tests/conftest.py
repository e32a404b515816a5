"""A small exported model for tests of everything that reads exported files and is not itself an architecture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from unnp.exported.manifest import Manifest

CUTOFF = 4.5


class EmbeddedAtoms(nn.Module):
    """A committee of many-body potentials ``E_i = -a (sqrt(1 + rho_i) - rho_i / 20) + reference``."""

    reference: Tensor

    def __init__(self, n_members: int, dtype: torch.dtype) -> None:
        super().__init__()
        spread = torch.linspace(0.0, 0.2, n_members, dtype=dtype)
        self.strength = nn.Parameter(1.0 + spread.unsqueeze(1) + torch.tensor([0.0, 0.3], dtype=dtype))
        self.register_buffer("reference", torch.tensor([-3.0, -4.0], dtype=torch.float64))
        self.cutoff = CUTOFF

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
        weight, rho = self.densities(species, bond_index, bond_vector)
        energy = -weight * (torch.sqrt(1.0 + rho) - 0.05 * rho)
        return (energy.double() + self.reference[species])[:, :n_updated]

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
        return self.densities(species, bond_index, bond_vector)[1].t()[:n_updated]

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
        features = self.features(species, bond_index, bond_vector, graph, head, n_updated, halo)
        density = features.sum(1)
        return {
            "energy": self.forward(species, bond_index, bond_vector, graph, head, n_updated, halo),
            "features": features,
            "density": density,
            "crowding": density.new_zeros(head.shape[0]).index_add(0, graph[:n_updated], density.square()),
        }

    def densities(self, species: Tensor, bond_index: Tensor, bond_vector: Tensor) -> tuple[Tensor, Tensor]:
        """Return strengths and densities, (n_members, n_all)."""
        i, j = bond_index[0], bond_index[1]
        x = (bond_vector.square().sum(1) / (self.cutoff * self.cutoff)).clamp(max=1.0)
        density = (1.0 - x).pow(3) * torch.exp(-2.0 * x)
        weight = self.strength[:, species]
        rho = weight.new_zeros(weight.shape[0], species.shape[0])
        return weight, rho.index_add(1, i, density * weight[:, j]).index_add(1, j, density * weight[:, i])


def write_embedded_atoms(path: Path, n_members: int = 1, dtype: str = "float64", **manifest: Any) -> Path:
    """Export a committee for Al (species 0) and Ni (1) with a cutoff of 4.5 A; ``manifest`` overrides fields."""
    module = EmbeddedAtoms(n_members, getattr(torch, dtype))
    fields: dict[str, Any] = {
        "name": "embedded atoms",
        "architecture": "test",
        "elements": ["Al", "Ni"],
        "cutoff": CUTOFF,
        "receptive_field": 2 * CUTOFF,
        "halo": "wide",
        "dtype": dtype,
        "heads": [{"name": "default", "reference_energies": {"Al": -3.0, "Ni": -4.0}}],
        "outputs": [
            {"name": "energy", "unit": "eV"},
            {"name": "features", "shape": [n_members]},
            {"name": "density"},
            {"name": "crowding", "per": "structure"},
        ],
        "n_members": n_members,
        "torch_version": torch.__version__,
        "n_parameters": 2 * n_members,
        **manifest,
    }
    text = Manifest(**fields).to_json()
    torch.jit.save(torch.jit.script(module), str(path), _extra_files={"unnp.json": text})
    return path


@pytest.fixture(scope="session")
def write_model() -> Callable[..., Path]:
    """The function ``write_model(path, n_members=1, dtype="float64", **manifest)`` that exports the small model."""
    return write_embedded_atoms


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float64 committee of three for Al and Ni."""
    return write_embedded_atoms(tmp_path_factory.mktemp("model") / "small.pt", n_members=3)
