"""LAMMPS and model files that are not what they say: an error on all ranks alike, and buffers that are never overrun."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import structures
import torch
from ase.build import bulk
from false_manifests import FALSE_MANIFESTS, sealed
from lammps_run import run_lammps, write_data
from model_archive import Archive
from torch import Tensor
from toy_model import ELEMENTS, manifest, write_toy

SYMBOLS = " ".join(ELEMENTS)
DECK = f"units metal\nread_data a.data\npair_style unnp\npair_coeff * * m.pt {SYMBOLS}\nrun 0\n"


class Base(torch.nn.Module):
    """What all networks here have in common."""

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
        return self.energy(species, bond_vector, n_updated, halo)

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
        return self.energy(species, bond_vector, n_updated, halo).unsqueeze(0)

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
        return self.energy(species, bond_vector, n_updated, halo).unsqueeze(1)

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
        energy = self.energy(species, bond_vector, n_updated, halo)
        return {"energy": energy, "features": energy.unsqueeze(1)}


# More than 100 atoms: no check at loading has them, and each rank does here, with its ghosts.
class WiderWithMoreAtoms(Base):
    """Exchanges what its manifest says of a few atoms, and more of many: seen by no check at loading."""

    def energy(self, species: Tensor, bond_vector: Tensor, n_updated: int, halo: int) -> Tensor:
        width = 100000 if species.shape[0] > 100 else 6
        h = torch.zeros([n_updated, width], dtype=torch.float64) + 0 * bond_vector.sum()
        if halo != 0:
            h = torch.ops.unnp.exchange(h, species.shape[0], halo)
        return h[:n_updated].sum(1)


class FailsWithMoreAtoms(Base):
    """Cannot be run with many atoms."""

    def energy(self, species: Tensor, bond_vector: Tensor, n_updated: int, halo: int) -> Tensor:
        h = torch.zeros([n_updated], dtype=torch.float64) + 0 * bond_vector.sum()
        if species.shape[0] > 100:
            h = h.reshape([n_updated + 1, 7])
        return h


def refused(folder: Path, message: str, ranks: int) -> None:
    write_data(folder / "a.data", structures.crystal(), ELEMENTS)
    run = run_lammps(folder, DECK, ranks, check=False, timeout=100)
    assert run.code == 1, run.output[-2000:]
    line = next(line for line in run.output.splitlines() if line.startswith("ERROR"))
    assert "pair_style unnp: " in line
    assert message in line
    assert "Traceback" not in run.output
    assert "torch/lib" not in run.output


def save(module: torch.nn.Module, path: Path, **changes: object) -> None:
    extra = {"unnp.json": json.dumps(manifest(**changes))}
    torch.jit.save(torch.jit.script(module), str(path), _extra_files=extra)


@pytest.mark.parametrize("ranks", [1, 2])
def test_buffers_are_not_overrun(ranks: int, tmp_path: Path) -> None:
    save(WiderWithMoreAtoms(), tmp_path / "m.pt", exchange_widths=[6])
    refused(tmp_path, "exchanges 100000 numbers per atom, more than its manifest says", ranks)


@pytest.mark.parametrize("ranks", [1, 2])
def test_an_error_of_the_interpreter_is_one_line(ranks: int, tmp_path: Path) -> None:
    save(FailsWithMoreAtoms(), tmp_path / "m.pt", halo="local", exchange_widths=[])
    refused(tmp_path, "torch failed while evaluating the model: shape", ranks)


@pytest.mark.parametrize("widths", [[1], [6, 6, 5], [6], [16384] * 3])
def test_widths_that_are_not_the_network_s(widths: list[int], tmp_path: Path) -> None:
    write_toy(tmp_path / "m.pt", exchange_widths=widths)
    refused(tmp_path, "the network exchanges 6, 6, 6 numbers per atom", 2)


NI = Path(__file__).parents[2] / "models" / "teanet-mlearn-Ni" / "model.pt"
ENERGY_DECK = """
units metal
read_data a.data
pair_style unnp {style}
pair_coeff * * m.pt Ni
run 0
variable energy equal pe
print "energy: ${{energy}}"
"""


IN_LAMMPS = {
    "as it was": ("", "halo wide"),
    "wide exchange": ("",),
    "two exchanges": ("",),
    "cutoff 4.9 A": ("",),
    "cutoff 7 A": ("",),
    "receptive field of one cutoff": ("halo wide",),
    "receptive field 15 A": ("halo wide",),
    "halo wide": ("",),
    "halo wide with a short receptive field": ("",),
    "halo local": ("",),
    "half a character as a head": ("",),
}


def test_a_false_manifest_is_refused_on_both_ranks_or_gives_the_right_energy(tmp_path: Path) -> None:
    atoms = bulk("Ni", cubic=True) * (3, 3, 3)
    atoms.rattle(0.1, seed=1)
    write_data(tmp_path / "a.data", atoms, ["Ni"])
    archive, right = Archive(NI.read_bytes()), None
    for case, styles in IN_LAMMPS.items():
        fields, message = FALSE_MANIFESTS[case]
        (tmp_path / "m.pt").write_bytes(sealed(archive, **fields))
        for style in styles:
            run = run_lammps(tmp_path, ENERGY_DECK.format(style=style), 2, check=False, timeout=100)
            if message:
                (line,) = [line for line in run.output.splitlines() if line.startswith("ERROR")]
                assert run.code == 1
                assert "pair_style unnp: " in line
                assert message in line
            else:
                energy = run.printed("energy")[0]
                right = energy if right is None else right
                assert energy == pytest.approx(right, abs=1e-5), (case, style)


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.pt")
    refused(tmp_path, "'m.pt' is a pipe or a device", 2)


def test_names_from_the_file_stay_on_their_line(tmp_path: Path) -> None:
    evil = "toy\nERROR: evil \x1b[2J"
    write_toy(tmp_path / "m.pt", name=evil, architecture=evil, references=[evil])
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    run = run_lammps(tmp_path, DECK, 1)
    assert "toy\\x0aERROR: evil \\x1b[2J (m.pt)" in run.output
    assert "\x1b" not in run.output
    assert not any(line.startswith("ERROR") for line in run.output.splitlines())
