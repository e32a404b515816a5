"""Choosing the device and number type that tensors live on."""

from __future__ import annotations

import torch

from unnp.config.texts import DEVICES, is_device_name
from unnp.errors import ConfigError, in_one_line, unknown

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def resolve_device(name: str) -> torch.device:
    """Return the device of ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ConfigError: another word, or a GPU that this machine or this torch does not have.
    """
    if not is_device_name(name):
        raise ConfigError(unknown("device", in_one_line(name), DEVICES))
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    index = int(name.partition(":")[2] or 0)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= count:
        found = f"it sees {count} GPU(s)" if count else "it sees no GPU"
        raise ConfigError(
            f"device '{name}' was asked for, but torch {torch.__version__}: {found}. Use 'auto' or 'cpu'."
        )
    return torch.device("cuda", index)


def resolve_dtype(name: str) -> torch.dtype:
    """Return the torch number type of ``float32`` or ``float64``; raise ConfigError for another word."""
    if not isinstance(name, str) or name not in DTYPES:
        raise ConfigError(unknown("dtype", in_one_line(name), DTYPES))
    return DTYPES[name]
