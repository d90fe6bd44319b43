"""Milliseconds a day of ecosim and of Inoue and Todo's own C++ program, on the same firms, links and damage.

    uv run benchmarks/authors_program.py --program PATH
    uv run benchmarks/authors_program.py --program PATH --networks random --sizes 1000,10000

The program, proNet, is not part of ecosim: its source is at github.com/HiroyasuInoue/ProductionNetworkSimulator, and
``g++ -std=c++11 -O3 -fopenmp -include cassert -o proNet proNet.cpp`` compiles it where Boost's headers are. It gets
one thread here; the version of 2021 is meant.

The economy: firms with five suppliers each in 20 sectors; suppliers of one sector replace each other and every sector
is essential; a tenth of the firms lose half of their capacity for good on day 0; rationing rule 2. Suppliers are drawn
at random, and again in a scale-free network, where some firms have clients by the hundred as in the networks that
proNet was written for: its rationing takes the square of a firm's clients.

Each program lives a short and a long stretch of days, and the difference is what the days between took: reading files
and setting up drop out. ecosim is timed on those same days. They take turns, and medians count.

Total production must agree to 1e-9 on the first 10 days, and to 1e-5 on all: both worst differences are printed. They
stay near 1e-14 until a tie. Rule 2 treats a tie unlike a near tie, so there the last bit of a sum, which the programs
take in different orders, decides what one firm delivers; with 100,000 firms in a scale-free network that comes on day
12, at random on no day that is lived here.

Files that proNet reads, words with spaces between them, a row a line, firms named by any word:

    A       supplier  client  flow        links, a day; a pair at most once, for the second would be dropped
    C       firm  final demand            a day, a row a firm
    P       firm  output                  a day, a row a firm; proNet takes final demand plus sales instead
    F       firm  sector  anything        whole number of a sector; without the third word, each row swallows the next
                                          row's firm, which then is unknown when another file names it
    damage  firm  share of capacity lost  only the firms that are hit

Exit code: 0, or 1 where numbers disagree or the target is missed, or 2 where the program cannot be run.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import Ecosystem, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecosim import Blueprint

SUPPLIERS, SECTORS = 5, 20
INVENTORY_DAYS, SMOOTHING_DAYS = 15, 6  # proNet takes whole numbers
ROUNDS = 3
PATIENCE = 60.0  # seconds after which a slow pair gets no further round
EXACT, NEAR = 1e-9, 1e-5  # relative; before the first tie, and after
TARGETS = {100_000: 10.0}  # times faster
SHORT, LONG = 10, 100  # days
FIRM_DAYS = 2_000_000  # between them; large economies live fewer days, but not under twenty


def scenario(firms: int, days: int, network: str) -> Scenario:
    """Firms with five suppliers, a tenth of them hit for good."""
    return Scenario.model_validate(
        {
            "name": "authors",
            "days": days,
            "economy": {
                "kind": "uniform", "firms": firms, "rationing": 2,
                "inventory_days": INVENTORY_DAYS, "smoothing_days": SMOOTHING_DAYS,
            },
            "network": {"kind": network, "suppliers": SUPPLIERS},
            "shocks": [{"kind": "outage", "who": {"share": 0.1}, "severity": 0.5, "recovery": None}],
        }
    )  # fmt: skip


def in_sectors(plan: Blueprint) -> Blueprint:
    """Give each firm a sector, and each link its supplier's as the product: what proNet understands by a sector."""
    sector = (np.arange(len(plan.firms)) % SECTORS).astype(np.int32)
    product = sector[plan.supplier]
    order = np.lexsort((plan.supplier, product, plan.buyer))
    names = tuple(f"Sector {number}" for number in range(SECTORS))
    return replace(
        plan,
        firms=replace(plan.firms, sector=sector, sector_names=names),
        product=product[order],
        supplier=plan.supplier[order],
        flow=plan.flow[order],
        importance=plan.importance[order],
    )


def write(eco: Ecosystem, folder: Path) -> list[str]:
    """Write proNet's files for an economy after its first day; return the arguments that name them."""
    plan, firms = eco.world.plan, eco.world.firms
    rows = range(firms.rows)
    damage = 1.0 - firms.capacity / firms.output
    hit = np.flatnonzero(damage > 0)
    tables: dict[str, Iterable[tuple[Any, ...]]] = {
        "damage": zip(hit.tolist(), damage[hit].tolist(), strict=True),
        "A": zip(plan.supplier.tolist(), plan.buyer.tolist(), plan.flow.tolist(), strict=True),
        "C": zip(rows, firms.final_demand.tolist(), strict=True),
        "P": zip(rows, firms.output.tolist(), strict=True),
        "F": zip(rows, plan.firms.sector.tolist(), firms.output.tolist(), strict=True),
    }
    for name, table in tables.items():
        with (folder / name).open("w", encoding="ascii") as file:
            file.writelines(" ".join(map(repr, row)) + "\n" for row in table)
    return ["-d", "damage", "A", "C", "P", "F"]


def live(program: Path, folder: Path, files: list[str], days: int) -> tuple[dict[str, float], np.ndarray[Any, Any]]:
    """Seconds by each clock that proNet takes for some days and all before them, and total production of each day."""
    command = [
        str(program), "-m", "-R", "2", "-t", str(days), "-i", str(INVENTORY_DAYS), "-T", str(SMOOTHING_DAYS),
        "-D", "0", "-X", "production", "-v", "value_added", "-f", "consumption", *files,
    ]  # fmt: skip
    started = time.perf_counter(), _of_children()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    taken = {"wall": time.perf_counter() - started[0], "cpu": _of_children() - started[1]}
    if done.returncode:
        raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return taken, np.loadtxt(folder / "production", ndmin=2)[1:, 1]  # its first line is the day before


def _of_children() -> float:
    """Processor seconds of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare(program: Path, firms: int, network: str, folder: Path, clock: str) -> bool:
    """Let both live the same days in turns; print a line, and return whether numbers agree and the target is met."""
    between = max(20, min(LONG - SHORT, FIRM_DAYS // firms))
    days = SHORT + between
    now = time.perf_counter if clock == "wall" else time.process_time
    plan = in_sectors(Ecosystem(scenario(firms, days, network)).world.plan)
    eco = Ecosystem(scenario(firms, days, network), blueprint=plan)
    eco.step()  # compiles what will be timed, and does the damage
    files = write(eco, folder)
    own, theirs = [], []
    off = np.zeros(days)  # worst difference of each day
    begun = time.perf_counter()
    while len(own) < ROUNDS and (not own or time.perf_counter() - begun < PATIENCE):
        brief, _ = live(program, folder, files, SHORT)
        eco = Ecosystem(scenario(firms, days, network), blueprint=plan)
        eco.run_for(SHORT)
        started = now()
        eco.run_for(between)
        own.append((now() - started) / between)
        whole, totals = live(program, folder, files, days)
        theirs.append((whole[clock] - brief[clock]) / between)
        expected = eco.series["total_production"].to_numpy()[1:]
        off = np.maximum(off, np.abs(totals / expected - 1.0))
    one, other = median(theirs) * 1e3, median(own) * 1e3
    ratio = one / other
    target = TARGETS.get(firms, 1.0)
    early, worst = float(off[:SHORT].max()), float(off.max())
    passed = early <= EXACT and worst <= NEAR and ratio >= target
    print(
        f"{network:<12}{firms:>9,}{len(plan.flow):>10,}{SHORT:>6} to {days:<5}{len(own):>7}{one:>12.2f}"
        f"{other:>10.3f}{ratio:>9.1f}{target:>9.0f}  {'PASS' if passed else 'FAIL'}{early:>10.0e}{worst:>9.0e}",
        flush=True,
    )
    return passed


def main() -> int:
    """Print a line for each structure and number of firms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the compiled proNet")
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of firms, with commas")
    parser.add_argument("--networks", default="random,scale_free", help="structures, with commas (random,scale_free)")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu on a machine that others use too")
    asked = parser.parse_args()
    program = asked.program.resolve()
    if not (program.is_file() and os.access(program, os.X_OK)):
        print(f"{asked.program}: no program there; --help says how to get and compile it", file=sys.stderr)
        return 2
    print(
        f"{'network':<12}{'firms':>9}{'links':>10}{'days':>10}{'':5}{'rounds':>7}{'proNet, ms':>12}"
        f"{'ecosim':>10}{'ratio':>9}{'target':>9}  {'':4}{'off early':>10}{'ever':>9}"
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            passed = [
                compare(program, int(firms), network, Path(folder), asked.clock)
                for network in asked.networks.split(",")
                for firms in asked.sizes.split(",")
            ]
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
