"""Two processes started by torchrun do what one does with their batches together."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from unnp.config import load_yaml
from unnp.models.checkpoint import load_checkpoint
from unnp.train.config import TrainConfig
from unnp.train.distributed import Processes
from unnp.train.run import train

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
sys.path.append(str(HERE))
import two_processes  # noqa: E402 (lies beside this file)


def torchrun(*arguments: str, expect: int = 0) -> str:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, check=False)
    assert result.returncode == expect, result.stderr
    return result.stdout


def test_gradients_of_two_processes_are_those_of_one(data_files: dict[str, str], tmp_path: Path) -> None:
    torchrun(str(HERE / "two_processes.py"), data_files["train"], str(tmp_path / "gradients"))
    found = load_file(tmp_path / "gradients")
    before = torch.get_default_dtype()
    try:
        made = two_processes.make(data_files["train"])
    finally:
        torch.set_default_dtype(before)
    for case, shares in two_processes.SHARES.items():
        expected = two_processes.gradients(*made, [k for share in shares for k in share], Processes())
        for name, value in expected.items():
            assert torch.isfinite(value).all()
            assert torch.allclose(found[f"{case}.{name}"], value, rtol=1e-12, atol=1e-13), (case, name)
        assert any(value.abs().max() > 1e-3 for name, value in expected.items() if name != "loss")


@pytest.fixture
def run_driver(settings: Callable[..., dict[str, Any]], tmp_path: Path) -> Callable[..., Path]:
    def run(name: str, *extra: str, processes: int, batch_size: int, stop: int | None = None) -> Path:
        config = tmp_path / f"{name}.yaml"
        config.write_text(yaml.safe_dump(settings(dtype="float64", batch_size=batch_size)))
        how = ["none", "0"] if stop is None else ["SIGTERM", str(stop)]
        arguments = [str(HERE / "driver.py"), *how, "train", str(config), "-o", str(tmp_path / name), *extra]
        if processes == 1:
            train(load_yaml(config, TrainConfig), tmp_path / name)
        else:
            torchrun(*arguments, expect=0 if stop is None else 1)
        return tmp_path / name

    return run


def test_a_training_on_two_processes_is_that_on_one(run_driver: Callable[..., Path]) -> None:
    one = run_driver("one", processes=1, batch_size=4)
    two = run_driver("two", processes=2, batch_size=2)
    a, b = (load_checkpoint(run / "checkpoints" / "last.safetensors").tensors for run in (one, two))
    for name, tensor in a.items():
        if name.startswith(("raw", "average", "optimizer", "sums")):
            assert torch.allclose(tensor, b[name], rtol=1e-7, atol=1e-9), name
    logs = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (one, two)]
    assert len(logs[0]) == len(logs[1]) == 3
    for record, other in zip(*logs, strict=True):
        for key in ("step", "learning_rate", "loss", "loss_forces", "validation_loss", "forces_rmse", "stress_mae"):
            assert other[key] == pytest.approx(record[key], rel=1e-6), key
    interrupted = run_driver("interrupted", processes=2, batch_size=2, stop=3)  # the signal reaches one process alone
    assert load_checkpoint(interrupted / "checkpoints" / "last.safetensors").description["position"]["step"] == 3
    run_driver("interrupted", "--resume", processes=2, batch_size=2)
    c = load_checkpoint(interrupted / "checkpoints" / "last.safetensors").tensors
    assert all(torch.equal(b[name], c[name]) for name in b)
