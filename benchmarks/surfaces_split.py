"""Fine-tuned against from scratch at equal data, half of the Miller planes held out.

For each element: the labelled crystal, every 48th other frame and every second slab are learnt from, by TeaNet from random
weights and from a universal start (examples/surfaces/element.yaml); the other slabs are held out, and `unnp surfaces` compares
both, the start, and universal potentials of others on them:

    python benchmarks/surfaces_split.py DATA START.pt -o runs/surfaces-split --universal chgnet.yaml sevennet.yaml

DATA is the folder with mlearn/ and NbMoTaW/. What is finished is kept: run it again after a kill.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import yaml
from from_start import labelled, train
from unnp.atoms.structure import Structure
from unnp.data.writing import write_structures
from unnp.workflows.surfaces.slabs import empty_layers, is_slab

MLEARN, ALLOY = ("Cu", "Ni", "Si"), ("Nb", "Mo", "Ta", "W")
VACUUM = 5.0
STRIDE = 48
"""Of the frames that are neither slabs nor the crystal, one of so many is learnt from."""
SPLIT = ("learnt", "held-out")


def frames_of(data: Path, element: str) -> list[Structure]:
    """Return all frames of one element."""
    if element in MLEARN:
        files = [data / f"mlearn/{element}_{part}.extxyz.gz" for part in ("train", "test")]
    else:
        files = [data / "NbMoTaW/train.extxyz.gz"]
    return [frame for frame in labelled(files) if set(frame.to_atoms().get_chemical_symbols()) == {element}]


def write_split(data: Path, element: str, folder: Path) -> None:
    """Write ``ELEMENT-learnt.extxyz`` and ``ELEMENT-held-out.extxyz``, the crystal first in both."""
    frames = frames_of(data, element)
    slabs = [frame for frame in frames if is_slab(frame, VACUUM)]
    others = [frame for frame in frames if empty_layers(frame).max() < VACUUM]
    crystal = min(others, key=lambda frame: (frame.energy or 0.0) / len(frame))
    others = [frame for frame in others if frame is not crystal]
    parts = ([crystal, *others[::STRIDE], *slabs[::2]], [crystal, *slabs[1::2]])
    for name, part in zip(SPLIT, parts, strict=True):
        write_structures(part, folder / f"{element}-{name}.extxyz", overwrite=True)


def trained(element: str, folder: Path, start: Path | None) -> str:
    """Return the name of the exported model of a training, which goes on where it was stopped."""
    run = folder / f"{element}-{'scratch' if start is None else 'tuned'}"
    model = run.with_name(f"{run.name}.pt")
    if not model.exists():
        train(run, folder / f"{element}-{SPLIT[0]}.extxyz", start)
        subprocess.run(["unnp", "export", run, "-o", model], check=True)
    return model.name


def compare(folder: Path, elements: list[str], potentials: dict[str, object]) -> None:
    """Run ``unnp surfaces`` on the slabs that were held out."""
    files = [{"kind": "files", "files": [f"{element}-{SPLIT[1]}.extxyz"]} for element in elements]
    config = folder / "surfaces.yaml"
    config.write_text(yaml.safe_dump({"potentials": potentials, "slabs": files, "relax": None}, sort_keys=False))
    run = folder / "surfaces"
    resume = ["--resume"] if (run / "surfaces.yaml").exists() else []
    subprocess.run(["unnp", "surfaces", config, "-o", run, *resume], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("start", type=Path, help="exported model of all elements")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/surfaces-split"))
    parser.add_argument("--elements", nargs="+", default=[*MLEARN, *ALLOY])
    parser.add_argument(
        "--universal", nargs="*", type=Path, default=[], help="calculator files of universal potentials"
    )
    parser.add_argument("--no-compare", action="store_true", help="train only, as one of several processes")
    arguments = parser.parse_args()
    folder, elements = arguments.output, arguments.elements
    folder.mkdir(parents=True, exist_ok=True)
    scratch, tuned = {}, {}
    for element in elements:
        if not (folder / f"{element}-{SPLIT[1]}.extxyz").exists():
            write_split(arguments.data, element, folder)
        tuned[element] = trained(element, folder, arguments.start)
        scratch[element] = trained(element, folder, None)
    potentials: dict[str, object] = {path.stem: {"file": str(path.resolve())} for path in arguments.universal}
    potentials |= {"start": {"file": str(arguments.start.resolve())}}
    potentials |= {"from-scratch": {"files": scratch}, "fine-tuned": {"files": tuned}}
    if not arguments.no_compare:
        compare(folder, elements, potentials)


if __name__ == "__main__":
    main()
