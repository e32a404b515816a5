"""Collect the outcomes of the fuzzing suite into results/<machine>/fuzz_<area>.json; `make fuzz` runs it after the suite.

python benchmarks/fuzz_report.py FOLDER     # that UNNP_FUZZ_RESULTS named; then report.py writes the tables
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from measuring import Report, Row

OUTCOMES = ("right answer", "clear error", "harmless", "wrong answer", "traceback", "crash", "hang", "written file")
FAULTS = OUTCOMES[3:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the suite wrote its outcomes")
    folder = parser.parse_args().folder
    cases = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    if not cases:
        raise SystemExit(f"{folder} holds no outcomes; run the suite with UNNP_FUZZ_RESULTS={folder} first.")
    for area in sorted({case["area"] for case in cases}):
        write(area, [case for case in cases if case["area"] == area])


def write(area: str, cases: list[Row]) -> None:
    """Write one row per kind of case: how many had which outcome, and the names of those with a fault."""
    report = Report(f"fuzz_{area}", {"cases": len(cases)})
    for kind in dict.fromkeys(case["kind"] for case in cases):
        own = [case for case in cases if case["kind"] == kind]
        counts = Counter(case["outcome"] for case in own)
        report.add(
            {
                "kind": kind,
                "tried": len(own),
                **{outcome: counts.get(outcome, 0) for outcome in OUTCOMES},
                "seconds": round(sum(case["seconds"] for case in own), 1),
                "faults": sorted(f"{case['name']}: {case['outcome']}" for case in own if case["outcome"] in FAULTS),
            }
        )


if __name__ == "__main__":
    main()
