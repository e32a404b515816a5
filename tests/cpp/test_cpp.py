"""The C++ unit tests; `make install` builds them beside the library."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_cpp() -> None:
    built = sorted(ROOT.glob("build/*/cpp/tests/unnp_tests"), key=lambda path: path.stat().st_mtime)
    if not built:
        pytest.skip("the C++ tests were not built (make install builds them)")
    done = subprocess.run([built[-1]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
