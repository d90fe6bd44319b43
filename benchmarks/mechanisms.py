"""What a day costs with every mechanism on, beside the published core on the same network, in one run.

python benchmarks/mechanisms.py [--firms 100000] [--days 10] [--rounds 5]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from statistics import median
from typing import Any

import ecosim

MOST = 6.0  # times the core day


def timed(eco: ecosim.Ecosystem, days: int) -> float:
    """Milliseconds a day."""
    started = time.perf_counter()
    eco.run_for(days)
    return 1000.0 * (time.perf_counter() - started) / days


def watched(eco: ecosim.Ecosystem) -> Counter[str]:
    """Let each mechanism's phases be timed from now on; the counter fills with seconds."""
    spent: Counter[str] = Counter()

    def watch(act: Any) -> Any:
        kind = act.args[0].kind

        def watching(world: Any, rng: Any) -> None:
            started = time.perf_counter()
            act(world, rng)
            spent[kind] += time.perf_counter() - started

        return watching

    eco._phases = {phase: [(watch(act), rng) for act, rng in acts] for phase, acts in eco._phases.items()}
    return spent


def main() -> int:
    """Print milliseconds a day, the ratio, and what each mechanism takes."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--firms", type=int, default=100_000)
    asked.add_argument("--days", type=int, default=10)
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    days = given.days * (given.rounds + 2) + 60
    world = ecosim.load("default_world").with_({"economy.firms": given.firms, "days": days, "shocks": []})
    hit = {"kind": "outage", "who": {"share": 0.1}, "severity": 0.5, "recovery": None}
    full = ecosim.Ecosystem(world)
    rest = ecosim.Ecosystem(world.with_({"mechanisms": []}), blueprint=full.world.plan)
    cascade = ecosim.Ecosystem(world.with_({"mechanisms": [], "shocks": [hit]}), blueprint=full.world.plan)
    economies = {"core at rest": rest, "core in a cascade": cascade, "all mechanisms": full}
    for eco in economies.values():
        eco.run_for(20)
    rounds = [{name: timed(eco, given.days) for name, eco in economies.items()} for _ in range(given.rounds)]
    took = {name: median(each[name] for each in rounds) for name in economies}
    for name, milliseconds in took.items():
        ratio = milliseconds / took["core at rest"]
        print(f"{name:20s} {milliseconds:9.2f} ms a day   {ratio:5.1f} times the core at rest")
    spent = watched(full)
    full.run_for(given.days)
    for kind, seconds in spent.most_common():
        print(f"  {kind:18s} {1000.0 * seconds / given.days:9.2f} ms a day")
    return int(took["all mechanisms"] > MOST * took["core at rest"])


if __name__ == "__main__":
    raise SystemExit(main())
