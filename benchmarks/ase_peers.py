"""Energy and forces of fcc Ni through ASE on one thread: unnp, MACE, NequIP and SevenNet, random weights, float32, cutoff 5 A.

Each case is a process of its own, so that peers may be installed elsewhere: ``--python mace=/path/to/its/python``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from measuring import NEIGHBORS, Report, Row, default_models, isolated, label, memory_per_atom, model_file, nickel

SECONDS = 4.0
WARMUP, MINIMUM_CALLS = 2, 2  # the first calls allocate, and compile TorchScript
CUTOFF = 5.0


def unnp(case: Row) -> Any:
    """Return our calculator, as a user gets it (a neighbour list with skin)."""
    from unnp.adapters.ase import UnnpCalculator
    from unnp.train.memory import keep_freed_memory

    keep_freed_memory()
    return UnnpCalculator(case["model"], device=case["device"])


def mace(case: Row) -> Any:
    """Return MACE with 128 channels and messages up to ``order`` L (0: as MACE-MP small, 1: medium), two layers."""
    import torch
    from e3nn import o3
    from mace import modules
    from mace.calculators import MACECalculator

    torch.set_default_dtype(torch.float32)
    hidden = "128x0e" if case["order"] == 0 else "128x0e + 128x1o"
    model = modules.ScaleShiftMACE(
        r_max=CUTOFF,
        num_bessel=10,
        num_polynomial_cutoff=5,
        max_ell=3,
        interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
        num_interactions=2,
        num_elements=1,
        hidden_irreps=o3.Irreps(hidden),
        MLP_irreps=o3.Irreps("16x0e"),
        atomic_energies=torch.zeros(1, 1).numpy(),
        avg_num_neighbors=NEIGHBORS,
        atomic_numbers=[28],
        correlation=3,
        gate=torch.nn.functional.silu,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    return MACECalculator(models=model, device=case["device"], default_dtype="float32")


def nequip(case: Row) -> Any:
    """Return NequIP with l_max 2, 32 features and three layers, scripted as ``nequip-compile`` does it."""
    import torch
    from e3nn.util.jit import script
    from nequip.ase import NequIPCalculator
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform
    from nequip.model import NequIPGNNModel
    from nequip.utils.global_state import set_global_state

    set_global_state()
    model = NequIPGNNModel(
        seed=0,
        model_dtype="float32",
        type_names=["Ni"],
        r_max=CUTOFF,
        l_max=2,
        parity=False,
        num_layers=3,
        num_features=32,
        avg_num_neighbors=NEIGHBORS,
        per_type_energy_scales=1.0,
        per_type_energy_shifts=0.0,
    )
    transforms = [ChemicalSpeciesToAtomTypeMapper(model_type_names=["Ni"]), NeighborListTransform(r_max=CUTOFF)]
    return NequIPCalculator(script(model.eval()), device=torch.device(case["device"]), transforms=transforms)


def sevennet(case: Row) -> Any:
    """Return SevenNet with its default widths (32 channels, l_max 1, three layers)."""
    import sevenn._const as const
    from sevenn.calculator import SevenNetCalculator
    from sevenn.model_build import build_E3_equivariant_model

    config = dict(const.DEFAULT_E3_EQUIVARIANT_MODEL_CONFIG) | {
        "cutoff": CUTOFF,
        "chemical_species": ["Ni"],
        "_number_of_species": 1,
        "_type_map": {28: 0},
        "shift": 0.0,
        "scale": 1.0,
        "conv_denominator": NEIGHBORS,
        "version": "benchmark",
        "_modal_map": {},
    }
    model = build_E3_equivariant_model(config)
    return SevenNetCalculator(model, file_type="model_instance", device=case["device"])


CALCULATORS: dict[str, Callable[[Row], Any]] = {"unnp": unnp, "mace": mace, "nequip": nequip, "sevenn": sevennet}
PEERS: list[Row] = [
    {"name": "MACE 128x0e", "package": "mace", "order": 0},
    {"name": "MACE 128x0e + 128x1o", "package": "mace", "order": 1},
    {"name": "NequIP l_max 2, 32 features, 3 layers", "package": "nequip"},
    {"name": "SevenNet l_max 1, 32 channels, 3 layers", "package": "sevenn"},
]


def run_case(case: Row) -> Row:
    """Time calls that each follow a small move of all atoms; return their median."""
    import torch

    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    torch.serialization.add_safe_globals([slice])  # in the constants of e3nn 0.4, which MACE asks for
    atoms = nickel(case["n_atoms"])
    atoms.calc = CALCULATORS[case["package"]](case)
    times: list[float] = []
    shares: list[float] = []
    start = time.monotonic()
    while len(times) < WARMUP + MINIMUM_CALLS or time.monotonic() - start < SECONDS:
        atoms.rattle(0.002, seed=len(times) + 1)
        before, cpu = time.monotonic(), time.process_time()
        atoms.get_forces()
        atoms.get_potential_energy()
        times.append(time.monotonic() - before)
        shares.append((time.process_time() - cpu) / times[-1])
    per_atom = 1e6 * median(times[WARMUP:]) / len(atoms)
    used = 100 * median(shares[WARMUP:])
    return {
        "calls": len(times) - WARMUP,
        "us_per_atom": per_atom,
        "cpu_use_percent": used,
        "version": _version(case["package"]),
    }


def _version(package: str) -> str:
    from importlib.metadata import version

    return version({"mace": "mace-torch"}.get(package, package))


def measure(what: Row, arguments: argparse.Namespace, report: Report) -> None:
    """Report a calculator at all sizes, or once that it is not there or fails."""
    pythons = dict(word.split("=", 1) for word in arguments.python)
    python = pythons.get(what["package"], sys.executable)
    rows = []
    for n in arguments.atoms:
        row = isolated(__file__, {**what, "n_atoms": n, "threads": 1, "device": arguments.device}, python)
        row.pop("model", None)  # a path of this machine
        rows.append(report.add(row))
        if "note" in row:
            return
    report.add({"name": what["name"], "mb_per_atom": memory_per_atom(rows)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=default_models(), help="model files, or presets of random weights")
    parser.add_argument("--atoms", type=int, nargs="+", default=[256, 2048])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--python", metavar="PACKAGE=PATH", nargs="*", default=[], help="interpreters that have a peer")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(run_case(json.loads(arguments.case))))
        return
    settings = {"atoms": arguments.atoms, "device": arguments.device, "threads": 1, "cutoff_A": CUTOFF}
    report = Report("ase_peers", settings)
    with tempfile.TemporaryDirectory() as folder:
        ours = [
            {"name": label(m), "package": "unnp", "model": str(model_file(m, Path(folder)))} for m in arguments.models
        ]
        for what in [*ours, *PEERS]:
            measure(what, arguments, report)


if __name__ == "__main__":
    main()
