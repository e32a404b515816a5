"""Does self-play teach what a potential meets? The loop of examples/learn/self-play.yaml beside as many known crystals.

    python benchmarks/self_play.py self-play
    python benchmarks/self_play.py sixteen --elements Cu Ag Au Ni Pd Pt Al Pb Fe Mo Ta W Mg Co Ti Zr --cells 60 --frames 200

makes the teacher's table, held-out melts (moved by the teacher) and crystals, and a pool of crystals: fcc, bcc and hcp of each
element, B2, L1_0 and L1_2 of each pair, relaxed by the teacher, strained and rattled. It runs the loop, and the same training
on as many of the crystals, drawn at random. Then each model is judged on the held-out sets, and on all that it visits itself.
Whatever is finished is not done again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from measuring import RESULTS
from unnp.adapters.opening import open_calculator
from unnp.atoms.structure import Structure
from unnp.config import load_yaml
from unnp.config.kinds import check_kind
from unnp.data.generation.crystals import strained
from unnp.data.generation.recipe import Recipe
from unnp.data.generation.resumable import generate
from unnp.data.labelling import label_structures
from unnp.data.limits import FrameLimits, mislabelled, unphysical
from unnp.data.opening import open_structures
from unnp.data.readers.options import UNLABELLED
from unnp.data.writing import write_structures
from unnp.eam import write_setfl
from unnp.executors.here import Here, HereConfig
from unnp.exported.loader import load_model
from unnp.plots import new_figure, plain_log_ticks, save_figure
from unnp.workflows.crystals.prototypes import parse_specs
from unnp.workflows.crystals.relaxation import Settings, relax_crystals
from unnp.workflows.learn.config import LearnConfig
from unnp.workflows.learn.evaluation import errors_on
from unnp.workflows.learn.proposers.base import REGISTRY as PROPOSERS
from unnp.workflows.learn.situation import Situation

EXAMPLE = Path(__file__).resolve().parents[1] / "examples/learn/self-play.yaml"
STRAIN, DISPLACEMENTS = 0.05, (0.02, 0.2)
"""largest component of the strain of crystals; least and largest standard deviation of their displacements [A]"""
CELLS_UNSEEN, CELLS_VISITED, CRYSTALS_UNSEEN, CRYSTALS = 24, 8, 150, 1000
LAST = 999
"""number of the round that shows where a finished model goes"""


class Study:
    """The loop, what it is compared with, and where all of it lies.

    Args:
        folder: of the study.
        elements: those of the example where none are given.
        cells: melted in each round.
        frames: learnt in each round.
        overrides: of the loop, as for ``--set``.
    """

    def __init__(
        self, folder: Path, elements: Sequence[str], cells: int | None, frames: int | None, overrides: Sequence[str]
    ) -> None:
        self.folder = folder.resolve()
        config = load_yaml(EXAMPLE, LearnConfig)
        self.mixture: Any = config.propose["melts"]
        sample = self.mixture["samples"][0]
        self.elements: list[str] = list(elements) or sample["elements"]
        if elements:
            sample |= {"elements": self.elements, "elements_per_cell": [1, min(sample["atoms"][0], len(self.elements))]}
        sample["count"] = cells or sample["count"]
        self.overrides = [f"propose={_flow({'melts': self.mixture})}", f"label.elements={_flow(self.elements)}"]
        if frames:
            self.overrides += [f"start.random={frames}", f"select.most={frames}"]
        self.overrides += overrides
        self.teacher = {
            "kind": "lammps",
            "elements": self.elements,
            "pair_style": "eam/alloy",
            "pair_coeff": [f"* * metals.eam.alloy {' '.join(self.elements)}"],
        }

    def prepare(self) -> None:
        """Make the teacher, the held-out sets and the pool of crystals."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "metals.eam.alloy").exists():
            write_setfl(self.elements, self.folder / "metals.eam.alloy")
        (self.folder / "teacher.yaml").write_text(yaml.safe_dump(self.teacher))
        if not (self.folder / "melts.extxyz").exists():
            sample = {**self.mixture["samples"][0], "count": CELLS_UNSEEN, "melting": 2.0, "cooling": 1.0}
            recipe = Recipe.model_validate({"samples": [sample], "seed": 77, "calculator": self.teacher, "limits": {}})
            made = generate(recipe, folder=self.folder, work=self.folder / "melts.work", workers=1, on_failure="skip")
            write_structures(made.structures, self.folder / "melts.extxyz")
        if not (self.folder / "relaxed.extxyz").exists():
            write_structures(self._relaxed(), self.folder / "relaxed.extxyz")
        if not (self.folder / "crystals.extxyz").exists():
            relaxed = open_structures([self.folder / "relaxed.extxyz"], UNLABELLED)
            write_structures(_disturbed(relaxed, CRYSTALS, seed=1), self.folder / "pool.extxyz", overwrite=True)
            unseen = _disturbed(relaxed, CRYSTALS_UNSEEN, seed=2)
            write_structures(self._labelled(unseen, "crystals")[0], self.folder / "crystals.extxyz")

    def _relaxed(self) -> list[Structure]:
        pairs = list(combinations(self.elements, 2))
        texts = [f"{element}:{kind}" for element in self.elements for kind in ("fcc", "bcc", "hcp")]
        texts += [f"{a}{b}:{kind}" for a, b in pairs for kind in ("B2", "L1_0")]
        texts += [f"{a}3{b}:L1_2" for a, b in permutations(self.elements, 2)]
        calculator = open_calculator(self.folder / "teacher.yaml")
        found = relax_crystals(parse_specs(texts, []), calculator, Settings(curves=False))
        kept = [crystal for crystal in found if crystal.atoms is not None and not crystal.problem]
        print(f"{len(kept)} of {len(texts)} crystals are at rest", flush=True)
        return [_named(Structure.from_atoms(crystal.atoms), crystal.name) for crystal in kept]

    def learn(self, name: str, settings: Sequence[str] = ()) -> Path:
        """Run a loop to its end, or what is left of it, and return its folder."""
        out = self.folder / name
        words = ["learn", str(EXAMPLE), "-o", str(out), *(["--resume"] if (out / "learn.yaml").exists() else [])]
        line = f"* * {self.folder}/metals.eam.alloy {' '.join(self.elements)}"
        given = [*self.overrides, f"label.pair_coeff=['{line}']", *settings]
        last = {setting.partition("=")[0]: setting for setting in given}
        words += [word for setting in last.values() for word in ("--set", setting)]
        subprocess.run([sys.executable, "-m", "unnp", *words], check=True)
        return out

    def known_crystals(self, number: int) -> Path:
        """Run the same training on crystals only, and return its folder."""
        if number > CRYSTALS:
            raise SystemExit(
                f"the loop has learnt {number} structures, and there are {CRYSTALS} crystals: raise CRYSTALS."
            )
        pool = f"propose={{crystals: {{kind: pool, data: ['{self.folder / 'pool.extxyz'}']}}}}"
        return self.learn("known", [pool, f"start.random={number}", "stop.rounds=0", "judge={}"])

    def visited(self, model: Path, name: str) -> Sequence[Structure]:
        """Return all frames of a round of melts with a model, as the loop's proposer makes them."""
        sample = {**self.mixture["samples"][0], "count": CELLS_VISITED}
        kind, own = check_kind(PROPOSERS, {**self.mixture, "samples": [sample]}, "propose")
        at = Situation(LAST, self.folder / "visits" / name, 0, Here(HereConfig()), model=model)
        return kind(own, EXAMPLE.parent, "melts").propose(at)

    def judged(self, model: Path, frames: Sequence[Structure], name: str) -> dict[str, float]:
        """Return the errors of a model on frames that atoms could be in, and the share of the others."""
        labelled, left_out = self._labelled(frames, name)
        known = set(load_model(model, "cpu").elements.symbols)
        kept = [s for s in labelled if set(s.to_atoms().get_chemical_symbols()) <= known]
        errors = errors_on(load_model(model, "cpu"), kept)
        return {"frames": len(frames), "unphysical": sum(left_out.values()) / max(1, len(frames)), **errors}

    def _labelled(self, frames: Sequence[Structure], name: str) -> tuple[list[Structure], Counter[str]]:
        limits = FrameLimits()
        reasons = unphysical(frames, limits)
        kept = [frames[k] for k in range(len(frames)) if k not in reasons]
        found = label_structures(
            kept, self.teacher, folder=self.folder, work=self.folder / "labels" / name, workers=1, on_failure="skip"
        ).structures
        wrong = mislabelled(found, limits)
        return [s for k, s in enumerate(found) if k not in wrong], Counter([*reasons.values(), *wrong.values()])


def _flow(data: Any) -> str:
    return yaml.safe_dump(data, default_flow_style=True, width=10**6).strip()


def _named(structure: Structure, name: str) -> Structure:
    structure.group = structure.source = name
    return structure


def _disturbed(crystals: Sequence[Structure], n: int, seed: int) -> list[Structure]:
    """Return crystals of 2 x 2 x 2 cells, in random order, each under a random strain and with random displacements."""
    rng, made = np.random.default_rng(seed), []
    for k in np.resize(rng.permutation(len(crystals)), n).tolist():
        crystal = crystals[k]
        atoms = strained(crystal.to_atoms() * (2, 2, 2), STRAIN, rng)
        atoms.positions += rng.normal(scale=rng.uniform(*DISPLACEMENTS), size=(len(atoms), 3))
        made.append(_named(Structure.from_atoms(atoms), crystal.group))
    return made


def rounds_of(study: Study, loop: Path) -> list[dict[str, Any]]:
    """Return what the model of each round is off by on all that it visited, and on the held-out sets."""
    report = json.loads((loop / "report.json").read_text())
    unseen = {name: open_structures([study.folder / f"{name}.extxyz"]) for name in ("melts", "crystals")}
    rows = []
    for entry in report["rounds"]:
        number = entry["round"]
        model = loop / f"round-{number:03d}/model.pt"
        following = loop / f"round-{number + 1:03d}/proposals/melts/structures"
        visited = open_structures([following], UNLABELLED) if following.exists() else study.visited(model, loop.name)
        row = {
            "model": f"{loop.name}, round {number}",
            "learnt": entry["learnt"],
            "minutes": sum(entry["seconds"].values()) / 60,
        }
        row |= {f"visited_{k}": v for k, v in study.judged(model, visited, f"{loop.name}-{number}").items()}
        for name, structures in unseen.items():
            row |= {f"{name}_{k}": v for k, v in errors_on(load_model(model, "cpu"), structures).items()}
        rows.append(row)
    return rows


def draw(path: Path, rows: Sequence[dict[str, Any]], known: Sequence[dict[str, Any]]) -> None:
    """Draw the errors of forces of the loop's models over what they have learnt, and those of the crystals' model."""
    titles = {"visited": "what the model visits itself", "melts": "held-out melts", "crystals": "held-out crystals"}
    figure, axes = new_figure(2)
    for ax, (quantity, unit) in zip(
        axes, (("forces_mae", "force MAE [eV/A]"), ("energy_mae", "energy MAE [meV/atom]")), strict=True
    ):
        for k, (name, title) in enumerate(titles.items()):
            ax.plot(
                [r["learnt"] for r in rows], [r[f"{name}_{quantity}"] for r in rows], ".-", color=f"C{k}", label=title
            )
            ax.plot([r["learnt"] for r in known], [r[f"{name}_{quantity}"] for r in known], "x", color=f"C{k}")
        ax.plot([], [], "x", color="0.3", label="the same, of known crystals only")
        ax.set(xlabel="structures learnt", ylabel=unit, yscale="log")
        plain_log_ticks(ax.yaxis)
    axes[0].legend(frameon=False, fontsize="small")
    both = [*rows, *known]
    save_figure(figure, path, {name: [row[name] for row in both] for name in rows[0]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--elements", nargs="+", default=[], help="of the metals that `unnp eam` knows")
    parser.add_argument("--cells", type=int, help="melted in each round")
    parser.add_argument("--frames", type=int, help="learnt in each round")
    parser.add_argument("--results", default="self-play", help="folder of the results in benchmarks/results")
    parser.add_argument("--set", action="append", default=[], dest="settings", help="of the loop, as for `unnp learn`")
    parser.add_argument("--known", type=int, help="crystals that the other model learns; default: as many as the loop")
    given = parser.parse_args()
    study = Study(given.folder, given.elements, given.cells, given.frames, given.settings)
    study.prepare()
    loop = study.learn("loop")
    rows = rounds_of(study, loop)
    known = rounds_of(study, study.known_crystals(given.known or rows[-1]["learnt"]))
    results = RESULTS / given.results
    results.mkdir(parents=True, exist_ok=True)
    draw(results / "self-play.png", rows, known)
    for name in ("report.json", "learn.yaml"):
        shutil.copy(loop / name, results / name)


if __name__ == "__main__":
    main()
