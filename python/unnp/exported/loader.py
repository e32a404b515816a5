"""Opening an exported model."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.quantities import QUANTITIES
from unnp.core import core, model_files
from unnp.derivatives import Prediction, predict, predict_members
from unnp.device import resolve_device, resolve_dtype
from unnp.errors import ConfigError, ModelError, UnnpError
from unnp.exported.archive import CheckedFile, inspect, source_name
from unnp.exported.manifest import Manifest
from unnp.exported.threads import one_thread_in_forked_children


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
        head: position of the level of theory it is asked for.
    """

    path: Path
    manifest: Manifest
    elements: Elements
    module: torch.jit.ScriptModule
    device: torch.device
    dtype: torch.dtype
    head: int = 0

    @property
    def cutoff(self) -> float:
        """Length [A] of the longest bond that has to be listed."""
        return self.manifest.cutoff

    @property
    def quantities(self) -> list[str]:
        """Names of the quantities of ``unnp.atoms.quantities`` that it has a trained output for, beside the energy."""
        declared = {output.name for output in self.manifest.outputs}
        return [name for name, quantity in QUANTITIES.items() if quantity.origin == "head" and name in declared]

    @property
    def stress_offset(self) -> dict[str, float]:
        """Constant tension [GPa] of the stress labels it was trained on, by group; empty where none was taken off."""
        found = self.manifest.data.get("stress_offset", {})
        if not isinstance(found, dict) or not all(type(value) is float and isfinite(value) for value in found.values()):
            raise ModelError(
                f"{self.path}: the stress offsets of the manifest are no numbers by group. Export it again."
            )
        return {str(name): value for name, value in found.items()}

    def predict(
        self,
        graph: Graph,
        *,
        derivatives: bool = True,
        atomic_virial: bool = False,
        outputs: bool = False,
        of: str = "energy",
    ) -> Prediction:
        """Evaluate a graph, moved to the model's device and number type; see ``unnp.derivatives.predict``.

        Args:
            graph: one or several structures.
            derivatives: compute forces and stress.
            atomic_virial: compute the per-atom virial too.
            outputs: give the other declared outputs too, but for the features.
            of: name of a declared output that is a number for each atom or structure, in the place of the energy.

        Raises:
            ConfigError: there is no such output, or it is not a number.
        """
        output = self.manifest.output(of)
        if output.shape:
            raise ConfigError(
                f"only outputs that are a number have derivatives, and '{of}' has the shape {output.shape}."
            )
        # The profiling executor would specialise the graph again for each new number of atoms and bonds.
        with torch.jit.optimized_execution(False):
            return predict(
                self.module,
                self._prepared(graph),
                derivatives=derivatives,
                atomic_virial=atomic_virial,
                outputs=outputs,
                of=None if of == "energy" else output,
            )

    def features(self, graph: Graph) -> Tensor:
        """Return the features (n_atoms, n_features) of a graph; those of the members of a committee side by side."""
        with torch.jit.optimized_execution(False), torch.no_grad():
            features: Tensor = self.module.features(*self._prepared(graph).arguments)
        return features

    def outputs(self, graph: Graph) -> dict[str, Tensor]:
        """Return all declared outputs of a graph by name, (n_atoms, ...) or (n_graphs, ...)."""
        with torch.jit.optimized_execution(False), torch.no_grad():
            return dict(self.module.outputs(*self._prepared(graph).arguments))

    def members(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """Return energies (n_members, n_graphs) [eV] and forces (n_members, n_atoms, 3) [eV/A] of every member."""
        with torch.jit.optimized_execution(False):
            return predict_members(self.module.members, self._prepared(graph))

    def member_energies(self, graph: Graph) -> Tensor:
        """Return the energies (n_members, n_atoms) float64 [eV] of the atoms according to every member."""
        with torch.jit.optimized_execution(False), torch.no_grad():
            energies: Tensor = self.module.members(*self._prepared(graph).arguments)
        return energies.double()

    def _prepared(self, graph: Graph) -> Graph:
        """Return a graph on the model's device, in its number type and on its level of theory."""
        graph = graph.to(self.device, self.dtype)
        return replace(graph, head=torch.full_like(graph.head, self.head))


def load_model(
    path: str | Path, device: str = "auto", dtype: str = "model", head: str | None = None
) -> LoadedPotential:
    """Open an exported model.

    Args:
        path: file written by ``unnp export``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype: ``model`` (what the file holds), ``float32`` or ``float64``.
        head: name of the level of theory; None: the first.

    Raises:
        ModelError: as ``read_manifest``, the file needs another torch, or its network is not as its manifest says.
        UnnpError: the compiled part of unnp is not installed or was built for another torch.
        ConfigError: unknown or absent device, unknown dtype or head.
    """
    one_thread_in_forked_children()
    file = inspect(path)
    manifest, name = file.manifest, source_name(file.path)
    manifest.check_torch(torch.__version__, name)
    target = resolve_device(device)
    chosen = manifest.head(head)
    number_type = resolve_dtype(manifest.dtype if dtype == "model" else dtype)
    module = _open(file, target, name)
    _check_methods(module, name)
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    _check_dtype(module, resolve_dtype(manifest.dtype), name)
    _check_network(module, manifest, target, name)
    if number_type != resolve_dtype(manifest.dtype):
        _convert(module, number_type, name)
    return LoadedPotential(file.path, manifest, Elements(manifest.elements), module, target, number_type, chosen)


def _open(file: CheckedFile, device: torch.device, name: str) -> torch.jit.ScriptModule:
    """Open what was checked, whatever has become of the file meanwhile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            core().check_members(file.members, name)
            module: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(file.content), map_location=device)
        except UnnpError:
            raise
        except Exception as error:
            if str(error).startswith(name):
                raise ModelError(str(error)) from None
            raise ModelError(f"{name}: torch cannot open it ({_reason(error)}). Export or copy it again.") from None
    return module


def _check_network(module: torch.jit.ScriptModule, manifest: Manifest, device: torch.device, name: str) -> None:
    """Compare the network with its manifest by evaluating a few atoms, as LAMMPS does."""
    dtype = resolve_dtype(manifest.dtype)

    def run(
        method: str, species: bytes, index: bytes, vectors: bytes, head: int, n_updated: int, halo: int
    ) -> list[float]:
        s = torch.frombuffer(bytearray(species), dtype=torch.int64).to(device)
        i = torch.frombuffer(bytearray(index), dtype=torch.int64).view(2, -1).to(device)
        r = torch.frombuffer(bytearray(vectors), dtype=torch.float64).view(-1, 3).to(device, dtype)
        try:
            with torch.no_grad(), torch.jit.optimized_execution(False):
                energies = getattr(module, method)(s, i, r, torch.zeros_like(s), s.new_tensor([head]), n_updated, halo)
        except Exception as error:  # whatever its code does, the reason belongs on one line
            raise ModelError(f"{name}: its network cannot be run: {_reason(error)}") from None
        if not isinstance(energies, Tensor) or energies.dtype != torch.float64:
            raise ModelError(f"{name}: the network gives energies that are not float64. Export the model again.")
        return energies.flatten().tolist()

    try:
        core().check_network(manifest.to_json(), run, name)
    except RuntimeError as error:
        raise ModelError(str(error)) from None


def _check_dtype(module: torch.jit.ScriptModule, dtype: torch.dtype, name: str) -> None:
    for key, parameter in module.named_parameters():
        if parameter.is_floating_point() and parameter.dtype != dtype and not model_files().keeps_float64(key):
            raise ModelError(
                f"{name}: the manifest says dtype {str(dtype).removeprefix('torch.')}, but the parameters are of "
                "another. Export the model again."
            )


def _reason(error: Exception) -> str:
    return str(core().reason_of(str(error))) or type(error).__name__


def _convert(module: torch.jit.ScriptModule, dtype: torch.dtype, path: str) -> None:
    """Convert parameters and buffers in place, but for those that stay float64 in LAMMPS too."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    if not tensors:
        raise ModelError(f"{path} is frozen in its own number type; open it with dtype 'model', or export it again.")
    for name, tensor in tensors:
        if tensor.is_floating_point() and not model_files().keeps_float64(name):
            tensor.data = tensor.data.to(dtype)


def _check_methods(module: torch.jit.ScriptModule, path: str) -> None:
    missing = [name for name in ("forward", "members", "features", "outputs") if not hasattr(module, name)]
    if missing:
        raise ModelError(f"{path}: the module has no method {', '.join(missing)}; it was not written by unnp export.")
