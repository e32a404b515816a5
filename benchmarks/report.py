"""Write the tables of benchmarks/results into speed.md and robustness.md, and a figure beside the results of each machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fuzz_report import OUTCOMES
from measuring import HERE, RESULTS, Row

BEGIN, END = "<!-- results: written by report.py -->", "<!-- end of results -->"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with some significant digits, never in powers of ten; a dash for none."""
    if value is None:
        return "-"
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def lammps(result: Row) -> str:
    """Return time and memory per pair style and ranks over the sizes, and the breakdown of ours."""
    rows, sizes = result["rows"], result["settings"]["atoms"]
    header = ["pair style, us/atom/step per thread", "ranks", "threads", *[f"{n:,} atoms" for n in sizes]]
    header += ["MB/atom", "CPU got, %"]
    lines = []
    for summary in (row for row in rows if "mb_per_atom" in row):
        of = {
            row["n_atoms"]: row for row in rows if "n_atoms" in row and _same(row, summary, "style", "ranks", "threads")
        }
        cells = [number(of[n]["us_per_atom_step_thread"]) for n in sizes]
        cpu = f"{min(row.get('cpu_use_percent', 0.0) for row in of.values()):.0f}"
        lines.append(
            [
                summary["style"],
                str(summary["ranks"]),
                str(summary.get("threads", 1)),
                *cells,
                _memory(summary["mb_per_atom"]),
                cpu,
            ]
        )
    lines += [[row["style"], row["note"], *["-"] * (len(sizes) + 3)] for row in rows if "note" in row]
    parts = ["edges", "forward", "backward", "exchange", "forces"]
    broken = [
        [row["style"], str(row["ranks"]), str(row.get("threads", 1)), f"{row['n_atoms']:,}"]
        + [number(row[f"us_{part}"]) for part in parts]
        for row in rows
        if "us_forward" in row
    ]
    where = ["where the time goes, us/atom/step per thread", "ranks", "threads", "atoms", *parts]
    return f"{table(header, lines)}\n\n{table(where, broken)}"


def ase(result: Row) -> str:
    """Return time and memory per calculator."""
    rows, sizes = result["rows"], result["settings"]["atoms"]
    names = list(dict.fromkeys(row["name"] for row in rows))
    lines = []
    for name in names:
        own = [row for row in rows if row["name"] == name]
        note = next((row["note"] for row in own if "note" in row), "")
        time = {row["n_atoms"]: row["us_per_atom"] for row in own if "us_per_atom" in row}
        memory = next((row["mb_per_atom"] for row in own if "mb_per_atom" in row), None)
        version = note or next((row["version"] for row in own if "version" in row), "")
        lines.append([name, version, *[number(time.get(n)) for n in sizes], _memory(memory)])
    return table(["ASE calculator, us/atom per call", "version", *[f"{n:,} atoms" for n in sizes], "MB/atom"], lines)


def training(result: Row) -> str:
    """Return speed and memory per preset, threads and structures in a batch."""
    header = ["preset", "parameters", "threads", "batch", "ms/step", "structures/s", "us/atom", "peak memory, MB"]
    keys = ["n_parameters", "threads", "batch_size", "ms_per_step", "structures_per_s", "us_per_atom", "peak_rss_mb"]
    return table(header, [[row["preset"], *[number(row.get(key)) for key in keys]] for row in result["rows"]])


def architectures(result: Row) -> str:
    """Return time and memory per architecture."""
    header = ["architecture", "preset", "parameters", "cutoff, A", "neighbours"]
    keys = ["n_parameters", "cutoff_A", "neighbors", "us_per_atom_step_thread", "mb_per_atom", "training_us_per_atom"]
    header += ["LAMMPS, us/atom/step", "LAMMPS, MB/atom", "training, us/atom/step"]
    lines = [[*row["name"].split(":"), *[number(row[key]) for key in keys]] for row in result["rows"]]
    return table(header, lines)


def fused(result: Row) -> str:
    """Return times of the operators beside their floors."""
    rates, *rows = result["rows"]
    text = f"Measured copy {number(rates['copy_gb_s'])} GB/s, float32 matrix product {number(rates['gemm_gflop_s'])} Gflop/s."
    header = ["operator", "order", "fused, ms", "plain, ms", "plain / fused", "floor, ms", "fused / floor"]
    lines = []
    for row in rows:
        f, p, floor = row["fused_ms"], row["plain_ms"], row["floor_ms"]
        lines.append(
            [row["op"], row["order"], number(f), number(p), number(p / f, 2), number(floor), number(f / floor, 2)]
        )
    return f"{text}\n\n{table(header, lines)}"


def momt(result: Row) -> str:
    """Return what fix momt adds to a step, on top of plain dynamics and of dynamics with the energy at every step."""
    header = ["pair style", "atoms", "run", "CPU ms/step", "over plain, %", "over energy at every step, %", "asked, %"]
    names = {"plain": "plain NVE", "energy": "energy at every step"}
    lines = []
    for row in result["rows"]:
        ratios = [row.get(key) for key in ("overhead_percent", "beyond_energy_percent", "asked_percent")]
        run = names.get(row["variant"], f"fix momt, order {row['variant']}")
        shown = [number(row["cpu_ms_per_step"]), *["-" if r is None else f"{r:.1f}" for r in ratios]]
        lines.append([row["style"], f"{row['n_atoms']:,}", run, *shown])
    return table(header, lines)


def fuzz(result: Row) -> str:
    """Return how many damaged or hostile inputs had which outcome; the columns from "wrong answer" on have to be 0."""
    lines = [[row["kind"], *[number(row[name]) for name in ("tried", *OUTCOMES)]] for row in result["rows"]]
    return table(["", "tried", *OUTCOMES], lines)


MODEL_OUTCOMES = (
    "right answer",
    "accepted",
    "clear error",
    "another model",
    "other answer",
    "traceback",
    "raw",
    "crash",
    "hang",
)
OPENED_BY = {"info": "unnp info", "ase": "ASE", "engine": "libunnp, as in LAMMPS"}


def model_files(result: Row) -> str:
    """Return the same for model files; "accepted" ones open, but no energy is asked for."""
    lines = [
        [row["file"], OPENED_BY[row["loaded_by"]], *[number(row[name]) for name in ("tried", *MODEL_OUTCOMES)]]
        for row in result["rows"]
    ]
    return table(["file", "opened by", "tried", *MODEL_OUTCOMES], lines)


Sections = dict[str, tuple[str, Callable[[Row], str]]]
SPEED: Sections = {
    "lammps_throughput": ("Molecular dynamics in LAMMPS", lammps),
    "ase_peers": ("Energy and forces through ASE", ase),
    "training_throughput": ("Training", training),
    "architecture_costs": ("Architectures", architectures),
    "fused_ops": ("Fused operators", fused),
    "momt_overhead": ("Overhead of fix momt", momt),
}
ROBUSTNESS: Sections = {
    "fuzz_model_files": ("Damaged model files", model_files),
    "fuzz_stores": ("Damaged data stores", fuzz),
    "fuzz_checkpoints": ("Damaged checkpoints and trainings", fuzz),
    "fuzz_run_folders": ("Damaged folders of runs", fuzz),
    "fuzz_decks": ("LAMMPS decks", fuzz),
    "fuzz_configs": ("Damaged YAML", fuzz),
    "fuzz_kills": ("Kills", fuzz),
    "fuzz_loops": ("Kills of loops", fuzz),
    "fuzz_disks": ("Full and read-only disks", fuzz),
    "fuzz_concurrency": ("Two at once", fuzz),
}
PAGES = {"speed.md": SPEED, "robustness.md": ROBUSTNESS}


def _same(a: Row, b: Row, *keys: str) -> bool:
    return all(a.get(key) == b.get(key) for key in keys)


def _memory(value: float | None) -> str:
    return "-" if value is None else f"{max(value, 0.0):.3f}"


def provenance(result: Row) -> str:
    """Return date, versions, load, and how much of the CPU the runs got."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    text = f"{result['date']}; {versions}; load average {result['load_before']:.2f} before, {result['load_after']:.2f} after"
    used = [row["cpu_use_percent"] for row in result["rows"] if "cpu_use_percent" in row]
    return text + (f"; each run got {min(used):.0f} to {max(used):.0f} % of its CPU" if used else "") + "."


def results_of(folder: Path) -> dict[str, Row]:
    """Return what the scripts here measured on a machine, by script; other results say nothing about their machine."""
    results = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    return {name: result for name, result in results.items() if "machine" in result}


def machine_section(folder: Path, results: dict[str, Row], sections: Sections) -> str:
    """Return the heading and tables of a machine; nothing where it has none of these sections."""
    present = {name: section for name, section in sections.items() if name in results}
    if not present:
        return ""
    machine = next(iter(results.values()))["machine"]
    gpu = f"{machine['gpu']}, beside " if machine["gpu"] else ""
    parts = [f"## {gpu}{machine['cpu']}, {machine['cores']} cores, {machine['simd']}, {machine['memory_gib']} GiB"]
    if sections is SPEED and draw(results, folder / "throughput.png"):
        parts.append(f"![us per atom](results/{folder.name}/throughput.png)")
    for name, (title, write) in present.items():
        parts += [f"### {title}", provenance(results[name]), write(results[name])]
    return "\n\n".join(parts)


def draw(results: dict[str, Row], path: Path) -> bool:
    """Draw us/atom of LAMMPS (over the sizes, one rank) and of ASE (largest size); return whether there was anything."""
    from unnp.plots import new_figure, save_figure

    if not {"lammps_throughput", "ase_peers"} <= set(results):
        return False
    figure, (left, right) = new_figure(2, width=6.0)
    points: dict[str, list[Any]] = {"where": [], "what": [], "atoms": [], "us_per_atom": []}
    curves: dict[str, list[Row]] = {}
    for row in results["lammps_throughput"]["rows"]:
        if "n_atoms" in row and row["ranks"] == row.get("threads", 1) == 1:
            curves.setdefault(row["style"], []).append(row)
            _add(points, "LAMMPS", row["style"], row["n_atoms"], row["us_per_atom_step_thread"])
    for name, rows in curves.items():
        left.loglog([r["n_atoms"] for r in rows], [r["us_per_atom_step_thread"] for r in rows], ".-", label=name)
    left.set(xlabel="atoms", ylabel="us/atom/step, one thread", title="pair styles in LAMMPS")
    sizes = results["lammps_throughput"]["settings"]["atoms"]
    left.set_xticks(sizes, [f"{n:,}" for n in sizes], minor=False)
    left.minorticks_off()
    left.legend(frameon=False, fontsize="small")
    size = max(results["ase_peers"]["settings"]["atoms"])
    bars = [r for r in results["ase_peers"]["rows"] if r.get("n_atoms") == size and "us_per_atom" in r]
    for row in bars:
        _add(points, "ASE", row["name"], size, row["us_per_atom"])
    drawn = right.barh([r["name"] for r in bars], [r["us_per_atom"] for r in bars], color="0.6")
    right.bar_label(drawn, fmt="%.0f", padding=3)
    right.invert_yaxis()
    right.set(xlabel="us/atom per energy and forces, one thread", title=f"ASE calculators, {size:,} atoms")
    right.margins(x=0.15)
    save_figure(figure, path, points)
    return True


def _add(points: dict[str, list[Any]], *values: Any) -> None:
    for column, value in zip(points.values(), values, strict=True):
        column.append(value)


def main() -> None:
    from unnp.files.writing import write_atomically

    machines = {folder: results_of(folder) for folder in sorted(RESULTS.iterdir())}
    for page, sections in PAGES.items():
        found = [machine_section(folder, results, sections) for folder, results in machines.items()]
        text = (HERE / page).read_text(encoding="utf-8")
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        tables = "\n\n".join(filter(None, found))
        write_atomically(HERE / page, f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


if __name__ == "__main__":
    main()
