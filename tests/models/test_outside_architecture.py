"""An architecture in a package of its own: built, installed, found by its entry point, and checked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lammps_run import installed

pytestmark = pytest.mark.long

EXAMPLE = Path(__file__).parents[2] / "examples/outside_architecture"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of packages with the example and one that cannot be imported."""
    folder = tmp_path_factory.mktemp("outside")
    source, target = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source)  # a build leaves files beside its source
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = target / "quantum-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: quantum\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[unnp.models]\nquantum = quantum_networks\n")
    (target / "quantum_networks.py").write_text("import no_such_library\n")
    return target


def unnp(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where the packages of a folder are installed."""
    return subprocess.run(
        [sys.executable, "-m", "unnp", *words],
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_it_is_found_and_a_broken_one_is_said_for_that_one_alone(site):
    listed = unnp(site, "models").stdout
    assert "messages     Two layers of messages that depend on the distance alone." in listed
    assert "quantum      cannot be used: the architecture 'quantum' of quantum_networks cannot be imported" in listed
    assert "teanet" in listed
    broken = unnp(site, "models", "check", "quantum")
    assert broken.returncode == 2
    assert "ModuleNotFoundError(\"No module named 'no_such_library'\")" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_it_passes_all_checks(site):
    if not installed():
        pytest.skip("needs the compiled plugin and the lammps and mpich packages (make install)")
    done = unnp(site, "models", "check", "messages", "--dtype", "float64")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {line[9:37].strip(): line.split()[0] for line in done.stdout.splitlines()}
    assert {lines[f"lammps, {n}, float64"] for n in ("1 rank", "2 ranks", "4 ranks")} == {"passed"}
    assert [name for name, verdict in lines.items() if verdict == "skipped"] == ["ghosts"]
    assert done.stdout.splitlines()[-1].endswith("passed, 0 failed, 1 skipped.")
