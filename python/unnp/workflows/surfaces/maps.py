"""Where in the space of structures a potential errs: kernel PCA of the slabs, by the features of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from unnp.atoms.structure import Structure
from unnp.data.dataset import Dataset
from unnp.errors import ConfigError
from unnp.evaluate.feature_space import mean_features
from unnp.exported.loader import LoadedPotential, load_model
from unnp.workflows.surfaces.errors import Pair
from unnp.workflows.surfaces.lattice import lattice_of
from unnp.workflows.surfaces.map_figure import draw_places
from unnp.workflows.surfaces.planes import cut
from unnp.workflows.surfaces.slabs import Slab

ZETA = 2
"""Power of the kernel."""
_TINY = float(np.finfo(float).tiny)


def open_features(path: Path, device: str, slabs: Sequence[Slab]) -> LoadedPotential:
    """Return a model that knows all elements of the slabs.

    Raises:
        ConfigError: it does not.
        ModelError: the file is no exported model.
    """
    model = load_model(path, device)
    symbols = {symbol for slab in slabs for symbol in slab.crystal.get_chemical_symbols()}
    if strange := sorted(symbols - set(model.elements.symbols)):
        raise ConfigError(
            f"features: {path} does not know {', '.join(strange)}; name a model of all elements, or null."
        )
    return model


def features_of_slabs(model: LoadedPotential, slabs: Sequence[Slab]) -> np.ndarray:
    """Return the features of the slabs, means over their atoms (n_slabs, n_features).

    Slabs that each potential makes of its own crystal are taken as they are cut from the crystal to begin with.
    """
    return features_of(model, [Structure.from_atoms(_atoms(slab)) for slab in slabs])


def features_of(model: LoadedPotential, structures: Sequence[Structure]) -> np.ndarray:
    """Return the features of structures, means over their atoms (n_structures, n_features)."""
    dataset = Dataset(structures, model.elements, model.cutoff, cache_bytes=0)
    return mean_features(model.features, dataset, model.manifest.cost)


def kernel(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the average kernel K (n, n_others) of ``kernel_pca`` between structures, by their mean features."""
    one, other = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), _TINY) for each in (features, others))
    return np.asarray((one @ other.T) ** ZETA)


def kernel_pca(features: np.ndarray, n: int = 2) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the first principal components of structures and their shares of the variance.

    With the average kernel of S. De et al., Phys. Chem. Chem. Phys. 18, 13754 (2016),

    .. math:: K_{ab} = \left( \frac{p_a \cdot p_b}{|p_a| |p_b|} \right)^{\zeta}, \qquad \zeta = 2,

    centred in the space of its features; B. Schoelkopf et al., Neural Comput. 10, 1299 (1998).

    Args:
        features: p, (n_structures, n_features), means over atoms.
        n: components.

    Returns:
        Components (n_structures, n), each with the sign that makes its largest entry positive, and their shares (n,).
    """
    products = kernel(features, features)
    centred = products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()
    values, vectors = np.linalg.eigh(centred)
    values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
    components = np.zeros((len(features), n))
    kept = min(n, len(values))
    components[:, :kept] = vectors[:, :kept] * np.sqrt(values[:kept])
    largest = components[np.abs(components).argmax(axis=0), np.arange(n)]
    shares = np.zeros(n)
    shares[:kept] = values[:kept] / max(values.sum(), _TINY)
    return components * np.where(largest < 0, -1.0, 1.0), shares


def draw_map(path: Path, slabs: Sequence[Slab], features: np.ndarray, found: Sequence[Pair]) -> None:
    """Draw the slabs in two components, coloured by the error of the surface energy, marked by the crystal's lattice.

    Args:
        path: PNG to write.
        slabs: all of them.
        features: (n_slabs, n_features), means over atoms.
        found: what is compared with the reference.
    """
    places, shares = kernel_pca(features)
    errors = [pair for pair in found if pair.quantity == "gamma"]
    lattices = {slab.name: lattice_of(slab.crystal) for slab in slabs}
    draw_places(
        path, errors, {slab.name: place for slab, place in zip(slabs, places, strict=True)}, lattices, shares.tolist()
    )


def _atoms(slab: Slab) -> Atoms:
    if slab.atoms is not None:
        return slab.atoms
    assert slab.made is not None
    assert slab.plane is not None
    return cut(slab.crystal, slab.plane, slab.made.thickness, slab.made.vacuum)
