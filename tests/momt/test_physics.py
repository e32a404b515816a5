"""The melting point of a small cell against dynamics without any bias, which goes to and fro at it by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from momt_runs import AL
from unnp.config import from_dict
from unnp.sampling.samples import read_samples
from unnp.workflows.momt.compare.run import compare
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.run import run_momt


@pytest.mark.slow
def test_plain_dynamics_spends_equal_times_in_both_phases_at_the_melting_point(tmp_path: Path) -> None:
    stages = {"adapt": {"min": 300, "max": 300}, "production": {"min": 700, "max": 700}}
    config = from_dict({**AL, "temperature": 950, "stages": stages, "frames": None}, MomtConfig)
    melting = run_momt(config, tmp_path, tmp_path / "run").summary["analysis"]["melting"]
    assert melting["temperature"]["error"] < 25
    compare(tmp_path / "run", melting["temperature"]["value"])
    logs = [tmp_path / f"run/compare/momt.{start}.0.log" for start in ("solid", "liquid")]
    order = np.concatenate([read_samples([log]).order for log in logs])
    solid = (order > melting["dividing_order"]).mean()
    # 2 ns without bias make some 20 passages: the share is good to 0.1, which is 0.4 kT or 13 K
    assert abs(np.log(solid / (1 - solid))) < 1.6
