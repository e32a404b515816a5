"""A program outside of this tree is built against the installed package, and has the same numbers as Python."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import unnp
from ase import Atoms
from ase.io import write
from unnp.adapters.ase import UnnpCalculator

EXAMPLE = Path(__file__).parents[2] / "examples/cpp"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of examples/cpp, configured and built as its page says."""
    if not shutil.which("cmake") or not shutil.which("c++"):
        pytest.skip("needs cmake and a compiler")
    folder = tmp_path_factory.mktemp("outside")
    shutil.copytree(EXAMPLE, folder / "source")
    prefix = subprocess.run(
        [sys.executable, "-c", "import unnp; print(unnp.cmake_prefix_path)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    ).stdout.strip()
    configure = ["cmake", "-S", "source", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Debug"]
    for command in (configure, ["cmake", "--build", "build"]):
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build/cluster"


def run(program: Path, model: Path, xyz: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, model, *arguments], input=xyz, capture_output=True, text=True, check=False)


def test_energy_and_forces_are_those_of_python(program: Path, small_model: Path, tmp_path: Path) -> None:
    positions = np.random.default_rng(1).uniform(0.0, 5.0, (7, 3))
    atoms = Atoms("AlNi3Al2Ni", positions=positions)
    write(tmp_path / "cluster.xyz", atoms, format="xyz", fmt="%22.17g")
    done = run(program, small_model, (tmp_path / "cluster.xyz").read_text())
    assert done.returncode == 0, done.stderr
    energy, *forces = done.stdout.splitlines()
    atoms.calc = UnnpCalculator(small_model, device="cpu")
    assert float(energy) == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose([[float(x) for x in row.split()] for row in forces], atoms.get_forces(), atol=1e-12)


def test_the_same_tensors_stay_float64_as_in_python(
    program: Path, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_model(tmp_path / "m.pt")
    extra = {"unnp.json": b""}
    module = torch.jit.load(path, _extra_files=extra)
    module.reference.copy_(torch.tensor([-3.1, -4.1], dtype=torch.float64))  # no float32 is near to them
    torch.jit.save(module, path, _extra_files=extra)
    done = run(program, path, "1\n\nAl 0 0 0\n", "float32")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) == -1.0 - 3.1
    assert UnnpCalculator(path, device="cpu", dtype="float32").get_potential_energy(Atoms("Al")) == -1.0 - 3.1


@pytest.mark.parametrize(
    ("name", "xyz", "message"),
    [
        ("absent.pt", "1\n\nAl 0 0 0\n", "cannot open the model file"),
        ("text.pt", "1\n\nAl 0 0 0\n", "text.pt' "),
        (None, "1\n\nXe 0 0 0\n", "does not know 'Xe', only Al, Ni"),
    ],
)
def test_errors_arrive_as_one_line(
    program: Path, small_model: Path, tmp_path: Path, name: str | None, xyz: str, message: str
) -> None:
    (tmp_path / "text.pt").write_text("hello")
    done = run(program, tmp_path / name if name else small_model, xyz)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_public_header_is_installed_and_stands_alone(program: Path) -> None:
    installed = Path(unnp.cmake_prefix_path) / "include"
    source = Path(__file__).parents[2] / "cpp/include"
    headers = sorted(path.relative_to(source) for path in source.rglob("*.h"))
    assert headers == sorted(path.relative_to(installed) for path in installed.rglob("*.h"))
    text = "".join(f"#include <{header}>\n#include <{header}>\n" for header in reversed(headers))
    done = subprocess.run(
        ["c++", "-std=c++20", "-fsyntax-only", "-I", installed, "-x", "c++", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (source.parents[1] / "docs/cpp.md").read_text(encoding="utf-8")
    assert [h for h in headers if f"`{h}`" not in page] == []
