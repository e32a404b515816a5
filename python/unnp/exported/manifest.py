"""What an exported model file says about itself: the JSON beside the TorchScript code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from unnp.atoms.elements import Elements
from unnp.atoms.outputs import Cost, Name, Output
from unnp.config import Config, from_dict
from unnp.core import model_files
from unnp.errors import ConfigError, ModelError, in_one_line, unknown

FORMAT_VERSION = 1
MANIFEST_NAME = "unnp.json"
TORCH_SUPPORTED = ("2.11", "2.15")
MAX_CUTOFF = 50.0
MAX_RECEPTIVE_FIELD = 1000.0
MAX_WIDTH = 16384
MAX_MEMBERS = 1000
MAX_SCALE = 1e12


class Units(Config):
    """Units of what the scripted module takes and returns; version 1 of the format knows only these."""

    energy: Literal["eV"] = "eV"
    length: Literal["angstrom"] = "angstrom"


class ManifestHead(Config):
    """A level of theory that a potential knows."""

    name: Name
    """Name by which the head is chosen."""
    reference_energies: dict[str, FiniteFloat]
    """Energy per isolated (or fitted) atom of each element [eV]."""
    groups: list[str] = Field(default_factory=list)
    """Groups of the training data that it has learned from."""


class Manifest(Config):
    """The manifest of an exported model; docs/design.md describes every field."""

    format_version: Literal[1] = 1
    name: str
    """Display name."""
    architecture: str
    """Name in the registry of architectures."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Resolved configuration of the potential."""
    elements: list[str]
    """Chemical symbols; the position is the species index."""
    cutoff: FiniteFloat = Field(gt=0, le=MAX_CUTOFF)
    """Longest bond that has to be listed [A]."""
    receptive_field: FiniteFloat = Field(gt=0, le=MAX_RECEPTIVE_FIELD)
    """How far an atom's energy reaches [A]."""
    halo: Literal["local", "exchange", "wide"]
    """How the model runs on several ranks."""
    exchange_widths: list[Annotated[int, Field(ge=1, le=MAX_WIDTH)]] = Field(default_factory=list, max_length=10000)
    """Numbers per atom of each exchange, in order."""
    pooling_widths: list[Annotated[int, Field(ge=1, le=MAX_WIDTH)]] = Field(default_factory=list, max_length=10000)
    """Numbers of each sum over all atoms of a structure, in order."""
    cost: Cost = "bonds"
    """What time and memory grow with, and so what bounds a batch."""
    dtype: Literal["float32", "float64"]
    """Number type of parameters and bond vectors."""
    units: Units = Units()
    heads: list[ManifestHead] = Field(min_length=1, max_length=1000)
    """Levels of theory; the first is taken where none is chosen."""
    outputs: list[Output] = Field(min_length=1, max_length=1000)
    """Quantities that can be asked for; energy and features among them."""
    n_members: int = Field(default=1, ge=1, le=MAX_MEMBERS)
    """Committee size; 1 means no committee."""
    deviation_scales: dict[Literal["energy", "forces"], Annotated[FiniteFloat, Field(gt=0, le=MAX_SCALE)]] = Field(
        default_factory=dict
    )
    """Factors that make errors of how far the members disagree, as `unnp calibrate` found them; empty: not calibrated."""
    torch_version: str
    """Version of torch the file was written with."""
    torch_supported: tuple[str, str] = TORCH_SUPPORTED
    """Oldest and newest torch release the file may be opened with."""
    n_parameters: int = Field(ge=0, le=10**12)
    data: dict[str, Any] = Field(default_factory=dict)
    """Summary of the training data."""
    validity: dict[str, str] = Field(default_factory=dict)
    """What the training data cover, by name; outside of it energies and forces are extrapolated."""
    metrics: dict[str, Any] = Field(default_factory=dict)
    """Errors on unseen data."""
    references: list[str] = Field(default_factory=list)
    """What to cite."""
    licence: str = ""
    created: str = ""
    """Date and time of the export, ISO 8601."""
    records_checksum: str = ""
    """SHA-256 over the names, sizes and CRC-32 of the other records, and over this manifest with zeros here; files without it
    are not checked against it."""

    @field_validator("elements")
    @classmethod
    def _elements_are_symbols(cls, elements: list[str]) -> list[str]:
        try:
            return Elements(elements).symbols
        except Exception as error:
            raise ValueError(str(error)) from None

    @field_validator("torch_supported", "torch_version")
    @classmethod
    def _versions_are_numbers(cls, given: Any) -> Any:
        for version in [given] if isinstance(given, str) else given:
            release(version)
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        for head in self.heads:
            if set(head.reference_energies) != set(self.elements):
                raise ValueError(f"reference_energies must name exactly the elements {', '.join(self.elements)}")
        for names in ([head.name for head in self.heads], [output.name for output in self.outputs]):
            if len(set(names)) < len(names):
                raise ValueError(f"of the names {', '.join(names)} one stands twice")
        if not {"energy", "features"} <= {output.name for output in self.outputs}:
            raise ValueError("outputs must name energy and features")
        if self.deviation_scales and self.n_members < 2:
            raise ValueError("deviation_scales is of a committee, but the model has one member")
        if self.receptive_field < self.cutoff * (1 - 1e-9):
            raise ValueError(f"receptive_field {self.receptive_field} A is shorter than cutoff {self.cutoff} A")
        if self.halo == "exchange" and not self.exchange_widths:
            raise ValueError("halo 'exchange' needs exchange_widths")
        if self.halo == "local" and self.exchange_widths:
            raise ValueError("halo 'local' has no exchange, but exchange_widths is not empty")
        if self.halo == "wide" and self.pooling_widths:
            raise ValueError("halo 'wide' has no sums over all atoms, but pooling_widths is not empty")
        return self

    def head(self, name: str | None) -> int:
        """Return the position of a head, of the first for None; raise ConfigError for a name there is not."""
        names = [head.name for head in self.heads]
        if name is not None and name not in names:
            raise ConfigError(unknown("head of this model", in_one_line(name), names))
        return 0 if name is None else names.index(name)

    def output(self, name: str) -> Output:
        """Return a declared output; raise ConfigError for a name there is not."""
        outputs = {output.name: output for output in self.outputs}
        if name not in outputs:
            raise ConfigError(unknown("output of this model", in_one_line(name), outputs))
        return outputs[name]

    def deviation_scale(self, quantity: Literal["energy", "forces"]) -> float:
        """Return the factor on how far the members disagree; 1 where it is not calibrated."""
        return self.deviation_scales.get(quantity, 1.0)

    def calibration(self) -> str:
        """Return which deviations of a committee hold a factor, and which one, for people."""
        said = [
            f"{name} calibrated (times {self.deviation_scale(name):.4g})"
            if name in self.deviation_scales
            else f"{name} not calibrated"
            for name in ("energy", "forces")
        ]
        return f"deviation of {', of '.join(said)}"

    def to_json(self) -> str:
        """Return the manifest as JSON text, fields in declared order."""
        return json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes, source: str | Path) -> Manifest:
        """Read and check a manifest.

        Args:
            text: the JSON.
            source: the file it comes from, for error messages.

        Raises:
            ModelError: not JSON, of a newer format, or a field is missing, unknown or wrong.
        """
        try:
            content = json.loads(text)
            json.dumps(content, ensure_ascii=False).encode()  # JSON can spell half a character, which no text has
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"{source}: the manifest {MANIFEST_NAME} is not valid JSON ({error}); export it again."
            ) from None
        if not isinstance(content, dict):
            raise ModelError(f"{source}: the manifest {MANIFEST_NAME} must be a JSON object; export the model again.")
        _check_format_version(content.get("format_version"), source)
        try:
            manifest = from_dict(content, cls, where=f"{source}: manifest {MANIFEST_NAME}")
            # What LAMMPS would refuse is refused here too: doubled keys, numbers given as texts or truth values, ...
            model_files().check_manifest(text.encode() if isinstance(text, str) else text, str(source))
        except (ConfigError, RuntimeError) as error:
            raise ModelError(str(error).replace(":\n  ", ": ").replace("\n  ", "; ")) from None
        return manifest

    def check_torch(self, version: str, source: str | Path) -> None:
        """Raise ModelError where ``version`` of torch is outside the range the file supports."""
        oldest, newest = self.torch_supported
        if not release(oldest) <= release(version) <= release(newest):
            raise ModelError(
                f"{source} runs with torch {oldest} to {newest}, but torch {version} is installed. "
                "Install a torch of that range, or export the model again with this one."
            )


def release(version: str) -> tuple[int, int]:
    """Return (major, minor) of a version such as "2.13.0+cpu"; raise ValueError where there are none."""
    found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})(?![^.+])", version)
    if not found:
        raise ValueError(f"'{in_one_line(version)}' is not a version such as '2.13'")
    return int(found[1]), int(found[2])


def _check_format_version(given: Any, source: str | Path) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        shown = in_one_line(repr(given))
        raise ModelError(f"{source}: format_version must be {FORMAT_VERSION}, got {shown}; export the model again.")
    if given > FORMAT_VERSION:
        raise ModelError(
            f"{source} has format {given}; this unnp reads up to format {FORMAT_VERSION}. Upgrade unnp to open it."
        )
