"""What the pages show is true: configurations are valid, options exist, the example architecture works."""

from __future__ import annotations

import importlib.util
import re
import shlex
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml
from unnp.atoms.elements import Elements
from unnp.atoms.graph import Graph
from unnp.atoms.structure import Structure
from unnp.config import Config, from_dict, load_yaml
from unnp.config.overrides import load_with_overrides
from unnp.core import core
from unnp.data.generation import Recipe
from unnp.data.labellers import check_settings
from unnp.data.labellers.ase_calculator import AseConfig
from unnp.derivatives import predict
from unnp.models import Head, PotentialConfig, TrainingData, architecture, architectures, build_potential
from unnp.models.checkpoint import number_type
from unnp.train.config import TrainConfig
from unnp.workflows.adsorption.config import AdsorptionConfig
from unnp.workflows.benchmark.config import BenchmarkConfig
from unnp.workflows.benchmark.entries import merged
from unnp.workflows.inject.config import load_injection
from unnp.workflows.inject.trainings import check_trainings
from unnp.workflows.learn.config import LearnConfig
from unnp.workflows.md.config import MdConfig
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.surfaces.config import SurfacesConfig

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def captioned(page: str, caption: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^:caption: {re.escape(caption)}\n\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, caption
    return found[1]


def commands() -> list[tuple[str, list[str]]]:
    """Return page and words of every ``unnp`` command that a page shows."""
    found = []
    for page in PAGES:
        for line in re.findall(r"^\$ .*?\b(unnp (?!--).*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            found.append((page.name, shlex.split(line.partition(";")[0])[1:]))
    return found


@pytest.mark.parametrize(("page", "words"), commands(), ids=lambda value: value if isinstance(value, str) else value[0])
def test_options_of_commands_exist(page: str, words: list[str]) -> None:
    reference_of = load(DOCS / "_ext/cli_reference.py")
    is_group = "" not in reference_of.verbs(words[0])
    reference = reference_of.cli_markdown(words[:2] if is_group else words[:1])
    named = set(
        re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(re.findall(r"^\| `(.*?)` \|", reference, re.MULTILINE)))
    )
    given = [word for word in words if re.fullmatch(r"--?[a-z][\w-]*", word)]
    assert set(given) <= named


def test_configurations_are_valid() -> None:
    own = from_dict(yaml.safe_load(captioned("tutorials/your-data.md", "train.yaml")), TrainConfig)
    assert (own.loss.stress.weight, own.loss.stress.offset) == (20, "fit")
    calculator = yaml.safe_load(captioned("tutorials/your-data.md", "espresso.yaml"))
    assert calculator.pop("kind") == "ase"
    assert from_dict(calculator, AseConfig).name == "espresso"
    training = re.search(
        r"^```yaml\n(.*?)^```", (DOCS / "training.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert training
    assert from_dict(yaml.safe_load(training[1]), TrainConfig).epochs == 500
    zbl = re.search(
        r"^```yaml\n(.*?)^```", (DOCS / "architectures/zbl.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert zbl
    potential = from_dict(yaml.safe_load(zbl[1])["potential"], PotentialConfig)
    from_dict(potential.add["zbl"], architecture("zbl").Config)


def test_example_architecture_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unnp.models.registry.REGISTRY.entries", architectures())  # a copy, which the example goes into
    kind = load(DOCS.parent / "examples/outside_architecture/unnp_messages.py").Messages
    settings = PotentialConfig(architecture=kind.name, settings=kind.example_settings)
    with number_type("float64"):
        potential = build_potential(settings, ["Al"], [Head(1.0, {"Al": -1.5})], TrainingData(10.0))
    core()  # the operators that the code names
    scripted = torch.jit.script(potential)

    def energy_and_forces(positions: np.ndarray) -> tuple[float, np.ndarray]:
        structure = Structure(np.full(3, 13), positions)
        result = predict(scripted, Graph.of(structure, Elements(["Al"]), potential.cutoff()))
        assert result.forces is not None
        return float(result.energy[0]), result.forces.numpy()

    positions = np.array([[0.0, 0, 0], [2.2, 0.3, 0], [0.4, 2.5, 0.6]])
    forces = energy_and_forces(positions)[1]
    assert np.abs(forces).max() > 1e-4
    step = np.zeros((3, 3))
    step[1, 0] = 1e-4
    slope = (energy_and_forces(positions + step)[0] - energy_and_forces(positions - step)[0]) / 2e-4
    assert forces[1, 0] == pytest.approx(-slope, rel=1e-5, abs=1e-8)
    assert energy_and_forces(100 * positions)[0] == pytest.approx(-4.5)


def test_examples_of_momt_are_valid() -> None:
    files = sorted((DOCS.parent / "examples/momt").glob("*.yaml"))
    assert files
    for file in files:
        load_yaml(file, MomtConfig)


@pytest.mark.parametrize("file", sorted((DOCS.parent / "examples/data").glob("*.yaml")), ids=lambda file: file.stem)
def test_examples_of_recipes_are_valid(file: Path) -> None:
    recipe = load_yaml(file, Recipe)
    assert recipe.calculator is not None
    check_settings(recipe.calculator)


@pytest.mark.parametrize("file", sorted((DOCS.parent / "examples/learn").glob("*.yaml")), ids=lambda file: file.stem)
def test_examples_of_loops_are_valid(file: Path) -> None:
    if not file.stem.endswith("pool"):
        load_yaml(file, LearnConfig)
    else:
        load_yaml(file, Recipe)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("adsorption/coh-on-co", AdsorptionConfig),
        ("surfaces/surfaces", SurfacesConfig),
        ("surfaces/start-data", Recipe),
        ("surfaces/start", TrainConfig),
        ("surfaces/element", TrainConfig),
        ("fine_tuning/level-data", Recipe),
        ("fine_tuning/level", TrainConfig),
        ("fine_tuning/modes", TrainConfig),
        ("fine_tuning/modes-md", MdConfig),
        ("universal/crystals", Recipe),
        ("universal/close", Recipe),
        ("universal/diamond", Recipe),
        ("universal/carbon", Recipe),
        ("universal/loop", LearnConfig),
        ("universal/train", TrainConfig),
        ("teacher/crystals", Recipe),
        ("teacher/start", TrainConfig),
        ("teacher/tuned", TrainConfig),
        ("teacher/scratch", TrainConfig),
    ],
)
def test_examples_of_teachers_and_surfaces_are_valid(file: str, kind: type[Config]) -> None:
    path = DOCS.parent / f"examples/{file}.yaml"
    config = load_yaml(path, kind)
    for potential in getattr(config, "potentials", {}).values():
        for name in [potential.file] if potential.file else potential.files.values():
            assert (path.parent / name).is_file()


def test_the_example_of_a_teacher_compares_what_differs_in_its_start_alone() -> None:
    folder = DOCS.parent / "examples/teacher"
    tuned, scratch = (load_yaml(folder / f"{name}.yaml", TrainConfig) for name in ("tuned", "scratch"))
    differences = {name for name in TrainConfig.model_fields if getattr(tuned, name) != getattr(scratch, name)}
    assert differences == {"start", "heads", "replay", "optimizer"}
    assert load_yaml(folder / "start.yaml", TrainConfig).potential == tuned.potential == scratch.potential
    surfaces = load_yaml(folder / "surfaces.yaml", SurfacesConfig)
    assert list(surfaces.potentials) == ["teacher", "start", "scratch", "tuned"]
    assert surfaces.potentials["tuned"].head == next(iter(tuned.heads))
    assert check_settings(yaml.safe_load((folder / "teacher.yaml").read_text()))


def test_the_example_of_the_adsorption_test_spells_out_the_defaults() -> None:
    config = load_yaml(DOCS.parent / "examples/adsorption/coh-on-co.yaml", AdsorptionConfig)
    defaults = AdsorptionConfig(potentials=config.potentials)
    for placed, default in zip(
        [*config.molecule, *(config.dissociated or [])],
        [*defaults.molecule, *(defaults.dissociated or [])],
        strict=True,
    ):
        assert placed.symbol == default.symbol
        assert placed.at == pytest.approx(default.at, abs=1e-3)
    same = {"molecule": [], "dissociated": None}
    assert config.surface.model_copy(update={"lattice": None}) == defaults.surface
    assert config.model_copy(update=same | {"surface": defaults.surface}) == defaults.model_copy(update=same)


@pytest.mark.parametrize(
    "file", sorted((DOCS.parent / "examples/benchmark").glob("*.yaml")), ids=lambda file: file.stem
)
def test_examples_of_benchmarks_are_valid(file: Path) -> None:
    config = load_yaml(file, BenchmarkConfig)
    for name, model in config.models.items():
        if model.potential is not None:
            settings = {**merged(config.training, model.training), "data": config.data.model_dump(mode="json")}
            training = from_dict({**settings, "potential": model.potential.model_dump()}, TrainConfig, where=name)
            assert training.potential.cutoff() <= 6.0


@pytest.mark.parametrize("file", ["cu", "si", "si-crystals", "si-table", "toy"])
def test_examples_of_injections_are_valid(file: str) -> None:
    config = load_injection(DOCS.parent / f"examples/inject/{file}.yaml")
    check_trainings(config)
    for settings in config.potentials.values():
        assert not isinstance(settings, str)
        check_settings(settings)


def test_the_training_of_one_element_begins_with_another_as_benchmarks_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS.parent / "benchmarks"))
    recipe = DOCS.parent / "examples/surfaces/element.yaml"
    _, comment = recipe.read_text(encoding="utf-8").split("the universal one of start.yaml:\n")
    words = shlex.split(comment.partition("\n# benchmarks")[0].replace("\\\n", "").replace("#", ""))
    settings = [word for before, word in pairwise(words) if before == "--set"]
    assert set(load(DOCS.parent / "benchmarks/from_start.py").TUNED) < set(settings)
    config = load_with_overrides(recipe, settings, TrainConfig)
    assert (config.start, config.heads["dft"].copy_of, config.optimizer.learning_rate) == ("start.pt", "default", 2e-3)


def test_the_example_of_copper_has_a_pool() -> None:
    recipe = load_yaml(DOCS.parent / "examples/inject/cu-pool.yaml", Recipe)
    pages = (DOCS.parent / "examples/inject/cu.yaml").read_text(encoding="utf-8")
    assert recipe.calculator is None
    assert "unnp data generate cu-pool.yaml -o cu-pool" in pages
