"""Opening an exported model: the archive is checked before any of it is run."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from unnp.elements import Elements
from unnp.errors import ModelError
from unnp.manifest import MANIFEST_NAME, Manifest

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from unnp.derivatives import Prediction
    from unnp.graph import Graph

MAX_MANIFEST_BYTES = 16 * 2**20
EXPORT_ADVICE = "Models are written by `unnp export RUN -o model.pt`."


@dataclass
class LoadedPotential:
    """An exported potential, ready to be evaluated.

    Attributes:
        path: the file.
        manifest: what the file says about itself.
        elements: the elements it knows.
        module: the scripted module; callable as docs/design.md says, with ``members`` for a committee.
        device: where its parameters are.
        dtype: number type of its parameters and bond vectors.
    """

    path: Path
    manifest: Manifest
    elements: Elements
    module: torch.jit.ScriptModule
    device: torch.device
    dtype: torch.dtype

    @property
    def cutoff(self) -> float:
        """Length [A] of the longest bond that has to be listed."""
        return self.manifest.cutoff

    def predict(self, graph: Graph, *, derivatives: bool = True, atomic_virial: bool = False) -> Prediction:
        """Evaluate a graph, moved to the model's device and number type; see ``unnp.derivatives.predict``."""
        from unnp.derivatives import predict

        graph = graph.to(self.device, self.dtype)
        return predict(self.module, graph, derivatives=derivatives, atomic_virial=atomic_virial)

    def member_energies(self, graph: Graph) -> Tensor:
        """Return the atomic energies of every member of a committee, (n_members, n_atoms) [eV]."""
        import torch

        graph = graph.to(self.device, self.dtype)
        with torch.no_grad():
            energies: Tensor = self.module.members(graph.species, graph.bond_index, graph.bond_vector, graph.n_atoms, 0)
            return energies


def read_manifest(path: str | Path) -> Manifest:
    """Return the manifest of an exported model without opening the model itself.

    Raises:
        ModelError: no file, not TorchScript, not ours, or a manifest of a newer format or with mistakes.
    """
    path = Path(path)
    return _inspect(path)[0]


def load_model(path: str | Path, device: str = "auto", dtype: str = "model") -> LoadedPotential:
    """Open an exported model.

    Args:
        path: file written by ``unnp export``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype: ``model`` (what the file holds), ``float32`` or ``float64``.

    Raises:
        ModelError: as ``read_manifest``, or the file needs another torch or is damaged.
        ConfigError: unknown or absent device, unknown dtype.
    """
    import torch

    from unnp.device import resolve_device, resolve_dtype

    path = Path(path)
    manifest, needs_core = _inspect(path)
    manifest.check_torch(torch.__version__, path)
    target = resolve_device(device)
    number_type = resolve_dtype(manifest.dtype if dtype == "model" else dtype)
    if needs_core:
        from unnp.core import load_library

        load_library()
    try:
        module = torch.jit.load(str(path), map_location=target)  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300]
        raise ModelError(
            f"{path}: torch cannot open it, the file is damaged ({reason}). Export or copy it again."
        ) from None
    _check_methods(module, path)
    module.eval()
    _convert(module, number_type)
    return LoadedPotential(path, manifest, Elements(manifest.elements), module, target, number_type)


def _convert(module: torch.jit.ScriptModule, dtype: torch.dtype) -> None:
    """Convert parameters and buffers in place; reference energies stay float64, as the energies are summed in it."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    for name, tensor in tensors:
        keeps_precision = name.rpartition(".")[2].startswith("reference_energ")
        if tensor.is_floating_point() and not keeps_precision:
            tensor.data = tensor.data.to(dtype)
        tensor.requires_grad_(False)


def _inspect(path: Path) -> tuple[Manifest, bool]:
    """Return the manifest and whether the code uses our ops, after checking the archive."""
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise ModelError(f"model file {path} {what}. {EXPORT_ADVICE}")
    try:
        if not zipfile.is_zipfile(path):
            raise ModelError(f"{path} is not a TorchScript file. {EXPORT_ADVICE}")
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ModelError(
            f"{path} cannot be read, it is damaged or cut short ({error}). Export or copy it again."
        ) from None


def _read_archive(archive: zipfile.ZipFile, path: Path) -> tuple[Manifest, bool]:
    entries = archive.infolist()
    _check_entries(entries, path)
    by_name = {PurePosixPath(*PurePosixPath(e.filename).parts[1:]).as_posix(): e for e in entries}
    code = [entry for name, entry in by_name.items() if name.startswith("code/") and name.endswith(".py")]
    if "constants.pkl" not in by_name or not code:
        hint = " It looks like a checkpoint of torch.save." if "data.pkl" in by_name else ""
        raise ModelError(f"{path} is not a TorchScript file.{hint} {EXPORT_ADVICE}")
    text = by_name.get(f"extra/{MANIFEST_NAME}")
    if text is None:
        raise ModelError(
            f"{path} is a TorchScript file without {MANIFEST_NAME}, so it was not written by unnp. {EXPORT_ADVICE}"
        )
    if text.file_size > MAX_MANIFEST_BYTES:
        raise ModelError(
            f"{path}: {MANIFEST_NAME} has {text.file_size} bytes, more than any real one. Do not use this file."
        )
    manifest = Manifest.from_json(archive.read(text), path)
    return manifest, any(b"ops.unnp." in archive.read(entry) for entry in code)


def _check_entries(entries: list[zipfile.ZipInfo], path: Path) -> None:
    """Refuse archives that no export writes: odd names, or contents larger than the file (a compression bomb)."""
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            raise ModelError(
                f"{path} holds an entry named {entry.filename!r}, which no export writes. Do not use this file."
            )
    # Tensors are stored as they are; only the few kilobytes of code and debug tables are compressed, by at most 1:1000.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > 20 * path.stat().st_size + 2**24:
        raise ModelError(f"{path} unpacks to {unpacked / 2**20:.0f} MiB, more than a model can. Do not use this file.")


def _check_methods(module: torch.jit.ScriptModule, path: Path) -> None:
    missing = [name for name in ("forward", "members") if not hasattr(module, name)]
    if missing:
        raise ModelError(f"{path}: the module has no method {', '.join(missing)}; it was not written by unnp export.")
