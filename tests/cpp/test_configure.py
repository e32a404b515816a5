"""What CMake refuses before anything is compiled."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_static_standard_library_is_refused(tmp_path):
    if not shutil.which("cmake") or not shutil.which("c++"):
        pytest.skip("needs cmake and a compiler")
    settings = [f"-DPython_EXECUTABLE={sys.executable}", "-DUNNP_PYTHON=OFF", "-DUNNP_TESTS=OFF"]
    result = subprocess.run(
        ["cmake", "-S", SOURCE, "-B", tmp_path / "build", *settings],
        env={**os.environ, "LDFLAGS": "-static-libstdc++"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    message = " ".join(result.stderr.split())
    assert "links the C++ standard library statically" in message
    assert "Take -static-libstdc++ out of LDFLAGS" in message
