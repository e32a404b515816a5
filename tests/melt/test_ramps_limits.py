"""Labels, limits and the estimate of a ramp, on bins made up by a simple rule."""

from __future__ import annotations

import numpy as np
import pytest
from unnp.errors import LammpsError
from unnp.workflows.ramp.bins import Bin, read_rdf
from unnp.workflows.ramp.limits import label, melting_estimate, phases, superheating_limit, undercooling_limit
from unnp.workflows.ramp.report import summarise

HEATING = np.arange(300, 1400, 50.0)
COOLING = HEATING[::-1]


def make_bin(leg: str, temperature: float, solid: float, msd: float, step: int = 0) -> Bin:
    """Crystals and liquids with enthalpies and volumes that are lines, 0.1 eV and 1 A^3 apart."""
    disordered = solid < 0.5
    return Bin(
        leg=leg,
        first_step=step,
        duration=2.0,
        target=temperature,
        temperature=temperature,
        volume=17.0 + 1e-3 * temperature + disordered,
        enthalpy=-3.4 + 3e-4 * temperature + 0.1 * disordered,
        potential_energy=-3.5,
        msd=msd,
        diffusion=0.0,
        neighbour_distance=2.9,
        solid=solid,
        fcc=solid,
        hcp=0.0,
        bcc=0.0,
        other=1 - solid,
    )


def ramp(melts: float, freezes: float, glass_below: float = 0.0) -> list[Bin]:
    heating = [make_bin("heating", t, 0.98 if t < melts else 0.02, 0.2 if t < melts else 6.0) for t in HEATING]
    cooling = [
        make_bin("cooling", t, 0.97 if t < freezes else 0.02, 0.2 if t < max(freezes, glass_below) else 6.0)
        for t in COOLING
    ]
    return [Bin(**{**vars(part), "first_step": 100 * k}) for k, part in enumerate([*heating, *cooling])]


def test_limits_jumps_and_estimate() -> None:
    bins = ramp(melts=1180, freezes=620)
    heated, cooled = superheating_limit(bins), undercooling_limit(bins)
    assert (heated.temperature, heated.error) == (1175, 25)
    assert (cooled.temperature, cooled.error) == (625, 25)
    for limit in (heated, cooled):
        assert limit.enthalpy_jump == pytest.approx(0.1)
        assert limit.volume_jump == pytest.approx(1.0)
    estimate, worth = melting_estimate(heated, cooled)
    assert estimate == pytest.approx(1175 + 625 - np.sqrt(1175 * 625))
    assert "estimate" in worth
    assert [(phase.leg, phase.label) for phase in phases(bins)] == [
        ("heating", "crystal"),
        ("heating", "liquid"),
        ("cooling", "liquid"),
        ("cooling", "crystal"),
    ]


def test_a_melt_that_stays_disordered_is_a_glass_or_a_liquid() -> None:
    for glass_below, word in ((500.0, "glass"), (0.0, "liquid")):
        bins = ramp(melts=1180, freezes=0, glass_below=glass_below)
        cooled = undercooling_limit(bins)
        assert cooled.temperature is None
        assert f"none seen: {word} at 300 K" in cooled.reason
        estimate, worth = melting_estimate(superheating_limit(bins), cooled)
        assert estimate is None
        assert "undercooling was not seen" in worth


def test_a_melt_that_crystallises_in_part_gives_no_limit() -> None:
    bins = ramp(melts=1180, freezes=0)
    bins[-1] = make_bin("cooling", 300, 0.3, 0.3, bins[-1].first_step)
    cooled = undercooling_limit(bins)
    assert cooled.temperature is None
    assert "only in part: partly crystalline at 300 K" in cooled.reason
    assert melting_estimate(superheating_limit(bins), cooled)[0] is None


def test_a_crystal_that_does_not_melt_gives_no_limit() -> None:
    bins = ramp(melts=9999, freezes=9999)
    assert "did not melt up to 1350 K" in superheating_limit(bins).reason
    assert "began with a crystal, not a liquid" in undercooling_limit(bins).reason
    assert "superheating and undercooling" in melting_estimate(superheating_limit(bins), undercooling_limit(bins))[1]


def test_a_start_that_is_no_crystal_and_a_ramp_that_has_not_begun() -> None:
    assert "began with a liquid, not a crystal" in superheating_limit([make_bin("heating", 300, 0.05, 9.0)]).reason
    assert superheating_limit([]).temperature is None
    assert undercooling_limit([]).temperature is None


def test_a_crystal_that_comes_and_goes_counts_when_it_has_melted_for_good() -> None:
    solids = [0.99, 0.99, 0.99, 0.3, 0.8, 0.1, 0.02, 0.02]
    bins = [make_bin("heating", 1000 + 10 * k, s, 6.0 if s < 0.2 else 0.3, k) for k, s in enumerate(solids)]
    assert superheating_limit(bins).temperature == 1045
    assert [label(part) for part in bins[2:6]] == ["crystal", "partly crystalline", "crystal", "liquid"]


def test_a_melt_that_evaporates_is_said() -> None:
    bins = [make_bin("heating", 300, 0.9, 0.1), make_bin("heating", 15000, 0.0, 90.0)]
    assert "evaporates" in summarise(bins, {"n_atoms": 1000}, [])["warnings"][0]
    assert not summarise(bins[:1], {"n_atoms": 1000}, [])["warnings"]
    with pytest.raises(LammpsError, match="no bin of the ramp has been finished yet"):
        summarise([], {"n_atoms": 1000}, [])


def test_pair_distributions_written_twice_or_cut_are_read(tmp_path) -> None:
    table = "{} 2\n1 0.5 {} 0\n2 1.5 1.0 3\n"
    path = tmp_path / "rdf.dat"
    path.write_text(
        "# a\n# b\n" + table.format(100, 0.1) + table.format(200, 0.2) + table.format(200, 0.3) + "300 2\n1 0.5 0"
    )
    found = read_rdf(path)
    assert sorted(found) == [100, 200]
    assert found[200].tolist() == [[0.5, 0.3], [1.5, 1.0]]
    path.write_text(table.format(100, 0.1) + "200 2\n1 0.5 0.\x00\xff 0\n2 1" + "3.33 12\n" + table.format(300, 0.3))
    assert sorted(read_rdf(path)) == [100, 300]
    assert read_rdf(tmp_path / "absent") == {}
