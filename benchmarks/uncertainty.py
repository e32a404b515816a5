"""Which deviations tell where a potential is wrong: of a committee, or of the last layer of one of its members.

Trains a committee of four (TeaNet S, 15 epochs) on four fifths of the training data of mlearn, calibrates on the fifth that is
held back, and compares deviations with errors on the test data:

    python benchmarks/uncertainty.py Cu_train.extxyz.gz Cu_test.extxyz.gz

Rank correlation (Spearman) between errors and deviations; of the tenth of the atoms, or structures, with the largest errors the
share that is in the tenth with the largest deviations; and the share of errors within 1 and 2 deviations (Gaussian: 68, 95 %).
Forces that vanish by symmetry are left out, as in a calibration.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from measuring import Report, Row
from scipy.stats import spearmanr
from unnp.config import from_dict
from unnp.data.opening import open_structures
from unnp.evaluate.calibration import Estimated, Residuals, committee_scales, estimates, residuals_of
from unnp.evaluate.last_layer import fit_last_layer
from unnp.evaluate.reliability import draw_reliability, within
from unnp.exported.deviation import committee_deviation
from unnp.exported.export import export_model
from unnp.exported.loader import LoadedPotential, load_model
from unnp.models.checkpoint import load_potential
from unnp.train.committee import runs_of, train_committee
from unnp.train.config import TrainConfig
from unnp.train.structures import is_run, sources_of_run


def settings(training: Path, test: Path, epochs: int, seeds: list[int]) -> TrainConfig:
    """Return the settings of the trainings."""
    content = {
        "data": {"train": [str(training.resolve())], "validation": 0.2, "test": [str(test.resolve())]},
        "potential": {"architecture": "teanet", "preset": "S", "add": {"zbl": {}}},
        "loss": {
            "energy": {"weight": 0.5, "schedule": [[0.9, 200]]},
            "forces": {"weight": 1},
            "stress": {"weight": 20, "offset": "fit"},
        },
        "optimizer": {"average_decay": 0.99},
        "epochs": epochs,
        "seeds": seeds,
    }
    return from_dict(content, TrainConfig)


def norms(results: Sequence[Estimated]) -> dict[str, Residuals]:
    """Return errors of energies per atom, and lengths of the errors of forces, with their deviations."""
    errors = residuals_of(results)
    components = errors["forces"]
    lengths = np.linalg.norm(components.error.reshape(-1, 3), axis=1)
    return {"energy": errors["energy"], "forces": Residuals(lengths, math.sqrt(3) * components.deviation[::3])}


def largest_found(errors: Residuals) -> float:
    """Return the share of the tenth with the largest errors that is in the tenth with the largest deviations."""
    n = max(1, len(errors.error) // 10)
    worst, doubted = (set(np.argsort(-values)[:n]) for values in (np.abs(errors.error), errors.deviation))
    return len(worst & doubted) / n


def compare(name: str, results: Sequence[Estimated], scales: Mapping[str, float], folder: Path) -> Row:
    """Return how deviations and errors on the test structures go together, and draw the diagrams."""
    row: Row = {"deviation": name}
    for quantity, own in norms(results).items():
        errors = residuals_of(results)[quantity]
        draw_reliability(quantity, errors, folder / f"{name.replace(' ', '-')}-{quantity}.png")
        row |= {
            f"{quantity}_rank_correlation": float(spearmanr(np.abs(own.error), own.deviation).statistic),
            f"{quantity}_largest_found": largest_found(own),
            f"{quantity}_scale": scales.get(quantity, 1.0),
            f"{quantity}_within_1_2": within(errors, np.array([1.0, 2.0])).tolist(),
            f"{quantity}_rmse": float(np.sqrt(np.mean(np.square(errors.error)))),
        }
    return row


def export(runs: Sequence[Path], path: Path) -> LoadedPotential:
    """Return the exported potentials of run folders."""
    export_model([load_potential(run)[0] for run in runs], path, name=path.stem)
    return load_model(path, device="cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--folder", type=Path, default=Path("runs/uncertainty"))
    parser.add_argument("--regularisations", type=float, nargs="+", default=[1e-8, 1e-6, 1e-4])
    given = parser.parse_args()
    run = given.folder / "run"
    train_committee(settings(given.training, given.test, given.epochs, given.seeds), run, resume=is_run(run))
    report = Report("uncertainty", {"data": given.training.name, "epochs": given.epochs, "seeds": given.seeds})
    sources, test = sources_of_run(run), open_structures([given.test])
    committee = export(runs_of(run), given.folder / "committee.pt")
    raw = residuals_of(estimates(committee, sources.validation, partial(committee_deviation, committee)))
    committee.manifest = committee.manifest.model_copy(
        update={"deviation_scales": committee_scales(raw, len(given.seeds))}
    )
    found = estimates(committee, test, partial(committee_deviation, committee))
    report.add(compare("committee", found, committee.manifest.deviation_scales, given.folder))
    for seed, member in zip(given.seeds, runs_of(run), strict=True):
        potential = export([member], given.folder / f"{member.name}.pt")
        for level in given.regularisations:
            layer = fit_last_layer(potential, sources.train, sources.validation, regularisation=level)
            name = f"last layer of seed {seed}, lambda {level:g}"
            found = estimates(potential, test, partial(layer.deviation, potential))
            report.add(compare(name, found, layer.scales, given.folder))


if __name__ == "__main__":
    main()
