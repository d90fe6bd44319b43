"""What a lineage costs: runs with it off and full, alternating in one process, and its size on disk.

python benchmarks/lineage.py [--rounds 5] [--large 20000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import ecosim

MOST = 0.3  # of a run's time


def seconds(scenario: ecosim.Scenario, lineage: str) -> tuple[float, ecosim.Result]:
    """Processor time of a run and its twin, and the result."""
    started = time.process_time()
    result = ecosim.run(scenario, lineage=lineage)
    return time.process_time() - started, result


def size(result: ecosim.Result) -> int:
    """Bytes of the record as it is saved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lineage.parquet"
        assert result.lineage is not None
        result.lineage.to_parquet(path, compression="zstd")
        return path.stat().st_size


def measure(name: str, scenario: ecosim.Scenario, rounds: int) -> bool:
    """Print one case; whether it keeps to the limit."""
    seconds(scenario.with_({"days": 40}), "full")  # compile
    pairs = [(seconds(scenario, "off")[0], *seconds(scenario, "full")) for _ in range(rounds)]
    off, full = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    more = median(pair[1] / pair[0] for pair in pairs) - 1.0
    result = pairs[-1][2]
    firms, days, noted = len(result.firms), result.summary["days"], result.manifest["lineage"]
    kept = size(result)
    print(
        f"{name}: off {off:.2f} s, full {full:.2f} s, {100 * more:+.0f} %; {noted['entries']:,} entries for "
        f"{noted['firm_days']:,} firm-days of harm, {kept / (firms * days):.2f} bytes a firm-day, "
        f"{kept / max(noted['firm_days'], 1):.2f} bytes a firm-day of harm",
        flush=True,
    )
    return more <= MOST


def main() -> int:
    """Print what each case takes; fail where one is above the limit."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--large", type=int, default=20_000)
    given = asked.parse_args()
    street, world = ecosim.load("main_street"), ecosim.load("default_world")
    kept = [
        measure("main_street, 2,000 firms", street, given.rounds),
        measure(f"main_street, {given.large:,} firms", street.with_({"economy.firms": given.large}), given.rounds),
        measure("default_world, 2,000 firms", world, given.rounds),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
