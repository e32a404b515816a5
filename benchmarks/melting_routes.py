"""Melting point of aluminium on all routes of `unnp melt`, side by side: examples/melt/al.yaml, and a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measuring import HERE, Report
from unnp.config.overrides import load_with_overrides
from unnp.plots import new_figure, save_figure
from unnp.workflows.melt.config import MeltConfig
from unnp.workflows.melt.finite_size import SizePoint, finite_size
from unnp.workflows.melt.run import CONFIG_FILE, run_melt

CONFIG = HERE.parent / "examples" / "melt" / "al.yaml"
LITERATURE = 926.0  # K, of this potential


def figure(points: list[SizePoint], path: Path) -> None:
    """Draw the melting points with their errors, a column per route and cell; data beside."""
    drawing, (ax,) = new_figure(1, width=1.4 + 1.1 * len(points))
    names = [f"{p.route}\n{p.n_atoms} atoms" for p in points]
    temperatures = [p.melting_point.value for p in points]
    errors = [p.melting_point.error for p in points]
    ax.axhline(LITERATURE, color="0.6", lw=0.9, zorder=0, label=f"literature, {LITERATURE:.0f} K")
    ax.errorbar(np.arange(len(points)), temperatures, errors, fmt="o", ms=5, capsize=4)
    ax.set_xticks(np.arange(len(points)), names)
    ax.set(ylabel="melting point [K]", xlim=(-0.5, len(points) - 0.5))
    ax.legend(frameon=False, fontsize="small")
    columns = {"route": [p.route for p in points], "n_atoms": [p.n_atoms for p in points]}
    save_figure(drawing, path, columns | {"melting_point_K": temperatures, "error_K": errors})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="override a setting")
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/melting-routes"), help="of the run; gone on with if it is there"
    )
    arguments = parser.parse_args()
    config = load_with_overrides(CONFIG, arguments.set, MeltConfig)
    output = Report("melting_routes", {"config": config.model_dump(mode="json"), "literature_K": LITERATURE})
    resume = (arguments.folder / CONFIG_FILE).is_file()
    report = run_melt(config, CONFIG.parent, arguments.folder, resume=resume)
    sizes = finite_size(report.points)
    for point in report.points:
        heat = point.latent_heat
        output.add(
            {
                "route": point.route,
                "n_atoms": point.n_atoms,
                "melting_point_K": point.melting_point.value,
                "error_K": point.melting_point.error,
                "latent_heat_eV_per_atom": heat and heat.value,
                "latent_heat_error": heat and heat.error,
            }
        )
    for name, result in report.results.items():
        output.add({"route": name, "warnings": [text for r in (*result.smaller, result) for text in r.warnings]})
    output.add({"statements": sizes["statements"] if sizes else [], "failures": dict(report.failures)})
    figure(report.points, output.path.with_suffix(".png"))


if __name__ == "__main__":
    main()
