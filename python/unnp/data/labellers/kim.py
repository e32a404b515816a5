"""Labels from a model of OpenKIM."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from unnp.atoms.structure import Structure
from unnp.config import Config
from unnp.data.labellers.ase_calculator import AseConfig, AseLabeller
from unnp.data.labellers.base import Labeller, register
from unnp.data.labellers.lammps_pair_style import LammpsLabeller
from unnp.data.labellers.lammps_simulation import PairStyle
from unnp.errors import ConfigError
from unnp.kim.eam import DRIVER, eam_table, write_table
from unnp.kim.models import KimModel, find_model, log_errors_only

KIMPY = (
    "Computing a KIM model through the KIM API needs kimpy: `pip install kimpy`, for which the KIM API must be there with "
    "its headers (Debian and Ubuntu: `apt-get install libkim-api-dev pkg-config`; conda: `conda install -c conda-forge kimpy`)."
)


class KimConfig(Config):
    """A model of OpenKIM."""

    model: str
    """its name or code, as `unnp kim list` shows them"""
    through: Literal["auto", "lammps", "kimpy"] = "auto"
    """what computes it: LAMMPS, which needs EAM tables, or the KIM API; auto takes LAMMPS where it can"""


@register("kim")
class KimLabeller(Labeller):
    """Labels from an installed model: of EAM tables with LAMMPS, of any other with ASE's KIM calculator and kimpy."""

    Config = KimConfig

    def __init__(self, config: KimConfig, folder: Path) -> None:
        super().__init__(config, folder)
        model = find_model(config.model)
        self._tables = TemporaryDirectory(prefix="unnp-kim-")
        tabulated = model.driver.startswith(DRIVER)
        with_lammps = config.through == "lammps" or (config.through == "auto" and tabulated)
        self._labeller = _with_lammps(model, Path(self._tables.name)) if with_lammps else _with_kimpy(model, folder)

    @classmethod
    def files(cls, config: KimConfig, folder: Path) -> list[Path]:
        return [find_model(config.model).path]

    def check(self) -> None:
        self._labeller.check()

    def compute(self, structure: Structure) -> dict[str, Any]:
        return self._labeller.compute(structure)

    def close(self) -> None:
        self._labeller.close()
        self._tables.cleanup()


def _with_lammps(model: KimModel, folder: Path) -> Labeller:
    table = eam_table(model)
    write_table(table, folder)
    elements = [symbol for symbol in model.elements if symbol in table.elements]
    pair_style = PairStyle(elements=elements, pair_style=table.pair_style, pair_coeff=[table.pair_coeff(elements)])
    return LammpsLabeller(pair_style, folder)


def _with_kimpy(model: KimModel, folder: Path) -> Labeller:
    if find_spec("kimpy") is None:
        raise ConfigError(f"the KIM model {model.name} cannot be computed: kimpy is not installed. {KIMPY}")
    log_errors_only(model)
    return AseLabeller(AseConfig(name="kim", parameters={"model_name": model.name}), folder)
