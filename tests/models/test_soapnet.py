"""SOAPNet's power spectrum is the published one: equal to that of DScribe, and to sums written out with scipy's harmonics."""

import math
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list
from scipy.integrate import quad
from scipy.special import sph_harm_y, spherical_in
from torch import Tensor, nn
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.models import Head, PotentialConfig, TrainingData, build_potential
from unnp.models.architectures.soapnet import SOAPNet, SOAPNetConfig
from unnp.models.checkpoint import number_type
from unnp.nn.orbitals import GaussianOrbitals, orbitals
from unnp.nn.system import System

CUTOFF, SYMBOLS = 4.5, ["O", "Al", "Ni"]
SETTINGS = {"cutoff": CUTOFF, "n_max": 8, "l_max": 6, "features": 10, "layers": 2, "channels": None}


class OfDScribe(nn.Module):
    """DScribe's cutoff function ``poly`` with c = 1 and m = 1."""

    def forward(self, distance: Tensor) -> Tensor:
        x = distance / CUTOFF
        return 1.0 + 2.0 * x**3 - 3.0 * x**2


def random_structure(seed: int) -> Structure:
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3.5, 6.5, 3)) + rng.uniform(-0.8, 0.8, (3, 3))
    return Structure(rng.choice([28, 13, 8], 7), rng.uniform(0, 1, (7, 3)) @ cell, cell, np.ones(3, dtype=bool))


def network(graphs: tuple[Graph, ...] = (), dtype: str = "float64", **settings: object) -> SOAPNet:
    torch.manual_seed(0)
    with number_type(dtype):
        config = PotentialConfig(architecture="soapnet", settings={**SETTINGS, **settings})
        potential = build_potential(
            config, SYMBOLS, [Head(1.0, dict.fromkeys(SYMBOLS, 0.0))], TrainingData(30.0, graphs)
        )
    assert isinstance(potential.representation, SOAPNet)
    return potential.representation


def graph_of(structure: Structure) -> Graph:
    return Graph.of(structure, Elements(SYMBOLS), CUTOFF)


def system_of(graph: Graph) -> System:
    return System(*graph.arguments[:4], graph.n_graphs, graph.n_atoms, 0)


@pytest.mark.parametrize("sigma", [0.5, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_power_spectrum_of_dscribe(seed: int, sigma: float) -> None:
    descriptors = pytest.importorskip("dscribe.descriptors", reason="needs dscribe (make parity)", exc_type=ImportError)
    weighting = {"function": "poly", "r0": CUTOFF, "c": 1, "m": 1}
    soap = descriptors.SOAP(
        species=SYMBOLS, r_cut=CUTOFF, n_max=8, l_max=6, sigma=sigma, periodic=True, weighting=weighting
    )
    structure, ours = random_structure(seed), network(sigma=sigma)
    ours.density.envelope = OfDScribe()
    expected = soap.create(structure.to_atoms())
    found = ours.power_spectrum(system_of(graph_of(structure))).detach().numpy().reshape(7, 7, -1)
    rows, columns = np.triu_indices(24)
    products = np.zeros((7, 7, 24, 24))
    products[:, :, rows, columns] = products[:, :, columns, rows] = found
    for a, b in combinations_with_replacement(range(3), 2):
        block = products[:, :, 8 * a : 8 * a + 8, 8 * b : 8 * b + 8]
        of_pair = block[:, :, *np.triu_indices(8)] if a == b else block.reshape(7, 7, 64)
        reference = expected[:, soap.get_location((SYMBOLS[a], SYMBOLS[b]))]
        assert np.abs(reference).max() > 0.01
        np.testing.assert_allclose(of_pair.reshape(7, -1), reference, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("channels", [1, 2])
def test_mixed_elements_against_sums_with_harmonics_of_scipy(channels: int) -> None:
    structure, ours = random_structure(5), network(channels=channels)
    graph = graph_of(structure)
    weights, species = ours.weights.detach().numpy(), graph.species.numpy()
    i, j, r, vector = neighbor_list("ijdD", structure.to_atoms(), CUTOFF)
    theta, phi = np.arccos(vector[:, 2] / r), np.arctan2(vector[:, 1], vector[:, 0])
    envelope = ours.density.envelope(torch.from_numpy(r)).numpy()
    spectra = []
    for l in range(7):  # noqa: E741
        harmonics = sph_harm_y(l, np.arange(-l, l + 1), theta[:, None], phi[:, None])
        of_bonds = weights[species[j], :, None] * (envelope[:, None] * orbitals(l, 8, CUTOFF, 0.5, r))[:, None]
        c = np.zeros((7, channels * 8, 2 * l + 1), dtype=complex)
        np.add.at(c, i, of_bonds.reshape(len(i), -1, 1) * harmonics[:, None])
        if l == 0:
            own = weights[species, :, None] * orbitals(0, 8, CUTOFF, 0.5, np.zeros(1))
            c[:, :, 0] += own.reshape(7, -1) / math.sqrt(4 * math.pi)
        products = math.pi * math.sqrt(8 / (2 * l + 1)) * np.einsum("iam,ibm->iab", c, c.conj())
        spectra.append(products.real[:, *np.triu_indices(channels * 8)])
    expected = np.concatenate(spectra, axis=1)
    found = ours.power_spectrum(system_of(graph)).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("degree", [0, 1, 4])
def test_radial_functions_are_the_integrals(degree: int) -> None:
    """The coefficient is an integral over the orbital and the atom's Gaussian, whose angular part is a Bessel function."""
    sigma, n_max, r = 0.6, 3, 1.9
    where = np.linspace(1.0, CUTOFF, n_max)
    exponent = np.log(1e3 * where**degree) / where**2

    def primitive(s: float, k: int) -> float:
        return float(s**degree * np.exp(-exponent[k] * s * s))

    def of_atom(s: float) -> float:
        bessel = spherical_in(degree, r * s / sigma**2) * math.exp(-r * s / sigma**2)
        return float(4 * math.pi * math.exp(-((r - s) ** 2) / (2 * sigma**2)) * bessel * s * s)

    options = {"epsabs": 1e-13, "epsrel": 1e-12}
    overlap = np.array(
        [
            [
                quad(lambda s, a=a, b=b: primitive(s, a) * primitive(s, b) * s * s, 0, 30, **options)[0]
                for b in range(n_max)
            ]
            for a in range(n_max)
        ]
    )
    raw = np.array([quad(lambda s, k=k: primitive(s, k) * of_atom(s), 0, 30, **options)[0] for k in range(n_max)])
    values, vectors = np.linalg.eigh(overlap)
    expected = vectors @ np.diag(values**-0.5) @ vectors.T @ raw
    np.testing.assert_allclose(orbitals(degree, n_max, CUTOFF, sigma, np.array([r]))[0], expected, rtol=1e-8)


@pytest.mark.parametrize(("cutoff", "sigma"), [(5.0, 0.5), (5.0, 1.0), (10.0, 0.3), (5.0, 0.1), (2.0, 0.5)])
def test_series_is_the_sum(cutoff: float, sigma: float) -> None:
    r = np.linspace(0, cutoff, 301)
    expected = np.stack([orbitals(degree, 8, cutoff, sigma, r) for degree in range(7)], axis=1)
    for dtype, error in (("float64", 1e-10), ("float32", 1e-5)):
        with number_type(dtype):
            found = GaussianOrbitals(8, 6, cutoff, sigma)(torch.tensor(r.tolist()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=error * np.abs(expected).max())


def test_standardized_spectrum() -> None:
    graphs = tuple(graph_of(random_structure(seed)) for seed in range(4))
    ours = network(graphs, channels=2)
    x = ours.standardization(ours.power_spectrum(system_of(Graph.batch(list(graphs))))).detach()
    deviation = x.std(0, correction=0)
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-9)
    assert float(deviation.max()) < 1 + 1e-9
    assert float((deviation > 1 - 1e-9).double().mean()) > 0.3
    assert torch.equal(
        network(graphs, standardize=False).standardization.factor, torch.ones(7 * 300, dtype=torch.float64)
    )


def test_standardization_of_a_crystal_stays_finite() -> None:
    cell = 1.8 * (np.ones((3, 3)) - np.eye(3))
    graph = graph_of(Structure(np.array([28]), np.zeros((1, 3)), cell, np.ones(3, dtype=bool)))
    ours = network((graph,))
    assert torch.isfinite(ours.standardization.factor).all()
    assert float(ours.standardization(ours.power_spectrum(system_of(graph))).abs().max()) < 1e-9


@pytest.mark.parametrize("settings", [{"cutoff": 2.0, "n_max": 10}, {"cutoff": 12.0, "l_max": 10}])
def test_radial_functions_that_cannot_be_told_apart_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cannot be told apart"):
        SOAPNetConfig.model_validate(settings)
    SOAPNetConfig.model_validate({"cutoff": 7.0})  # that of aluminium, as published
