"""The melting point of 108 atoms of aluminium from all three modes of fix momt, and how often each melts and freezes.

Runs examples/momt/al108.yaml with one walker per mode: 1.5 ns of adaptation, 3 ns with the bias frozen; at narrower ranges of
temperature for the hills of wt, which act at all temperatures alike, and the grid of wl. All bins of the latter get as many
samples as those of solid and liquid, and few are left for these: its effective fraction is smaller. Finished runs in the
folder are taken as they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from measuring import HERE, Report, Row
from unnp.config.overrides import load_with_overrides
from unnp.sampling.samples import read_samples
from unnp.workflows.momt.config import MomtConfig
from unnp.workflows.momt.folder import CONFIG_FILE
from unnp.workflows.momt.run import run_momt

EXAMPLE = HERE.parent / "examples/momt/al108.yaml"
COMMON = [
    "stages.production.min=3000",
    "frames.wanted=1000",
]
MODES = {
    "opes": [],
    "wt": ["bias.kind=wt", "order.kind=fk", "temperatures=[945,1000]", "temperature=970", "n_temperatures=3"],
    "wl": ["bias.kind=wl", "temperatures=[900,1200]", "analysis.min_effective_fraction=0.005"],
}
LIQUID, SOLID = 0.1, 0.35  # of s of 108 atoms: the liquid is below, the crystal above
STRETCH = 0.5  # ns, over which passages are counted


def passages(order: np.ndarray) -> np.ndarray:
    """Return the rows at which s arrives in the other phase."""
    phase = np.where(order < LIQUID, -1, np.where(order > SOLID, 1, 0))
    rows = np.flatnonzero(phase)
    return rows[1:][np.diff(phase[rows]) != 0]


def rates(log: Path, timestep: float, kind: str) -> tuple[float, float]:
    """Return passages per ns of a whole phase, and of its best half nanosecond."""
    samples = read_samples([log])
    intensity = samples.order**2 if kind == "fk" else samples.order
    arrivals = samples.step[passages(intensity)] * timestep * 1e-6
    length = float(samples.step[-1] - samples.step[0]) * timestep * 1e-6
    best = max((int(((arrivals >= t) & (arrivals < t + STRETCH)).sum()) for t in arrivals), default=0)
    return len(arrivals) / length, best / STRETCH


def measure(mode: str, folder: Path) -> Row:
    """Return what a run in one mode says."""
    config = load_with_overrides(EXAMPLE, [*COMMON, *MODES[mode]], MomtConfig)
    run_momt(config, EXAMPLE.parent, folder, resume=(folder / CONFIG_FILE).is_file())
    analysis = json.loads((folder / "summary.json").read_text())["analysis"]
    melting = analysis["melting"] or {}
    row: Row = {"mode": mode, "range_K": list(config.temperatures), "melting": melting, "refusal": analysis["refusal"]}
    for phase in ("adapt", "production"):
        row[f"{phase}_passages_per_ns"], row[f"{phase}_best_half_ns"] = rates(
            folder / phase / "momt.0.log", config.timestep, config.order.kind
        )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--folder", type=Path, default=Path("runs/momt-modes"))
    arguments = parser.parse_args()
    report = Report("momt_modes", {"system": "Al, 108 atoms, 0 GPa"})
    for mode in arguments.modes:
        report.add(measure(mode, arguments.folder / mode))


if __name__ == "__main__":
    main()
