"""Copy the figures of real runs into docs/images, small enough for a repository, each with its numbers as CSV beside it.

    python docs/figures.py demo-output

The folder is that of ``make demo``. Pages show figures of benchmarks from where they lie, in benchmarks/results.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
OF_THE_DEMO = {
    "demo": "overview",
    "learning-curve": "training/learning-curve",
    "parity-forces": "unseen/parity-forces",
}
WIDTH, COLOURS = 1400, 256


def copy(source: Path, name: str) -> None:
    """Write a figure with few colours and no more than ``WIDTH`` pixels across, and the CSV that stands beside it."""
    image = Image.open(source).convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    target = DOCS / "images" / f"{name}.png"
    image.quantize(COLOURS).save(target, optimize=True)
    shutil.copyfile(source.with_suffix(".csv"), target.with_suffix(".csv"))
    print(f"{target}: {target.stat().st_size // 1024} KiB")


def main(demo: Path) -> None:
    for name, figure in OF_THE_DEMO.items():
        copy(demo / f"{figure}.png", name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
