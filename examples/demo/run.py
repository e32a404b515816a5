"""From labelled structures to molecular dynamics on two MPI ranks: what `make demo` runs.

Each stage is a command that you could type; it is printed before it runs. What has been made is kept: run it again after an
interruption and it goes on where it was, delete the output folder and it begins anew.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from report import write_summary

HERE = Path(__file__).resolve().parent
QUICK_TRAINING = ["--set", "epochs=2"]
QUICK_STEPS = ["-var", "steps", "20"]


@dataclass(frozen=True)
class Stage:
    """One command of the demo.

    Attributes:
        title: what it does, for people.
        command: its words.
        product: the file that is there when, and only when, the stage is finished.
        folder: where it runs; default: here.
    """

    title: str
    command: list[str]
    product: Path
    folder: Path = field(default_factory=Path)


def stages(out: Path, quick: bool) -> list[Stage]:
    """Return the stages that leave everything in the folder ``out``."""
    data, run, model, npt = out / "data", out / "training", out / "model.pt", out / "npt"
    here = Path(os.path.relpath(HERE))
    train = ["unnp", "train", str(here / "train.yaml"), "-o", str(run)]
    if data.resolve() != HERE.parents[1] / "demo-output/data":  # which is what stands in train.yaml
        train += ["--set", f"data.train=[{_from(HERE, data)}/train]"]
    train += ["--resume"] if (run / "config.yaml").exists() else []
    eam = str(here / "al-eam.yaml")
    return [
        Stage(
            "Label structures with the EAM potential: solids, strained, with vacancies, hot, molten",
            ["unnp", "data", "generate", str(here / "structures.yaml"), "-o", str(data / "train")],
            data / "train/dataset.json",
        ),
        Stage(
            "Label frames that training never sees: other strains, temperatures and a larger cell",
            ["unnp", "data", "generate", str(here / "unseen.yaml"), "-o", str(data / "unseen")],
            data / "unseen/dataset.json",
        ),
        Stage("Train a small TeaNet", train + (QUICK_TRAINING if quick else []), run / "card.yaml"),
        Stage("Export it to one file", ["unnp", "export", str(run), "-o", str(model)], model),
        Stage(
            "Compare it with the unseen frames",
            ["unnp", "evaluate", str(model), str(data / "unseen"), "-o", str(out / "unseen")],
            out / "unseen/parity-stress.csv",
        ),
        Stage(
            "Lattice and elastic constants, beside those of the EAM potential",
            ["unnp", "elastic", str(model), "--reference", eam, "--element", "Al", "-o", str(out / "elastic")],
            out / "elastic/equation-of-state.csv",
        ),
        Stage(
            "Molecular dynamics of 2,048 atoms at 300 K and zero pressure, on two MPI ranks",
            _lammps(2, "in.npt.lammps", npt, *(QUICK_STEPS if quick else [])),
            npt / "npt.data",
            npt,
        ),
        *(
            Stage(
                f"Forces on its last structure, on {ranks} rank{'s' if ranks > 1 else ''}",
                _lammps(ranks, "in.forces.lammps", npt, "-var", "ranks", str(ranks), "-log", f"forces.{ranks}.log"),
                npt / f"forces.{ranks}.dump",
                npt,
            )
            for ranks in (1, 2)
        ),
    ]


def run(stage: Stage) -> None:
    """Run a stage, unless its product is there; end the program where it fails."""
    place = f"cd {stage.folder} && " if stage.folder != Path() else ""
    print(f"\n\033[1m{stage.title}\033[0m" if sys.stdout.isatty() else f"\n{stage.title}")
    print(f"$ {place}{shlex.join(stage.command)}", flush=True)
    if stage.product.exists():
        print(f"finished before: {stage.product}", flush=True)
        return
    stage.folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    code = _execute(stage)
    if code:
        sys.exit(f"This stage ended with exit code {code}. The next `make demo` goes on with it.")
    if not stage.product.exists():
        sys.exit(f"This stage left no {stage.product}; see what it printed above.")
    print(f"{time.monotonic() - begin:.0f} s", flush=True)


def _execute(stage: Stage) -> int:
    with subprocess.Popen(stage.command, cwd=stage.folder, env=_environment()) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the command got the Ctrl-C as well; a training writes a checkpoint before it ends
            return process.wait() or 1


def _lammps(ranks: int, deck: str, folder: Path, *options: str) -> list[str]:
    model = ["-var", "model", "../model.pt"]
    return ["mpirun", "-n", str(ranks), "lmp", "-in", str(_from(folder, HERE) / deck), *model, *options]


def _from(folder: Path, target: Path) -> Path:
    return Path(os.path.relpath(target, folder))


def _environment() -> dict[str, str]:
    """Return the environment with the programs that stand beside this Python first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Label, train, export, evaluate and run aluminium in parallel LAMMPS.")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo-output"), help="folder of everything it makes")
    parser.add_argument("--quick", action="store_true", help="hardly any training and few steps: only whether it runs")
    arguments = parser.parse_args()
    out = Path(os.path.relpath(arguments.output))
    begin = time.monotonic()
    for stage in stages(out, arguments.quick):
        run(stage)
    write_summary(out)
    print(f"\n{time.monotonic() - begin:.0f} s in all. Everything is in {out}; delete it to begin anew.")


if __name__ == "__main__":
    main()
