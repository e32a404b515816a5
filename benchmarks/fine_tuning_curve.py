"""How few labels a potential needs that begins with another level of theory: fine-tuned against from scratch.

    python benchmarks/fine_tuning_curve.py DATA NAME=START.pt ... -o runs/fine-tuning-curve --element Si --seeds 3

For each fraction of the training frames of an element (equally spaced in the file, so that each group keeps its share), TeaNet
from random weights and from each START (examples/surfaces/element.yaml) take the same number of steps, with several seeds; all
are judged on the test frames. DATA is a folder with mlearn/ELEMENT_train.extxyz.gz and _test, of DFT (for Si and Ge the files
that mlearn_repair.py has repaired) or labelled by another teacher; START is an exported model that knows the element. What is
finished is kept: run it again after a kill.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from from_start import labelled, train
from measuring import RESULTS
from unnp.data.writing import write_structures
from unnp.plots import new_figure, plain_log_ticks, save_figure

SCRATCH = "from scratch"
BATCH = 4
COLUMNS = {"energy": ("energy_mae", "energy MAE [meV/atom]"), "forces": ("forces_mae", "force MAE [eV/A]")}


def write_part(data: Path, element: str, fraction: float, path: Path) -> int:
    """Write equally spaced training frames and return their number."""
    frames = labelled([data / f"mlearn/{element}_train.extxyz.gz"])
    count = max(4, round(fraction * len(frames)))
    chosen = [frames[int(k * len(frames) / count)] for k in range(count)]
    write_structures(chosen, path, overwrite=True)
    return count


def errors_of(run: Path) -> dict[str, Any]:
    """Return the errors on the test frames of a training that is over."""
    card: dict[str, Any] = yaml.safe_load((run / "card.yaml").read_text())
    errors: dict[str, Any] = card["metrics"]["test"]["overall"]
    return errors


def over_seeds(found: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return mean and standard deviation of the errors of several trainings; one training has no deviation."""
    numbers: dict[str, float | None] = {}
    for key, (column, _) in COLUMNS.items():
        own = [errors[key]["mae"] for errors in found]
        numbers[column] = float(np.mean(own))
        numbers[f"{column}_std"] = float(np.std(own, ddof=1)) if len(own) > 1 else None
    return numbers


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw both errors over the number of frames, and the level of training from scratch with all of them."""
    figure, axes = new_figure(len(COLUMNS), width=4.5)
    for ax, (column, label) in zip(axes, COLUMNS.values(), strict=True):
        for training in dict.fromkeys(row["training"] for row in rows):
            own = [row for row in rows if row["training"] == training]
            bars = [row[f"{column}_std"] or 0.0 for row in own]
            ax.errorbar(
                [row["frames"] for row in own],
                [row[column] for row in own],
                yerr=bars,
                fmt="o-",
                ms=4,
                capsize=2,
                label=training,
            )
        level = [row for row in rows if row["training"] == SCRATCH][-1][column]
        ax.axhline(level, color="0.6", lw=0.8, label=f"{SCRATCH}, all frames")
        frames = sorted({row["frames"] for row in rows})
        ax.set(xscale="log", yscale="log", xlabel="training frames", ylabel=label)
        ax.set_xticks(frames, [str(n) for n in frames], minor=False)
        ax.minorticks_off()
        plain_log_ticks(ax.yaxis)
    axes[0].legend(frameon=False, fontsize="small")
    save_figure(figure, path, {key: [row[key] for row in rows] for key in rows[0]})


def start_of(text: str) -> tuple[str, Path]:
    """Return name and file of ``NAME=FILE``; without a name it is fine-tuned."""
    name, _, file = text.rpartition("=")
    return (f"from {name}" if name else "fine-tuned"), Path(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("starts", nargs="+", metavar="NAME=START.pt", help="exported models of another level of theory")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/fine-tuning-curve"))
    parser.add_argument("--element", default="Si")
    parser.add_argument("--fractions", nargs="+", type=float, default=[0.03, 0.1, 0.3, 1.0])
    parser.add_argument("--steps", type=int, default=1500, help="of each training")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each kind and fraction")
    parser.add_argument(
        "--stress", default="{weight: 20, offset: fit}", help="of the loss; mlearn's stresses want an offset"
    )
    parser.add_argument("--results", type=Path, default=RESULTS / "fine-tuning")
    arguments = parser.parse_args()
    folder, element = arguments.output, arguments.element
    folder.mkdir(parents=True, exist_ok=True)
    test = (arguments.data / f"mlearn/{element}_test.extxyz.gz").resolve()
    starts: dict[str, Path | None] = {SCRATCH: None, **dict(map(start_of, arguments.starts))}
    rows = []
    for fraction in sorted(arguments.fractions):
        part = folder / f"{element}-{fraction:g}.extxyz"
        count = write_part(arguments.data, element, fraction, part)
        epochs = math.ceil(arguments.steps / math.ceil(0.9 * count / BATCH))
        common = [f"data.test=[{test}]", f"loss.stress={arguments.stress}"]
        common += [f"epochs={epochs}", f"validation_interval={max(1, epochs // 20)}"]
        for training, start in starts.items():
            runs = [
                folder / f"{element}-{fraction:g}-{training}-{seed}".replace(" ", "-")
                for seed in range(arguments.seeds)
            ]
            for seed, run in enumerate(runs):
                train(run, part, start, *common, f"seed={seed}")
            row = {"element": element, "training": training, "fraction": fraction, "frames": count, "seeds": len(runs)}
            rows.append(row | over_seeds([errors_of(run) for run in runs]))
    rows.sort(key=lambda row: (list(starts).index(row["training"]), row["frames"]))
    arguments.results.mkdir(parents=True, exist_ok=True)
    draw(rows, arguments.results / f"{element}.png")


if __name__ == "__main__":
    main()
