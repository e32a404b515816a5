"""Relaxed crystals against published values, what goes wrong is said, references and the judge."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.io import write
from typer.testing import CliRunner
from unnp.adapters.labeller import LabellerCalculator
from unnp.cli import build_app
from unnp.errors import ConfigError, DataError, ModelError, UnnpError
from unnp.workflows.crystals.bonds import first_shell
from unnp.workflows.crystals.judge import compare, judge, numbers_of
from unnp.workflows.crystals.phases import phase_of, what_became
from unnp.workflows.crystals.prototypes import PROTOTYPES, CrystalSpec, build, parse_specs
from unnp.workflows.crystals.reference import given_crystals, load_reference
from unnp.workflows.crystals.relaxation import Crystal, Settings, relax_crystal, relax_crystals
from unnp.workflows.elastic import run as elastic
from unnp.workflows.relaxation.config import MinimiserConfig

EAM = {"kind": "lammps", "elements": ["Al"], "pair_style": "eam/fs", "pair_coeff": ["* * Al_mm.eam.fs Al"]}
PUBLISHED = {"fcc": (2.86, -3.411), "bcc": (2.80, -3.309), "hcp": (2.845, -3.383), "hcp@1.732": (2.82, -3.380)}
EXAMPLES = Path(__file__).parents[2] / "examples/crystals"
QUICK = Settings(curves=False)


@pytest.fixture(scope="module")
def aluminium() -> dict[str, Crystal]:
    """Return the default metallic crystals of aluminium by M. I. Mendelev et al., Philos. Mag. 88, 1723 (2008)."""
    specs = parse_specs(["fcc", "bcc", "hcp", "hcp@sqrt(3)"], ["Al"])
    return {crystal.spec.name: crystal for crystal in relax_crystals(specs, LabellerCalculator(EAM))}


def emt(*words: str, **settings) -> list[Crystal]:
    return relax_crystals(parse_specs(words, ["Al"]), EMT(), Settings(**{"curves": False, **settings}))


@pytest.mark.parametrize("kind", PUBLISHED)
def test_aluminium_eam_has_its_published_bonds_and_energies(kind: str, aluminium) -> None:
    """The paper's table of E. Jung, G. Lee, J. Choi, arXiv:2311.05407; hcp at c/a = sqrt(3) and fully relaxed."""
    crystal = aluminium[f"Al:{kind}"]
    bond, energy = PUBLISHED[kind]
    assert not crystal.problem
    assert crystal.numbers()["bond"] == pytest.approx(bond, abs=0.01)
    assert crystal.energy == pytest.approx(energy, abs=0.001)


def test_a_held_ratio_is_held_and_another_relaxes(aluminium) -> None:
    assert aluminium["Al:hcp@1.732"].c_over_a == pytest.approx(3**0.5, abs=1e-6)
    assert aluminium["Al:hcp"].c_over_a == pytest.approx(1.668, abs=0.002)
    assert aluminium["Al:hcp"].energy < aluminium["Al:hcp@1.732"].energy
    assert aluminium["Al:fcc"].c_over_a is None


def test_shortest_bond_and_first_shell(aluminium) -> None:
    """Six neighbours in the plane at a, and six at sqrt(a^2 / 3 + c^2 / 4)."""
    shell = aluminium["Al:hcp@1.732"].shell
    assert shell.neighbours == 12
    assert shell.mean == pytest.approx(shell.shortest * (1 + (1 / 3 + 3 / 4) ** 0.5) / 2, rel=1e-6)
    assert aluminium["Al:bcc"].shell.neighbours == 8


def test_the_equation_of_state_has_its_minimum_at_the_relaxed_crystal(aluminium) -> None:
    for crystal in aluminium.values():
        assert crystal.curve.volume == pytest.approx(crystal.volume, rel=2e-3)
        assert crystal.curve.energy == pytest.approx(crystal.energy, abs=2e-4)
    c11, c12 = 110, 61  # GPa, published
    assert aluminium["Al:fcc"].curve.bulk_modulus == pytest.approx((c11 + 2 * c12) / 3, rel=0.03)


@pytest.mark.parametrize("kind", [name for name, each in PROTOTYPES.items() if each.n_elements == 1])
def test_a_crystal_is_known_again_turned_repeated_and_shaken(kind: str) -> None:
    atoms = build(CrystalSpec("Cu", kind)) * (2, 1, 1)
    atoms.rotate(33, (1, 2, 3), rotate_cell=True)
    atoms.rattle(0.005, seed=1)
    assert phase_of(atoms) == kind


def test_stretched_hcp_is_none_of_the_ideal_crystals() -> None:
    assert phase_of(build(CrystalSpec("Al", "hcp", held=3**0.5))) is None


def tetragonal(ratio: float) -> Atoms:
    """Return bcc with another c/a, of the same volume."""
    atoms = bulk("Al", "bcc", a=3.2, cubic=True)
    atoms.set_cell(atoms.cell.array @ np.diag([ratio ** (-1 / 3)] * 2 + [ratio ** (2 / 3)]), scale_atoms=True)
    return atoms


def test_what_a_crystal_became_is_said() -> None:
    spec, start = CrystalSpec("Al", "bcc"), tetragonal(1.0)
    assert what_became(spec, start, tetragonal(1.005)) == ""
    assert what_became(spec, start, tetragonal(2**0.5)) == "it became fcc"
    assert "no longer bcc" in what_became(spec, start, tetragonal(1.15))
    small = start.copy()
    small.set_cell(0.8 * small.cell, scale_atoms=True)
    assert "left its minimum, from 16.38 to 8.389 A^3/atom" in what_became(spec, start, small)
    moved = start.copy()
    moved.positions[0, 0] += 0.3
    assert "no longer bcc" in what_became(spec, start, moved)


def test_a_given_crystal_that_relaxes_into_another_is_marked() -> None:
    spec = CrystalSpec("Al", "tetragonal", given=tetragonal(1.3))
    found = relax_crystal(spec, LabellerCalculator(EAM), Settings())
    assert found.problem == "it became fcc"
    assert found.energy == pytest.approx(-3.4107, abs=1e-4)
    assert found.curve is None


def test_shaken_an_unstable_crystal_falls_and_a_stable_one_does_not() -> None:
    simple, close = emt("sc", "fcc", shake=0.03)
    assert simple.problem.startswith(("it became", "it is no longer"))
    assert not close.problem
    assert close.energy == pytest.approx(emt("fcc")[0].energy, abs=1e-5)


def test_what_does_not_come_to_rest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "SEARCH", MinimiserConfig(max_force=1e-4, max_steps=1))
    (found,) = [relax_crystal(spec, EMT(), QUICK) for spec in parse_specs(["fcc"], ["Cu"])]
    assert "no minimum within 1 steps" in found.problem
    assert found.numbers() == {}


class Repulsion(Calculator):
    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        n = len(atoms)
        energy = n * (n / atoms.get_volume())
        self.results = {"energy": energy, "forces": np.zeros((n, 3)), "stress": np.zeros(6)}


class OnlySimpleCubic(EMT):
    """Fails for every crystal but those of one atom."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        if len(atoms) > 1:
            raise DataError("too many atoms.")
        super().calculate(atoms, properties, system_changes)


def test_a_potential_without_a_minimum_or_that_fails_is_told() -> None:
    with pytest.raises(
        ModelError, match=r"none of 2 crystals .* Cu:fcc: the energy has no minimum at bonds between 2.04"
    ):
        relax_crystals(parse_specs(["fcc", "bcc"], ["Cu"]), Repulsion())
    failed, found = relax_crystals(parse_specs(["fcc", "sc"], ["Cu"]), OnlySimpleCubic(), QUICK)
    assert failed.problem == "too many atoms."
    assert found.energy is not None


def test_elements_lie_on_the_sites_that_the_formula_says() -> None:
    (spec,) = parse_specs(["AlNi3:L1_2"], [])
    atoms = build(spec)
    assert sorted(atoms.get_chemical_symbols()) == ["Al", "Ni", "Ni", "Ni"]
    assert first_shell(atoms).neighbours == 12
    found = relax_crystal(spec, EMT(), QUICK)
    assert not found.problem
    assert 2.4 < found.shell.shortest < 2.7


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fc", "unknown prototype 'fc'.*Did you mean 'fcc'"),
        ("fcc@1.2", "cubic and has no c/a"),
        ("hcp@sqrt(8/0)", "between 0.1 and 10"),
        ("hcp@x", "not understood"),
        ("", "not understood"),
        ("B2", "two kinds of sites"),
        ("Ni2Al:B2", "does not fit B2, which takes 1 : 1"),
        ("NiAl:fcc", "takes one element"),
        ("Al2x:fcc", "no chemical formula"),
        ("Alu:fcc", "not a chemical symbol|no chemical formula"),
    ],
)
def test_words_that_ask_for_no_crystal_are_explained(word: str, message: str) -> None:
    with pytest.raises(UnnpError, match=message):
        parse_specs([word], ["Al"])
    with pytest.raises(ConfigError, match="give them"):
        parse_specs(["fcc"], [])


def made(kind: str, energy: float, bond: float = 2.8, problem: str = "") -> Crystal:
    (spec,) = parse_specs([f"Al:{kind}"], [])
    return Crystal(spec, build(spec), energy, first_shell(build(spec, bond)), problem=problem)


REFERENCE = {"Al:fcc": {"energy": -3.0, "bond": 2.8}, "Al:bcc": {"energy": -2.9}, "Al:sc": {"energy": -2.5}}


def test_the_judge_sees_differences_and_the_order() -> None:
    right = compare([made("fcc", -2.0), made("bcc", -1.88), made("hcp", -1.9)], REFERENCE)
    assert right.order_is_right
    assert right.orders == {"Al": ["Al:fcc", "Al:bcc"]}
    assert right.largest("energy") == pytest.approx(1.02)
    assert right.differences["Al:bcc"]["above_lowest"] == pytest.approx(0.02)
    assert right.largest("bond") == pytest.approx(0, abs=1e-9)
    assert np.isnan(right.largest("bulk_modulus"))
    assert not compare([made("fcc", -2.0), made("bcc", -2.1)], REFERENCE).order_is_right


def test_the_judge_does_not_pass_what_went_wrong() -> None:
    found = compare([made("fcc", -3.0), made("bcc", -2.9, problem="it became fcc")], REFERENCE)
    assert not found.order_is_right
    assert found.largest("energy") == np.inf
    assert found.problems == {"Al:bcc": "it became fcc"}
    assert list(found.differences) == ["Al:fcc"]


def test_a_potential_agrees_with_itself() -> None:
    specs = parse_specs(["fcc", "sc"], ["Cu"])
    found = judge(specs, EMT(), numbers_of(relax_crystals(specs, EMT(), QUICK)))
    assert found.order_is_right
    assert found.largest("energy") < 1e-9


def test_tables_of_all_kinds_say_the_same(tmp_path: Path) -> None:
    specs = parse_specs(["fcc", "hcp@sqrt(3)"], ["Al"])
    expected = {"Al:fcc": {"energy": -3.411, "bond": 2.86}, "Al:hcp@1.732": {"energy": -3.38}}
    (tmp_path / "a.yaml").write_text(
        '{"Al:fcc": {energy: -3.411, bond: 2.86}, hcp@1.732: {energy: -3.38}, sc: {bond: 3}}'
    )
    (tmp_path / "a.csv").write_text("crystal,energy,bond\nfcc,-3.411,2.86\nhcp@sqrt(3),-3.38,\n")
    crystals = {name: {"numbers": numbers, "problem": ""} for name, numbers in expected.items()}
    crystals["Al:sc"] = {"numbers": {}, "problem": "it became fcc"}
    (tmp_path / "a.json").write_text(json.dumps({"crystals": crystals}))
    for name in ("a.yaml", "a.csv", "a.json"):
        assert load_reference(tmp_path / name, specs) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "{fcc: {enrgy: -3}}", "unknown key. Did you mean 'energy'"),
        ("a.yaml", "{fcc: -3}", "give numbers by name"),
        ("a.yaml", "{fc: {energy: -3}}", "unknown prototype"),
        ("a.yaml", "{bcc: {energy: -3}}", "none of the crystals asked for"),
        ("a.yaml", "{fcc: {bond: -3}}", "greater than 0"),
        ("a.csv", "energy,bond\n1,2\n", "headings"),
        ("a.csv", "crystal,energy\nfcc,1,2\n", "headings"),
        ("a.csv", "crystal,energy\nfcc,low\n", "valid number"),
        ("a.csv", b"\xff\xfe\x00", "cannot read"),
        ("a.json", "{}", "no crystals.json"),
        ("a.json", "[", "no crystals.json"),
    ],
)
def test_bad_tables_are_explained(name: str, text: str | bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=message):
        load_reference(tmp_path / name, parse_specs(["fcc"], ["Al"]))


def test_a_name_without_element_is_refused_where_there_are_several(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{fcc: {energy: -3}}")
    with pytest.raises(ConfigError, match="of which element"):
        load_reference(tmp_path / "a.yaml", parse_specs(["fcc"], ["Al", "Cu"]))


def test_given_crystals_have_the_names_of_their_files(tmp_path: Path) -> None:
    write(tmp_path / "odd $name.cif", bulk("Cu"))
    write(tmp_path / "fcc.cif", bulk("Cu"))
    (spec,) = given_crystals([tmp_path / "odd $name.cif"])
    assert spec.name == "Cu:odd__name"
    with pytest.raises(ConfigError, match="another name"):
        given_crystals([tmp_path / "fcc.cif"])
    with pytest.raises(DataError, match="does not exist"):
        given_crystals([tmp_path / "missing.cif"])


def run(*words) -> tuple[str, dict]:
    result = CliRunner().invoke(build_app(), ["crystals", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output, json.loads((words[-1] / "crystals.json").read_text())


def test_unnp_crystals_compares_two_potentials_and_keeps_all(tmp_path: Path) -> None:
    (tmp_path / "emt.yaml").write_text("{kind: ase, name: emt}")
    words = (
        tmp_path / "emt.yaml",
        "--reference",
        EXAMPLES / "al-eam.yaml",
        "--element",
        "Al",
        "-x",
        "fcc",
        "-x",
        "bcc",
    )
    output, content = run(*words, "-o", tmp_path / "out")
    assert "Al: fcc < bcc" in output
    assert content["orders"] == {"Al": ["Al:fcc", "Al:bcc"]}
    assert content["reference"]["order_is_right"] is True
    assert content["reference"]["numbers"]["Al:fcc"]["energy"] == pytest.approx(-3.4107, abs=1e-4)
    assert content["crystals"]["Al:fcc"]["numbers"]["bond"] == pytest.approx(3.994 / 2**0.5, abs=0.002)
    with (tmp_path / "out/equations-of-state.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["potential"], row["crystal"]) for row in rows} == {
        (potential, crystal) for potential in ("emt", "al-eam") for crystal in ("Al:fcc", "Al:bcc")
    }
    assert (tmp_path / "out/equations-of-state.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out/crystals.extxyz").read_text().count("group=") == 2


def test_unnp_crystals_runs_an_exported_model_against_a_table(tmp_path: Path, small_model: Path) -> None:
    (tmp_path / "table.yaml").write_text("{fcc: {energy: -5.0, bond: 0.9}}")
    words = ("--bond", 0.85, "-x", "fcc", "--element", "Al", "--no-curves", "--reference", tmp_path / "table.yaml")
    output, content = run(small_model, *words, "-o", tmp_path / "out")
    numbers = content["crystals"]["Al:fcc"]["numbers"]
    assert content["reference"]["differences"]["Al:fcc"]["bond"] == pytest.approx(numbers["bond"] - 0.9)
    assert "deviations from the reference" in output


def test_unnp_crystals_looks_at_its_output_before_it_computes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere/at/all")
    for place in ("file", "file/o", "dangling"):
        words = ["crystals", str(EXAMPLES / "al-eam.yaml"), "-x", "fcc", "-o", str(tmp_path / place)]
        with pytest.raises(UnnpError, match="cannot write"):
            CliRunner().invoke(build_app(), words, catch_exceptions=False)


def test_the_example_is_what_the_page_says(tmp_path: Path) -> None:
    assert yaml.safe_load((EXAMPLES / "al-eam.yaml").read_text()) == EAM
    specs = parse_specs(["fcc", "bcc", "hcp", "hcp@sqrt(3)"], ["Al"])
    table = load_reference(EXAMPLES / "al.csv", specs)
    assert {name: (numbers["bond"], numbers["energy"]) for name, numbers in table.items()} == {
        f"Al:{kind}": values for kind, values in PUBLISHED.items()
    }
