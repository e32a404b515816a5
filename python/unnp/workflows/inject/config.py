"""Settings of an injection: data, empirical potentials, architectures, methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from unnp.atoms.outputs import Name
from unnp.config import Config, from_dict
from unnp.config.base import read_yaml
from unnp.config.overrides import apply_settings
from unnp.config.resume import FREE
from unnp.config.seeds import Seeds
from unnp.config.texts import Device
from unnp.data.readers import ReadOptions
from unnp.models.build import PotentialConfig
from unnp.workflows.inject.maps import MapKind
from unnp.workflows.inject.methods import CLASSIFIER, PRETRAINED, MethodConfig
from unnp.workflows.inject.variants import Kind, Variant, expanded

Settings = dict[str, Any]
Fraction = Annotated[float, Field(gt=0, lt=1)]
PUBLISHED_METHODS = {
    "scratch": MethodConfig(),
    "LA": MethodConfig.model_validate({"augment": {}}),
    "MP": MethodConfig.model_validate({"pretrain": {}}),
    "LA+MP": MethodConfig.model_validate({"augment": {}, "pretrain": {}}),
}


class InjectData(Config):
    """Labelled structures, and a pool without labels; paths are relative to the configuration file."""

    labelled: list[str] = Field(min_length=1)
    """Files or stored data sets with the structures that are labelled."""
    test: list[str] | Fraction
    """Files or stored data sets for the errors at the end, without those labelled, or the fraction of these that each seed
    draws."""
    validation: Fraction = 0.15
    """Fraction of what is left that each seed holds back, to choose by."""
    train: PositiveInt | None = None
    """Structures of the rest that each seed draws for the training; null: all."""
    pool: list[str] = Field(min_length=1)
    """Files or stored data sets whose labels, if they have any, are hidden: they only judge. Structures that are labelled or
    test structures too are left out."""
    pool_size: PositiveInt | None = None
    """Structures drawn from the pool, the same for all seeds; null: all."""
    read: ReadOptions = ReadOptions()
    """Names and units of the labels in the files."""


class Bounds(Config):
    """Labels of empirical potentials beyond these are left out."""

    energy: PositiveFloat = 200.0
    """Largest energy, aligned, beside the mean of the labelled structures [eV/atom]."""
    force: PositiveFloat | None = 30.0
    """Largest component of a force [eV/A]; null: no bound."""


class ClassifierConfig(Config):
    """Which potential is the nearest to a structure's label, and how that is learnt."""

    nearest: Literal["energy", "forces", "both", "all"] = "energy"
    """What is compared: energies per atom, force components, or the sum of both errors, each in units of its median; `all` has
    stresses too."""
    tau: PositiveFloat = 0.1
    """Where the energy of the nearest is off by more, no potential is right [eV/atom]."""
    tau_forces: PositiveFloat = 0.3
    """The same of its forces, mean absolute error [eV/A]; counts where forces are compared."""
    tau_stress: PositiveFloat = 2.0
    """The same of its stress, mean absolute error [GPa]; counts where stresses are compared."""
    epochs: PositiveInt = 100
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat = 1e-3


class LearnerConfig(Config):
    """A network that is trained by all methods."""

    potential: PotentialConfig
    """Architecture and its settings."""
    training: Settings = Field(default_factory=dict)
    """Settings of its trainings that differ from the common ones; tables are merged."""
    pretraining: Settings = Field(default_factory=dict)
    """The same for its pretraining."""


class InjectConfig(Config):
    """An injection: every architecture is trained by every method with every seed, and judged on the test structures."""

    data: InjectData
    potentials: dict[Name, str | Settings] = Field(min_length=2)
    """Empirical potentials by names of your choice: calculator files of `unnp data label`, or their settings. Or the name of a
    file that holds such lines, which then count as if they stood here."""
    alignment: Literal["least-squares", "robust"] = "least-squares"
    """How the zeros of energy of the elements are fitted to the training structures; `robust`: those far off hardly count."""
    bounds: Bounds = Bounds()
    classifier: ClassifierConfig = ClassifierConfig()
    architectures: dict[Name, LearnerConfig] = Field(min_length=1, json_schema_extra=FREE)
    """Networks by name; further ones may be added when the run is resumed."""
    methods: dict[Name, MethodConfig] = Field(default=PUBLISHED_METHODS, min_length=1, json_schema_extra=FREE)
    """Ways to train by name; the first is what gains are counted from. Further ones may be added when the run is resumed."""
    variants: dict[Name, list[Kind]] = Field(default_factory=dict, json_schema_extra=FREE)
    """Further methods, each another one with one thing changed, by the name of that: `tukey`, plain squares in the place of the
    biweight; `confidence`, single thirds; `left-out`, without one of the potentials; `alone`, with one of them."""
    published: dict[Name, dict[Name, PositiveFloat]] = Field(default_factory=dict, json_schema_extra=FREE)
    """Mean absolute errors of a publication [meV/atom], by architecture and method, that stand beside those found here."""
    training: Settings = Field(default_factory=dict)
    """Settings of all trainings, as in the file of `unnp train`. `epochs` are those on the labelled structures alone."""
    budget: Literal["steps", "epochs"] = "steps"
    """What trainings with structures of the pool have as many of as those without: optimizer steps, or epochs, which are then
    longer."""
    pretraining: Settings = Field(default_factory=dict)
    """Settings of the pretraining that differ from `training`."""
    judge: Literal["energy", "forces", "stress"] = "energy"
    """Error on the validation structures that alpha is chosen by."""
    seeds: Seeds = Field(default=[0, 1, 2], json_schema_extra=FREE)
    """Each draws its own splits and weights, for error bars."""
    map: MapKind = Field(default="pca", json_schema_extra=FREE)
    """Maps of what networks make of structures: principal components of the features, or `tsne`, which needs scikit-learn."""
    executor: Settings = Field(default={"kind": "processes"}, json_schema_extra=FREE)
    """Where labels are computed and networks are trained; `kind` says how, as for `unnp learn`."""
    attempts: PositiveInt = Field(default=3, json_schema_extra=FREE)
    """How often a training is tried whose process dies."""
    device: Device = Field(default="auto", json_schema_extra=FREE)
    """Where models run."""

    @model_validator(mode="after")
    def _consistent(self) -> InjectConfig:
        for name, method in self.methods.items():
            for other in method.named():
                if other not in self.potentials:
                    raise ValueError(
                        f"methods.{name}: there is no potential '{other}'; give one of {', '.join(self.potentials)}"
                    )
        for key, names, reserved, begins in (
            ("potentials", self.potentials, ("none", CLASSIFIER), ()),
            ("architectures", self.architectures, ("data",), ()),
            ("methods", self.methods, (f"{CLASSIFIER}.json",), (PRETRAINED, f"{CLASSIFIER}-")),
        ):
            for name in names:
                if name in reserved or name.startswith(begins):
                    raise ValueError(f"`{key}`: '{name}' has another meaning here; give another name")
        return self

    @model_validator(mode="after")
    def _variants_are_of_methods(self) -> InjectConfig:
        assert self.further is not None  # raises ValueError where one is of no method
        return self

    @model_validator(mode="after")
    def _published_is_trained(self) -> InjectConfig:
        for architecture, numbers in self.published.items():
            if architecture not in self.architectures:
                raise ValueError(f"published: there is no architecture '{architecture}' among `architectures`")
            if unknown := [name for name in numbers if name not in self.ways]:
                raise ValueError(
                    f"published.{architecture}: there is no method '{unknown[0]}'; give one of {', '.join(self.ways)}"
                )
        return self

    @property
    def further(self) -> dict[str, Variant]:
        """Variants of methods by name."""
        return expanded(self.variants, self.methods, list(self.potentials))

    @property
    def ways(self) -> dict[str, MethodConfig]:
        """All ways to train by name: the methods, and behind them their variants."""
        return {**self.methods, **{name: variant.method for name, variant in self.further.items()}}

    @property
    def baseline(self) -> str:
        """Name of the method that gains are counted from."""
        return next(iter(self.methods))


def load_injection(path: Path, settings: Sequence[str] = ()) -> InjectConfig:
    """Read the YAML file of an injection, whose `potentials` may be the name of a file with them; settings as of ``--set``.

    Raises:
        ConfigError: what ``load_with_overrides`` raises; the file with the potentials cannot be read.
    """
    content = _with_potentials(read_yaml(path), path.parent)
    content = _with_potentials(apply_settings(content, settings), path.parent)
    return from_dict(content, InjectConfig, where=f"{path} with --set" if settings else str(path))


def _with_potentials(content: Settings, base: Path) -> Settings:
    given = content.get("potentials")
    return {**content, "potentials": read_yaml(base / given)} if isinstance(given, str) else content
