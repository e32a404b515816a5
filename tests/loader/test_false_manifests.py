"""A manifest that says something else than its network, with right checksums: refused in one line, or the right energy."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from false_manifests import FALSE_MANIFESTS, sealed
from model_archive import Archive
from unnp.adapters.ase import UnnpCalculator
from unnp.core import core
from unnp.errors import ModelError
from unnp.exported.loader import load_model

NI = Path(__file__).parents[2] / "models" / "teanet-mlearn-Ni" / "model.pt"


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive(NI.read_bytes())


def energy(path: Path) -> float:
    atoms = bulk("Ni", cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=1)
    atoms.calc = UnnpCalculator(path, device="cpu")
    return float(atoms.get_potential_energy())


@pytest.mark.parametrize("case", FALSE_MANIFESTS)
def test_a_false_manifest_is_refused_or_does_no_harm(case: str, archive: Archive, tmp_path: Path) -> None:
    fields, message = FALSE_MANIFESTS[case]
    path = tmp_path / "m.pt"
    path.write_bytes(sealed(archive, **fields))
    if not message:
        core().check_model(str(path))
        assert energy(path) == pytest.approx(energy(NI), abs=1e-5)
        return
    for read in (lambda: load_model(path, device="cpu"), lambda: core().check_model(str(path))):
        with pytest.raises((ModelError, RuntimeError)) as error:
            read()
        assert message in str(error.value)
        assert "\n" not in str(error.value)
