"""Error tables and parity pairs against numpy."""

import numpy as np
import pytest
import torch
from unnp.atoms.graph import Graph
from unnp.data.dataset import Batch, Labels
from unnp.derivatives import Prediction
from unnp.evaluate.metrics import Metrics, Pairs
from unnp.units import GPA_PER_EV_PER_A3

SPECIES = [0, 0, 1, 1, 1, 0]
GRAPH = [0, 0, 1, 1, 2, 2]
GROUP = [0, 1, 1]


def make() -> tuple[Prediction, Batch, dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    error = {
        "energy": random.normal(size=3),
        "forces": random.normal(size=(6, 3)),
        "stress": random.normal(size=(3, 3, 3)),
    }
    label = {name: random.normal(size=value.shape) for name, value in error.items()}
    label["energy"][2] = np.nan
    label["forces"][4:] = np.nan
    tensors = {name: torch.from_numpy(value) for name, value in label.items()}
    predicted = {name: torch.from_numpy(np.nan_to_num(label[name]) + error[name]) for name in error}
    graph = Graph(
        torch.tensor(SPECIES),
        torch.zeros(2, 0, dtype=torch.int64),
        torch.zeros(0, 3),
        torch.tensor(GRAPH),
        torch.tensor([1.0, np.nan, 1.0], dtype=torch.float64),
    )
    batch = Batch(graph, Labels(tensors, torch.tensor(GROUP)))
    return Prediction(atomic_energy=torch.zeros(6), **predicted), batch, error


def test_overall_group_and_element_errors() -> None:
    prediction, batch, error = make()
    metrics = Metrics(["bulk", "surface"], ["Ni", "Al"])
    metrics.update(prediction, batch)
    metrics.update(prediction, batch)
    result = metrics.result()
    energy, forces = error["energy"][:2] / 2 * 1000, error["forces"][:4]
    stress = error["stress"][[0, 2]] * GPA_PER_EV_PER_A3  # the second has no volume
    for name, values in {"energy": energy, "forces": forces, "stress": stress}.items():
        row = result["overall"][name]
        assert row["mae"] == pytest.approx(np.abs(values).mean())
        assert row["rmse"] == pytest.approx(np.sqrt((values**2).mean()))
        assert row["n"] == 2 * values.size
    assert result["groups"]["surface"]["energy"]["mae"] == pytest.approx(abs(energy[1]))
    assert result["groups"]["bulk"]["forces"]["mae"] == pytest.approx(np.abs(forces[:2]).mean())
    assert result["elements"]["Ni"]["forces"]["rmse"] == pytest.approx(np.sqrt((forces[:2] ** 2).mean()))
    assert result["elements"]["Al"]["energy"]["mae"] == pytest.approx(abs(energy[1]))
    assert result["elements"]["Al"]["stress"]["mae"] == pytest.approx(np.abs(stress[1]).mean())
    assert result["elements"]["Ni"]["stress"]["n"] == 36


def test_prediction_that_is_not_a_number_is_not_taken_for_an_absent_label() -> None:
    prediction, batch, _ = make()
    prediction.energy[0] = float("nan")
    metrics = Metrics(["bulk", "surface"], ["Ni", "Al"])
    metrics.update(prediction, batch)
    assert np.isnan(metrics.result()["overall"]["energy"]["mae"])


def test_quantities_without_labels_are_absent() -> None:
    prediction, batch, _ = make()
    batch.labels["stress"].fill_(float("nan"))
    metrics = Metrics(["bulk", "surface"], ["Ni", "Al"])
    metrics.update(prediction, batch)
    assert set(metrics.result()["overall"]) == {"energy", "forces"}


def test_pairs_hold_what_has_a_label() -> None:
    prediction, batch, error = make()
    pairs = Pairs(["bulk", "surface"])
    pairs.update(prediction, batch)
    reference, predicted, groups = pairs.result("energy")
    assert predicted - reference == pytest.approx(error["energy"][:2] / 2)
    assert groups == ["bulk", "surface"]
    assert [len(pairs.result(name)[0]) for name in ("forces", "stress")] == [12, 18]
    assert pairs.result("forces")[2] == ["bulk"] * 6 + ["surface"] * 6
