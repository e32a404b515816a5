"""Uncertainty of a single model, from how far the features of an atom are from those of the training data.

The energy of an atom is nearly linear in the last features ``x`` of a network. Linear regression on the atoms of the training
data leaves their weights with the covariance of the posterior, so that an energy ``w . x`` has the variance

    sigma^2 = s^2 x^T C^-1 x,    C = sum_train x x^T + lambda 1

(last-layer prediction rigidity: F. Bigi, S. Chong, M. Ceriotti, F. Grasselli, Mach. Learn.: Sci. Technol. 5, 045018 (2024),
arXiv:2403.02251). Here ``x`` are the features that an exported model gives, one layer before the energies' own last one, and
the sum runs over atoms, not over structures: forces fix the energies of atoms and not their sums alone. For the energy per
atom of a structure ``x`` is the mean over its atoms.

``s`` is found on a validation set, as that of a committee is. That of the forces relates the error of the force on an atom to
the deviation of its energy: a scale for ranking and thresholds, not the variance of the derivative.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset
from unnp.data.progress import counting
from unnp.errors import ModelError, in_one_line
from unnp.evaluate.calibration import UNITS, estimates, residuals_of, scales_of
from unnp.evaluate.evaluation import Limits, batches
from unnp.exported.deviation import Uncertain
from unnp.exported.loader import LoadedPotential
from unnp.files.writing import make_folder, write_atomically

FORMAT = "unnp-last-layer"
REGULARISATION = 1e-6
"""lambda over the mean of the diagonal of ``sum x x^T``: far above the rounding of float32 features."""


@dataclass(frozen=True)
class LastLayer:
    """What the training data leave open about a model.

    Attributes:
        factor: (n_features, n_features) float64, lower triangle L of Cholesky's ``C = L L^T``.
        scales: s of ``energy`` [eV/atom] and ``forces`` [eV/A]; without one of them, that deviation is NaN.
        weights: checksum of the model's weights that it belongs to.
    """

    factor: Tensor
    scales: Mapping[str, float]
    weights: str

    def rigidity(self, features: Tensor) -> Tensor:
        """Return ``sqrt(x^T C^-1 x)`` (n,) of rows x of features (n, n_features)."""
        factor = self.factor.to(features.device)
        return torch.linalg.solve_triangular(factor, features.double().T, upper=False).norm(dim=0)

    def deviation(self, potential: LoadedPotential, graph: Graph) -> Uncertain:
        """Return the prediction of the model and its deviations; arguments as of ``committee_deviation``.

        Raises:
            ModelError: the model has other weights.
        """
        self.check(potential)
        prediction, features = potential.predict(graph), potential.features(graph).double()
        owner = graph.atom_graph.to(features.device)
        n_atoms = torch.bincount(owner, minlength=graph.n_graphs).clamp(min=1).view(-1, 1)
        means = features.new_zeros(graph.n_graphs, features.shape[1]).index_add(0, owner, features) / n_atoms
        of_energy, of_forces = (self.scales.get(name, math.nan) for name in UNITS)
        assert prediction.forces is not None
        return Uncertain(
            prediction.energy, prediction.forces, of_energy * self.rigidity(means), of_forces * self.rigidity(features)
        )

    def check(self, potential: LoadedPotential) -> None:
        """Raise ModelError where a model is another than the one this belongs to."""
        if checksum_of_weights(potential) != self.weights:
            raise ModelError(
                f"{potential.path} has other weights than the model whose last layer this is. Make it for this model with "
                "`unnp last-layer`."
            )

    def save(self, path: Path) -> None:
        """Write it as a safetensors file; raise UnnpError where that is not possible."""
        head = {"format": FORMAT, "format_version": 1, "scales": dict(self.scales), "weights": self.weights}
        make_folder(path.parent)
        write_atomically(path, save({"factor": self.factor.cpu().contiguous()}, metadata={"unnp": json.dumps(head)}))


def fit_last_layer(
    potential: LoadedPotential,
    training: Sequence[Structure],
    validation: Sequence[Structure],
    *,
    regularisation: float = REGULARISATION,
    limits: Limits | None = None,
) -> LastLayer:
    """Return the last layer of a model, with factors found on a validation set.

    Args:
        potential: exported model; the features of the members of a committee stand side by side.
        training: the structures it was trained on; their labels are not looked at.
        validation: labelled structures that it was not trained on.
        regularisation: lambda over the mean of the diagonal of ``sum x x^T``.
        limits: of a batch.

    Raises:
        ModelError: the model has no features, or a structure has an element it does not know.
        DataError: too few labels.
    """
    plain = plain_last_layer(potential, training, regularisation=regularisation, limits=limits)
    return with_factors(plain, potential, validation, limits)


def with_factors(
    plain: LastLayer, potential: LoadedPotential, validation: Sequence[Structure], limits: Limits | None = None
) -> LastLayer:
    """Return a last layer whose factors were 1 with those found on a validation set.

    Raises:
        DataError: too few labels.
        ModelError: the errors vanish, or a structure has an element that the model does not know.
    """
    results = estimates(potential, validation, lambda graph: plain.deviation(potential, graph), limits)
    return replace(plain, scales=scales_of(residuals_of(results)))


def plain_last_layer(
    potential: LoadedPotential,
    training: Sequence[Structure],
    *,
    regularisation: float = REGULARISATION,
    limits: Limits | None = None,
) -> LastLayer:
    """Return the last layer of a model with factors of 1, which ranks atoms; arguments and errors as of ``fit_last_layer``."""
    sums = _sums(potential, training, limits or Limits())
    size = sums.shape[0]
    level = regularisation * float(sums.diagonal().mean()) if size else 0.0
    if not level > 0 or not math.isfinite(level):
        raise ModelError(f"{potential.path} has no features that say anything of the training structures.")
    factor = torch.linalg.cholesky(sums + level * torch.eye(size, dtype=torch.float64))
    return LastLayer(factor, dict.fromkeys(UNITS, 1.0), checksum_of_weights(potential))


def load_last_layer(path: Path) -> LastLayer:
    """Read a file of ``LastLayer.save``; raise ModelError where it is missing, damaged or something else."""
    if not path.is_file():
        raise ModelError(f"{path} is no file; give one written by `unnp last-layer`.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            head, factor = json.loads((file.metadata() or {})["unnp"]), file.get_tensor("factor")
        if head["format"] != FORMAT or head["format_version"] != 1:
            raise ValueError("it has another format")
        scales = {name: head["scales"][name] for name in UNITS if name in head["scales"]}
        if not scales or not all(type(scale) is float and 0 < scale < math.inf for scale in scales.values()):
            raise ValueError("its factors are no positive numbers")
        square = factor.dim() == 2 and factor.shape[0] == factor.shape[1] and factor.dtype == torch.float64
        if not square or not bool(torch.isfinite(factor).all()) or not bool((factor.diagonal() > 0).all()):
            raise ValueError("its matrix is no Cholesky factor")
    except Exception as error:  # a damaged header makes safetensors raise almost anything
        raise ModelError(
            f"{path} is no last layer of a model ({in_one_line(error)}); write it again with `unnp last-layer`."
        ) from None
    return LastLayer(factor, scales, str(head["weights"]))


def checksum_of_weights(potential: LoadedPotential) -> str:
    """Return the SHA-256 of all parameters and buffers in float32, the same for a model in any number type."""
    digest = hashlib.sha256()
    for name, tensor in sorted(potential.module.state_dict().items()):
        values = tensor.detach().cpu()
        values = values.float() if values.is_floating_point() else values
        digest.update(f"\0{name}\0{list(values.shape)}\0".encode())
        digest.update(values.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _sums(potential: LoadedPotential, structures: Sequence[Structure], limits: Limits) -> Tensor:
    """Return ``sum x x^T`` (n_features, n_features) float64 over all atoms, on the CPU."""
    size = math.prod(potential.manifest.output("features").shape)
    sums = torch.zeros(size, size, dtype=torch.float64)
    dataset = Dataset(structures, potential.elements, potential.cutoff, cache_bytes=0)
    with counting("features", len(dataset)) as advance:
        for indices, batch in batches(dataset, potential.manifest.cost, limits):
            features = potential.features(batch.graph).double()
            sums += (features.T @ features).cpu()
            for _ in indices:
                advance()
    return sums
