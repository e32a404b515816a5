"""How few DFT frames a potential needs that begins with another level of theory: fine-tuned against from scratch.

    python benchmarks/fine_tuning_curve.py DATA START.pt -o runs/fine-tuning-curve --element Si

For each fraction of the mlearn training frames of an element (equally spaced in the file, so that each group keeps its share),
TeaNet from random weights and from START (examples/surfaces/element.yaml) take the same number of steps; both are judged on the
test frames. DATA is the folder with mlearn/, START an exported model that knows the element; for Si and Ge
the repaired files of mlearn_repair.py are meant. What is finished is kept: run it again after a kill.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import yaml
from from_start import labelled, train
from measuring import RESULTS
from unnp.data.writing import write_structures
from unnp.plots import new_figure, plain_log_ticks, save_figure

KINDS = {"scratch": "from scratch", "tuned": "fine-tuned"}
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


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw both errors over the number of frames, and the level of training from scratch with all of them."""
    figure, axes = new_figure(len(COLUMNS), width=4.5)
    for ax, (column, label) in zip(axes, COLUMNS.values(), strict=True):
        for kind in KINDS.values():
            own = [row for row in rows if row["training"] == kind]
            ax.loglog([row["frames"] for row in own], [row[column] for row in own], "o-", label=kind)
        ax.axhline([row for row in rows if row["training"] == KINDS["scratch"]][-1][column], color="0.6", lw=0.8)
        frames = sorted({row["frames"] for row in rows})
        ax.set_xticks(frames, [str(n) for n in frames], minor=False)
        ax.minorticks_off()
        plain_log_ticks(ax.yaxis)
        ax.set(xlabel="training frames", ylabel=label)
    axes[0].legend(frameon=False)
    save_figure(figure, path, {key: [row[key] for row in rows] for key in rows[0]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("start", type=Path, help="exported model of another level of theory")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/fine-tuning-curve"))
    parser.add_argument("--element", default="Si")
    parser.add_argument("--fractions", nargs="+", type=float, default=[0.03, 0.1, 0.3, 1.0])
    parser.add_argument("--steps", type=int, default=1500, help="of each training")
    parser.add_argument("--results", type=Path, default=RESULTS / "fine-tuning")
    arguments = parser.parse_args()
    folder, element = arguments.output, arguments.element
    folder.mkdir(parents=True, exist_ok=True)
    test = (arguments.data / f"mlearn/{element}_test.extxyz.gz").resolve()
    rows = []
    for fraction in sorted(arguments.fractions):
        part = folder / f"{element}-{fraction:g}.extxyz"
        count = write_part(arguments.data, element, fraction, part)
        epochs = math.ceil(arguments.steps / math.ceil(0.9 * count / BATCH))
        common = [f"data.test=[{test}]", "loss.stress={weight: 20, offset: fit}"]
        common += [f"epochs={epochs}", f"validation_interval={max(1, epochs // 20)}"]
        for kind, name in KINDS.items():
            run = folder / f"{element}-{fraction:g}-{kind}"
            train(run, part, arguments.start if kind == "tuned" else None, *common)
            errors = errors_of(run)
            row = {"element": element, "training": name, "fraction": fraction, "frames": count}
            rows.append(row | {column: errors[key]["mae"] for key, (column, _) in COLUMNS.items()})
    rows.sort(key=lambda row: (row["training"], row["frames"]))
    arguments.results.mkdir(parents=True, exist_ok=True)
    draw(rows, arguments.results / f"{element}.png")


if __name__ == "__main__":
    main()
