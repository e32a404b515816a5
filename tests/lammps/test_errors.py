"""Whatever is wrong, every rank stops, the exit code is not 0, and the message says what to do."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import structures
import torch
from lammps_run import BIN, run_lammps, write_data
from torch import Tensor
from toy_model import ELEMENTS, manifest, write_toy

SYMBOLS = " ".join(ELEMENTS)
START = "units metal\nread_data a.data\n"
GOOD = f"pair_style unnp\npair_coeff * * toy.pt {SYMBOLS}\n"


class Nothing(torch.nn.Module):
    """A scripted module that is no potential."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class NotFinite(torch.nn.Module):
    """A potential whose third atom has no finite energy."""

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
        energy = torch.zeros(n_updated, dtype=torch.float64) + 0 * bond_vector.sum()
        energy[species[:n_updated] == 2] = float("nan")
        return energy

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
        return self.forward(species, bond_index, bond_vector, graph, head, n_updated, halo).unsqueeze(0)

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


def _save(module: torch.nn.Module, path: Path, **changes: object) -> None:
    extra = {"unnp.json": json.dumps(manifest(**changes))} if changes else {}
    torch.jit.save(torch.jit.script(module), str(path), _extra_files=extra)


def _not_json(path: Path) -> None:
    torch.jit.save(torch.jit.script(Nothing()), str(path), _extra_files={"unnp.json": '{"format_version": 1,'})


def _missing_field(path: Path) -> None:
    fields = manifest()
    del fields["cutoff"]
    torch.jit.save(torch.jit.script(Nothing()), str(path), _extra_files={"unnp.json": json.dumps(fields)})


def _truncated(path: Path) -> None:
    write_toy(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")


def coeff(words: str) -> str:
    return f"pair_style unnp\npair_coeff {words}\n"


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda p: p.write_text("hello"), "is not a TorchScript file"),
    "zip": (_zip, "is not a TorchScript file"),
    "folder": (lambda p: p.mkdir(), "is a folder"),
    "truncated": (_truncated, "is not a TorchScript file, or it is truncated"),
    "weights": (lambda p: torch.save({"a": torch.ones(2)}, p), "perhaps weights saved by torch.save"),
    "not_ours": (lambda p: _save(Nothing(), p), "it was not written by unnp"),
    "newer_format": (lambda p: write_toy(p, format_version=2), "has format 2; this unnp reads up to format 1"),
    "not_json": (_not_json, "not valid JSON"),
    "missing_field": (_missing_field, "the field 'cutoff' is missing"),
    "negative_cutoff": (lambda p: write_toy(p, cutoff=-1.0), "'cutoff' must be a positive number"),
    "wrong_units": (lambda p: write_toy(p, units={"energy": "Ry", "length": "bohr"}), "units must be eV and angstrom"),
    "old_torch": (lambda p: write_toy(p, torch_supported=["1.0", "1.13"]), "runs with torch 1.0 to 1.13"),
    "no_method": (lambda p: _save(Nothing(), p, name="x"), "has no method"),
}

BAD_DECKS = {
    "no_file": (coeff(f"* * nofile.pt {SYMBOLS}"), "cannot open the model file 'nofile.pt': No such file"),
    "keyword": ("pair_style unnp devise cpu\n", "unknown keyword 'devise'"),
    "keyword_hint": ("pair_style unnp devise cpu\n", "Did you mean 'device'?"),
    "value": ("pair_style unnp halo exchnge\n", "Did you mean 'exchange'?"),
    "no_value": ("pair_style unnp dtype\n", "the keyword 'dtype' needs 1 value"),
    "deviation_every": ("pair_style unnp deviation f.out 0\n", "FILE EVERY with a whole number from 1, not '0'"),
    "not_a_committee": (
        "pair_style unnp deviation f.out 5\n" + f"pair_coeff * * toy.pt {SYMBOLS}\n",
        "deviation needs a committee",
    ),
    "element": (
        coeff("* * toy.pt Ni Alu Cu"),
        "does not know the element 'Alu'; it knows Ni, Al, Cu. Did you mean 'Al'?",
    ),
    "too_few_symbols": (coeff("* * toy.pt Ni Al"), "names 2 elements, but there are 3 atom types"),
    "too_many_symbols": (coeff("* * toy.pt Ni Al Cu Ni"), "names 4 elements, but there are 3 atom types"),
    "all_null": (coeff("* * toy.pt NULL NULL NULL"), "every type is NULL"),
    "null_alone": (coeff("* * toy.pt Ni Al NULL") + "run 0\n", "pair coeffs are not set"),
    "types": (coeff(f"1 2 toy.pt {SYMBOLS}"), "Pair_coeff must start with * *"),
    "no_coeff": ("pair_style unnp\nrun 0\n", "pair coeffs are not set"),
    "cuda": (f"pair_style unnp device cuda\npair_coeff * * toy.pt {SYMBOLS}\n", "torch sees no GPU"),
    "cuda_number": (
        f"pair_style unnp device cuda:7\npair_coeff * * toy.pt {SYMBOLS}\n",
        "device 'cuda:7' was asked for",
    ),
    "respa": (GOOD + "run_style respa 2 2\nrun 0\n", "run_style respa cannot split"),
    "not_finite": (coeff(f"* * nan.pt {SYMBOLS}") + "run 0\n", "is not finite at step 0"),
}


def expect_error(folder: Path, deck: str, message: str, ranks: int = 2) -> None:
    write_data(folder / "a.data", structures.crystal(), ELEMENTS)
    run = run_lammps(folder, deck, ranks, check=False)
    assert run.code != 0
    assert message in run.output, run.output[-2000:]
    assert "torch/lib" not in run.output  # no backtrace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("errors")
    write_toy(folder / "toy.pt")
    _save(NotFinite(), folder / "nan.pt", halo="local", exchange_widths=[])
    return folder


@pytest.mark.parametrize("kind", BAD_DECKS)
def test_bad_input(kind: str, folder: Path) -> None:
    if kind.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    commands, message = BAD_DECKS[kind]
    expect_error(folder, START + commands, message)


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_file(kind: str, tmp_path: Path) -> None:
    write, message = BAD_FILES[kind]
    write(tmp_path / "bad.pt")
    expect_error(tmp_path, START + coeff(f"* * bad.pt {SYMBOLS}"), message)


@pytest.mark.parametrize("units", ["lj", "si"])
def test_units(units: str, folder: Path) -> None:
    expect_error(folder, f"units {units}\nread_data a.data\n{GOOD}run 0\n", "works with units metal or real")


def test_error_on_one_rank_stops_all(folder: Path, tmp_path: Path) -> None:
    """A file that only one rank cannot open (another node's disk) is an error of all, and nobody waits."""
    launcher = tmp_path / "launch.sh"
    launcher.write_text(
        f'#!/bin/sh\nmkdir -p "rank$PMI_RANK" && cd "rank$PMI_RANK" && cp ../a.data ../in.lmp .\n'
        f'[ "$PMI_RANK" = 1 ] || cp {folder}/toy.pt .\nexec {BIN}/lmp -in in.lmp\n'
    )
    launcher.chmod(0o755)
    write_data(tmp_path / "a.data", structures.crystal(), ELEMENTS)
    (tmp_path / "in.lmp").write_text(START + GOOD + "run 0\n")
    done = subprocess.run(
        [BIN / "mpirun", "-n", "3", str(launcher)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "cannot open the model file 'toy.pt'" in done.stdout + done.stderr


def test_special_bonds_that_hide_neighbours(folder: Path, tmp_path: Path) -> None:
    deck = """
units metal
atom_style bond
region box block 0 10 0 10 0 10
create_box 3 box bond/types 1 extra/bond/per/atom 2 extra/special/per/atom 2
create_atoms 1 single 1 1 1
create_atoms 1 single 3 1 1
mass * 50
bond_style zero
bond_coeff * 2.0
pair_style unnp
pair_coeff * * toy.pt Ni Al Cu
create_bonds single/bond 1 1 2
run 0
"""
    expect_error(folder, deck, "hides bonded neighbours")
