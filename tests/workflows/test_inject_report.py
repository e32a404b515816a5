"""What an injection says of its methods: variants, error bars beside published numbers, outliers, maps."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from unnp.atoms.structure import Structure
from unnp.config import from_dict
from unnp.errors import ConfigError
from unnp.workflows.inject import maps
from unnp.workflows.inject.analysis import Spread, rows
from unnp.workflows.inject.choice import choice_of
from unnp.workflows.inject.classifiers import chosen_among, words_of
from unnp.workflows.inject.comparison import comparison_columns, comparison_table, with_error
from unnp.workflows.inject.config import InjectConfig
from unnp.workflows.inject.differences import Difference, difference_table, differences, draw_differences
from unnp.workflows.inject.figures import draw_gains
from unnp.workflows.inject.judging import Outcome
from unnp.workflows.inject.maps import check_map, coordinates
from unnp.workflows.inject.nearest import Distances
from unnp.workflows.inject.outliers import chosen_labels
from unnp.workflows.inject.report import choice_table, compared, method_table

POTENTIALS = ["sw", "tersoff", "bad"]
ERRORS = {"scratch": [100.0, 80.0, 120.0], "LA": [80.0, 72.0, 90.0], "MP": [90.0, 88.0, 108.0]}


def config(**changes: Any) -> InjectConfig:
    given = {
        "data": {"labelled": ["a.xyz"], "test": 0.2, "pool": ["b.xyz"]},
        "potentials": dict.fromkeys(POTENTIALS, "potential.yaml"),
        "architectures": {"SchNet": {"potential": {"architecture": "schnet"}}},
        "methods": {"scratch": {}, "LA": {"augment": {"alpha": [1]}}, "MP": {"pretrain": {}}},
        **changes,
    }
    return from_dict(given, InjectConfig)


def outcomes(errors: dict[str, list[float]]) -> list[Outcome]:
    return [
        Outcome("SchNet", method, k, Path(method), 1.0, {}, {"energy": error}, {}, 10, 0.1, 5 + k)
        for method, own in errors.items()
        for k, error in enumerate(own)
    ]


def test_variants_differ_from_their_method_in_one_thing() -> None:
    asked = {"LA": ["tukey", "confidence", "left-out", "alone"], "MP": ["left-out"]}
    own = config(variants=asked)
    assert list(own.ways)[:3] == ["scratch", "LA", "MP"]
    assert set(own.further) == {
        "LA-squares",
        *(f"LA-{name}" for name in ("low", "medium", "high")),
        *(f"LA-{word}-{name}" for word in ("without", "only") for name in POTENTIALS),
        *(f"MP-without-{name}" for name in POTENTIALS),
    }
    plain = own.methods["LA"].augment
    assert plain is not None
    changed = {name: own.ways[f"LA-{name}"].augment for name in ("squares", "low", "without-bad", "only-bad")}
    expected = {"squares": {"robust": False}, "low": {"confidence": ["low"]}}
    expected |= {"without-bad": {"potentials": ["sw", "tersoff"]}, "only-bad": {"potentials": ["bad"]}}
    assert changed == {name: plain.model_copy(update=update) for name, update in expected.items()}
    pretrain = own.ways["MP-without-sw"].pretrain
    assert pretrain is not None
    assert pretrain.potentials == ["tersoff", "bad"]


def test_every_classifier_is_known_with_what_it_chooses_among_and_who_takes_its_choice() -> None:
    methods = {"scratch": {}, "LA": {"augment": {}}, "two": {"augment": {"potentials": ["sw", "bad"]}}}
    own = config(
        methods={**methods, "sw": {"augment": {"labels": "sw"}}}, variants={"LA": ["tukey", "left-out", "alone"]}
    )
    found = {words_of(among, POTENTIALS): names for among, names in chosen_among(own).items()}
    assert found == {
        "all": ["LA", "LA-squares"],
        "all but tersoff": ["two", "LA-without-tersoff"],
        "all but sw": ["LA-without-sw"],
        "all but bad": ["LA-without-bad"],
        **{name: [f"LA-only-{name}"] for name in POTENTIALS},
    }
    keys = {"architecture": "SchNet", "part": "low", "structures": 10, "none": 4}
    choices = [
        {**keys, "seed": k, "among": words, "methods": names, "outliers": share, **({"right": 0.5} if k else {})}
        for words, names in found.items()
        for k, share in enumerate((0.1, 0.3))
    ]
    written = SimpleNamespace(config=own, choices=choices)
    header, cells = choice_table(written)  # type: ignore[arg-type]
    assert [line[1:3] for line in cells][:3] == [
        ["all", "LA"],
        ["all but tersoff", "two"],
        ["all but sw", "LA-without-sw"],
    ]
    assert len(cells) == 7
    assert {line[header.index("outliers [%]")] for line in cells} == {"20 ± 10"}
    assert {line[header.index("right [%]")] for line in cells} == {"50"}  # of the seed that has labels to judge by
    assert [line[1] for line in choice_table(written, brief=True)[1]] == ["all", "all but tersoff"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variants": {"LB": ["tukey"]}}, "there is no method 'LB'"),
        ({"variants": {"MP": ["tukey"]}}, "variants.MP: it has no labels that count by Tukey's biweight"),
        ({"variants": {"scratch": ["alone"]}}, "it does not choose among several potentials"),
        (
            {"variants": {"LA": ["left-out"]}, "methods": {"LA": {"augment": {}}, "LA-without-sw": {}}},
            "is a method already",
        ),
        ({"methods": {"a": {"augment": {"labels": "sw", "potentials": ["sw"]}}}}, "`labels` names sw"),
        ({"published": {"CGCNN": {}}}, "there is no architecture 'CGCNN'"),
        ({"published": {"SchNet": {"both": 50}}}, "published.SchNet: there is no method 'both'"),
        ({"methods": {"classifier-sw": {}}}, "has another meaning"),
    ],
)
def test_variants_and_published_numbers_are_of_what_is_there(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config(**changes)


def test_the_comparison_has_standard_errors_and_published_numbers() -> None:
    own = config(published={"SchNet": {"scratch": 71.8, "LA": 54.9}})
    table = rows(own, outcomes(ERRORS))
    header, cells = comparison_table(own, table)
    assert header[2:] == ["scratch", "LA", "MP"]
    assert [line[:2] for line in cells] == [["SchNet", "here"], ["SchNet", "published"]]
    assert cells[1][2:] == ["71.8", "54.9 (24)", ""]
    assert cells[0][2] == "100 ± 12"  # 20 / sqrt(3)
    assert with_error(Spread(376.0, 190.0, 134.3)) == "376 ± 134"
    gains = [0.2, 0.1, 0.25]
    columns = comparison_columns(own, table)
    assert columns["gain"][1] == pytest.approx(100 * np.mean(gains))
    assert columns["gain_error"][1] == pytest.approx(100 * np.std(gains, ddof=1) / np.sqrt(3))
    assert columns["published_gain"] == [None, pytest.approx(100 * (1 - 54.9 / 71.8)), None]


def test_forces_have_a_table_of_the_same_form_where_they_are_learnt() -> None:
    own = config(published={"SchNet": {"scratch": 71.8, "LA": 54.9}})
    found = [replace(o, test={**o.test, "forces": o.test["energy"] / 1000}) for o in outcomes(ERRORS)]
    table = rows(own, found)
    header, cells = comparison_table(own, table, "forces")
    assert header == ["forces [eV/A] (gain [%])", "numbers", "scratch", "LA", "MP"]
    assert cells == [["SchNet", "here", "0.1 ± 0.012", "0.0807 ± 0.0052 (18.3 ± 4.4)", "0.0953 ± 0.0064 (3.3 ± 6.7)"]]
    columns = comparison_columns(own, table, ["forces"])
    assert columns["forces"] == pytest.approx([0.1, 0.08067, 0.09533], abs=1e-4)
    for name in ("gain", "gain_error"):
        assert columns[f"forces_{name}"][0] is None
        assert columns[f"forces_{name}"][1:] == pytest.approx(columns[name][1:])
    assert compared(SimpleNamespace(config=own, rows=table)) == ["energy", "forces"]  # type: ignore[arg-type]
    without = config(training={"loss": {"forces": {"weight": 0}}})
    assert compared(SimpleNamespace(config=without, rows=table)) == ["energy"]  # type: ignore[arg-type]


def test_error_bars_of_table_and_figure_are_standard_errors(tmp_path: Path) -> None:
    found = rows(config(), outcomes(ERRORS))
    header, cells = method_table(SimpleNamespace(rows=found, config=config()))  # type: ignore[arg-type]
    assert [line[header.index("injected")] for line in cells] == ["", "6", ""]
    assert [line[2] for line in cells] == ["100 ± 12", "80.7 ± 5.2", "95.3 ± 6.4"]
    assert [line[3] for line in cells] == ["", "18.3 ± 4.4", "3.3 ± 6.7"]
    draw_gains(tmp_path / "gains.png", found, ["energy", "forces"])
    lines = (tmp_path / "gains.csv").read_text().splitlines()
    assert lines[0] == "quantity,architecture,method,gain,gain_error"
    assert lines[1].startswith("energy,")
    gain, error = (float(word) for word in lines[1].split(",")[3:])
    assert (gain, error) == pytest.approx(
        (100 * np.mean([0.2, 0.1, 0.25]), 100 * np.std([0.2, 0.1, 0.25], ddof=1) / 3**0.5)
    )


def test_a_difference_is_that_of_the_same_split_and_hurts_beyond_its_error_bar_alone(tmp_path: Path) -> None:
    own = config(variants={"LA": ["tukey", "alone"]})
    errors = {
        **ERRORS,
        "LA-squares": [85.0, 76.0, 96.0],
        "LA-only-bad": [130.0, 96.0, 150.0],
        "LA-only-sw": [104.0, 78.0, 119.0],
    }
    found = differences(own, outcomes(errors))
    assert [row.method for row in found] == ["LA", "LA-squares", "LA-only-sw", "LA-only-bad"]
    assert [row.hurts for row in found] == [False, False, False, True]
    lost = found[1].lost
    assert lost is not None
    assert lost == pytest.approx((0.05, 0.0, 0.0), abs=1e-12)  # 0.05 in every split, however far these are apart
    assert found[0].lost is None
    header, cells = difference_table(found)
    assert [line[header.index("hurts")] for line in cells] == ["no", "no", "no", "yes"]
    assert [line[2] for line in cells] == ["", "tukey: squares", "alone: sw", "alone: bad"]
    draw_differences(tmp_path / "variants.png", found)
    assert (tmp_path / "variants.csv").read_text().splitlines()[4].startswith("SchNet,LA-only-bad,LA,alone,bad,6.0,")
    one = differences(own, [o for o in outcomes(errors) if o.seed == 0])
    assert [row.hurts for row in one] == [None] * 4


def test_a_potential_hurts_only_where_chance_would_rarely_say_so() -> None:
    own = config(variants={"LA": ["alone"]})
    errors = {**ERRORS, "LA-only-sw": [130.0, 96.0, 150.0], "LA-only-bad": [112.0, 80.0, 126.0]}
    errors["LA-only-tersoff"] = ERRORS["scratch"]
    found = {row.method: row for row in differences(own, outcomes(errors))}
    doubtful = found["LA-only-bad"].gain
    assert doubtful.error is not None
    assert 1 < -doubtful.mean / doubtful.error < 2.92  # beyond its error, within Student's quantile of three seeds
    assert {name: row.hurts for name, row in found.items()} == {
        "LA": False,
        "LA-only-sw": True,
        "LA-only-tersoff": False,
        "LA-only-bad": False,
    }
    header, cells = difference_table(differences(own, [o for o in outcomes(errors) if o.seed == 0]))
    assert {line[header.index("hurts")] for line in cells} == {"not known"}


@pytest.mark.parametrize("n", [2, 3, 5])
def test_of_harmless_potentials_one_in_twenty_is_said_to_hurt(n: int) -> None:
    random = np.random.default_rng(n)
    gains = [Spread.of(own) for own in random.standard_normal((4000, n))]
    said = [Difference("a", "b", "", "", "", gain, None, 0.0, n).hurts for gain in gains]
    assert np.mean(said) == pytest.approx(0.05, abs=0.012)  # 3.5 standard errors


def test_outliers_are_labels_beyond_tau_of_the_hidden_energy() -> None:
    pool = [Structure(np.array([14, 14]), np.zeros((2, 3)), energy=2 * e, group="g") for e in (-5.0, -4.0, -3.0)]
    labels = [[Structure(s.numbers, s.positions, energy=s.energy + 2 * off) for s in pool] for off in (0.05, 0.3)]
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])
    distances = Distances(np.array([[0.05, 0.3]] * 3), *[np.full((3, 2), np.inf)] * 2)
    seed = SimpleNamespace(
        material=SimpleNamespace(pool=range(3), at=lambda positions: [pool[k] for k in positions]),
        division=SimpleNamespace(distances=distances),
        config=config(),
        potentials=["sw", "tersoff"],
        pool_labels=labels,
    )
    found = chosen_labels(seed, choice_of(probabilities), ("sw", "tersoff"))  # type: ignore[arg-type]
    assert found["structure"] == [0, 1]  # the third got none
    assert (found["potential"], found["nearest"]) == (["sw", "tersoff"], ["sw", "sw"])
    assert found["error"] == pytest.approx([50, 300])
    assert found["outlier"] == [0, 1]
    # one that chooses among tersoff and none should have chosen none, as tersoff is nowhere within tau
    restricted = chosen_labels(seed, choice_of(probabilities), ("tersoff",))  # type: ignore[arg-type]
    assert restricted["nearest"] == ["none", "none"]


def clusters() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    owner = np.repeat(np.arange(3), 20)
    return 20 * random.standard_normal((3, 10))[owner] + random.standard_normal((60, 10)), owner


def test_a_map_without_its_package_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "find_spec", lambda _: None)
    check_map("pca")
    with pytest.raises(ConfigError, match=r"pip install 'unnp\[tsne\]'"):
        check_map("tsne")


@pytest.mark.parametrize(
    "kind",
    ["pca", pytest.param("tsne", marks=pytest.mark.skipif(find_spec("sklearn") is None, reason="needs scikit-learn"))],
)
def test_maps_keep_groups_of_structures_together(kind: Any) -> None:
    features, owner = clusters()
    points = coordinates(kind, features)
    assert points.shape == (60, 2)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.diag(np.full(60, np.inf))
    assert np.array_equal(owner[apart.argmin(axis=1)], owner)
    assert np.array_equal(coordinates(kind, features), points)
    assert coordinates(kind, features[:3]).shape == (3, 2)
    assert coordinates(kind, np.zeros((6, 0))).shape == (6, 2)
