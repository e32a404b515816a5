"""Opening an exported model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from unnp.archive import inspect
from unnp.core import core
from unnp.derivatives import Prediction, predict, predict_members
from unnp.device import resolve_device, resolve_dtype
from unnp.elements import Elements
from unnp.errors import ModelError
from unnp.graph import Graph
from unnp.manifest import Manifest
from unnp.threads import one_thread_in_forked_children


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
        graph = graph.to(self.device, self.dtype)
        # The profiling executor would specialise the graph again for each new number of atoms and bonds.
        with torch.jit.optimized_execution(False):
            return predict(self.module, graph, derivatives=derivatives, atomic_virial=atomic_virial)

    def members(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """Return energies (n_members, n_graphs) [eV] and forces (n_members, n_atoms, 3) [eV/A] of every member."""
        with torch.jit.optimized_execution(False):
            return predict_members(self.module.members, graph.to(self.device, self.dtype))


def load_model(path: str | Path, device: str = "auto", dtype: str = "model") -> LoadedPotential:
    """Open an exported model.

    Args:
        path: file written by ``unnp export``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype: ``model`` (what the file holds), ``float32`` or ``float64``.

    Raises:
        ModelError: as ``read_manifest``, or the file needs another torch or is damaged.
        UnnpError: the file needs the compiled part of unnp, and it is not installed or built for another torch.
        ConfigError: unknown or absent device, unknown dtype.
    """
    one_thread_in_forked_children()
    path = Path(path)
    manifest, needs_core = inspect(path)
    manifest.check_torch(torch.__version__, path)
    target = resolve_device(device)
    number_type = resolve_dtype(manifest.dtype if dtype == "model" else dtype)
    if needs_core:
        core()
    module = _open(path, target)
    _check_methods(module, path)
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if number_type != resolve_dtype(manifest.dtype):
        _convert(module, number_type, path)
    return LoadedPotential(path, manifest, Elements(manifest.elements), module, target, number_type)


def _open(path: Path, device: torch.device) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            module: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device)
        except Exception as error:  # a damaged archive makes torch raise almost anything
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(f"{path}: torch cannot open it ({reason}). Export or copy it again.") from None
    return module


def _convert(module: torch.jit.ScriptModule, dtype: torch.dtype, path: Path) -> None:
    """Convert parameters and buffers in place; reference energies stay float64, as the energies are summed in it."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    if not tensors:
        raise ModelError(f"{path} is frozen in its own number type; open it with dtype 'model', or export it again.")
    for name, tensor in tensors:
        keeps_precision = name.rpartition(".")[2].startswith("reference")
        if tensor.is_floating_point() and not keeps_precision:
            tensor.data = tensor.data.to(dtype)


def _check_methods(module: torch.jit.ScriptModule, path: Path) -> None:
    missing = [name for name in ("forward", "members") if not hasattr(module, name)]
    if missing:
        raise ModelError(f"{path}: the module has no method {', '.join(missing)}; it was not written by unnp export.")
