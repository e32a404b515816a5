"""Names of devices and number types."""

import pytest
import torch
from unnp.device import resolve_device, resolve_dtype
from unnp.errors import ConfigError


def test_names():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_dtype("float32") == torch.float32
    assert resolve_dtype("float64") == torch.float64


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "cuda:x", "", "CPU", "cuda:0 "])
def test_devices_that_are_none(name):
    with pytest.raises(ConfigError, match="unknown device"):
        resolve_device(name)


def test_devices_that_are_not_there():
    with pytest.raises(ConfigError, match=r"'cuda:99' was asked for, but torch .* sees"):
        resolve_device("cuda:99")


def test_number_types_that_are_none():
    with pytest.raises(ConfigError, match=r"unknown dtype 'float16'.*Did you mean"):
        resolve_dtype("float16")


def test_a_first_gpu_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto").type == "cpu"
    with pytest.raises(ConfigError, match=r"it sees no GPU\. Use 'auto' or 'cpu'"):
        resolve_device("cuda")


def test_more_gpus_than_there_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda") == resolve_device("auto") == torch.device("cuda", 0)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ConfigError, match=r"it sees 2 GPU\(s\)"):
        resolve_device("cuda:2")
