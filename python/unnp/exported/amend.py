"""A model file with another manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from unnp.errors import ModelError
from unnp.exported.export import check_allowed, serialised
from unnp.exported.loader import load_model
from unnp.exported.manifest import Manifest
from unnp.files.locks import hold_output
from unnp.files.writing import make_folder, write_atomically


def write_amended(model: Path, path: Path, **changes: Any) -> Manifest:
    """Write a model file that differs from another one in fields of its manifest alone, and return the new manifest.

    Args:
        model: the file there is.
        path: the file to write; it may be the same.
        changes: fields and their values.

    Raises:
        ModelError: the file cannot be opened, a value is not allowed, or what was written differs in more.
        UnnpError: the file cannot be written, or another process writes it.
    """
    loaded = load_model(model, device="cpu")
    changed = {**loaded.manifest.model_dump(mode="json"), **changes, "torch_version": torch.__version__}
    manifest = Manifest.from_json(Manifest.model_validate(changed).to_json(), model)
    content, manifest = serialised(loaded.module, manifest)
    expected = loaded.module.state_dict()

    def check(written: Path) -> None:
        check_allowed(written)
        found = load_model(written, device="cpu").module.state_dict()
        same = found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)
        if not same:
            raise ModelError(f"the copy of {model} has other weights than the file itself; export the model again.")

    make_folder(path.parent)
    with hold_output(path):
        write_atomically(path, content, check=check)
    return manifest
