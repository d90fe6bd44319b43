"""Nanoseconds per firm and day of ecosim and of what a user would pick instead, on the same rules and economies.

    uv run --group peers benchmarks/peers/compare.py                   10,000 and 100,000 firms, all peers
    uv run --group peers benchmarks/peers/compare.py --sizes 1000 --peers mesa,ambr

Every program has a process of its own, starts from the same arrays and lives the same 30 days; setting a model up is
not counted, reading off a day's total production is. ecosim and the peer take turns, so that a busy machine disturbs
both alike, and the medians over their rounds are compared. Total production must agree with ecosim to 1e-9 on each day.

Mesa is there twice: as its tutorials and examples write models (a networkx graph with attributes on its edges, random
order, a data collector), and lean (objects that hold each other, nothing else), which few published models are.

Exit code: 0, or 1 where numbers disagree or a target is missed, or 2 where a peer cannot be run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np

HERE = Path(__file__).parent
DAYS = 30
EXACT = 1e-9  # relative
ROUNDS = 7
PATIENCE = 45.0  # seconds after which a slow peer gets no further round
PRINTED = 5  # lines of a failed worker's complaint


class CannotRunError(Exception):
    """A peer is not there, or fails; the text says what to do."""


class DisagreementError(Exception):
    """A peer computes other numbers."""


@dataclass(frozen=True)
class Peer:
    """A program to compare with, the file that holds its model, and the least ratio to ecosim aimed at."""

    name: str
    file: str
    module: str
    target: float = 1.0
    own_environment: bool = False

    @property
    def command(self) -> list[str]:
        """Command that serves the model."""
        path = str(HERE / self.file)
        return ["uv", "run", "--quiet", "--script", path] if self.own_environment else [sys.executable, path]

    def check(self) -> None:
        """Raise if it cannot be run."""
        if not self.own_environment:
            if find_spec(self.module) is None:
                raise CannotRunError(f"{self.name} is not installed; install it with: uv sync --group peers")
            return
        if shutil.which("uv") is None:
            raise CannotRunError(
                f"{self.name} needs an environment of its own, which uv makes; install it with: pip install uv"
            )
        made = subprocess.run(
            ["uv", "sync", "--quiet", "--script", str(HERE / self.file)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise CannotRunError(
                f"{self.name} is not installed, and its environment cannot be made; try: "
                f"uv sync --script {self.file} in {HERE.name}/\n{made.stderr.strip()}"
            )


ECOSIM = Peer("ecosim", "ecosim_engine.py", "ecosim")
PEERS = {
    "mesa": Peer("Mesa, typical", "mesa_typical.py", "mesa", target=200.0),
    "mesa-lean": Peer("Mesa, lean", "mesa_objects.py", "mesa", target=200.0),
    "agentpy": Peer("agentpy", "agentpy_model.py", "agentpy"),
    "mesa-frames": Peer("mesa-frames", "mesa_frames_model.py", "mesa_frames", own_environment=True),
    "starsim": Peer("starsim", "starsim_model.py", "starsim"),
    "ambr": Peer("ambr", "ambr_model.py", "ambr"),
}


class Worker:
    """A process that serves one model; see ``shared.serve``."""

    def __init__(self, peer: Peer, economy: Path) -> None:
        self.peer = peer
        self.complaint = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        self.process = subprocess.Popen(
            [*peer.command, str(economy)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaint,
            text=True,
            env=os.environ | {"STARSIM_INSTALL_FONTS": "0", "MPLBACKEND": "Agg"},
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith('{"'):  # libraries greet on standard output too
                answer: dict[str, Any] = json.loads(line)
                return answer
        self.complaint.seek(0)
        last = "\n".join(self.complaint.read().strip().splitlines()[-PRINTED:])
        raise CannotRunError(f"{self.peer.name} failed ({' '.join(self.peer.command)}):\n{last}")

    def live(self) -> dict[str, Any]:
        """Live the days once from rest; return times and totals."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{DAYS}\n")
        self.process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Self:
        """Return the worker, ready."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.process.communicate()
        self.complaint.close()


@dataclass(frozen=True)
class Row:
    """One line of the table; times in nanoseconds per firm and day."""

    peer: Peer
    firms: int
    rounds: int
    own: float
    ecosim: float
    difference: float

    @property
    def ratio(self) -> float:
        """Times that ecosim is faster."""
        return self.own / self.ecosim

    @property
    def passed(self) -> bool:
        """Whether the target is met."""
        return self.ratio > self.peer.target

    def __str__(self) -> str:
        """The line."""
        verdict = "PASS" if self.passed else "FAIL"
        return (
            f"{self.peer.name:<14}{self.firms:>9,}{self.rounds:>8}{self.own:>12,.0f}{self.ecosim:>10,.0f}"
            f"{self.ratio:>10,.1f}{self.peer.target:>9,.0f}  {verdict}{self.difference:>13.1e}"
        )


HEAD = (
    f"{'peer':<14}{'firms':>9}{'rounds':>8}{'ns/firm-day':>12}{'ecosim':>10}"
    f"{'ratio':>10}{'target':>9}  {'':4}{'difference':>13}"
)


def compare(peer: Peer, economy: Path, firms: int, ecosim: Worker, clock: str) -> Row:
    """Let a peer and ecosim take turns."""
    expected = np.array(ecosim.live()["totals"])  # this first run, not timed, also loads the compiled kernels
    own, beside = [], []
    worst = 0.0
    begun = time.perf_counter()
    with Worker(peer, economy) as worker:
        while len(own) < ROUNDS and (not own or time.perf_counter() - begun < PATIENCE):
            beside.append(ecosim.live()[clock])
            answer = worker.live()
            own.append(answer[clock])
            totals = np.array(answer["totals"])
            if totals.shape != expected.shape:
                raise DisagreementError(f"{peer.name}: {len(totals)} days of {len(expected)}")
            off = np.abs(totals / expected - 1.0)
            worst = max(worst, float(off.max()))
            if not (off <= EXACT).all():
                day = int(np.flatnonzero(~(off <= EXACT))[0])
                raise DisagreementError(
                    f"{peer.name}, {firms:,} firms, day {day}: total production {float(totals[day])!r}, ecosim has "
                    f"{float(expected[day])!r}; the relative difference {off[day]:.2e} is above {EXACT:g}"
                )
            beside.append(ecosim.live()[clock])
    scale = 1e9 / (firms * DAYS)
    return Row(peer, firms, len(own), median(own) * scale, median(beside) * scale, worst)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000", help="numbers of firms, with commas (10000,100000)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"which, with commas ({','.join(PEERS)})")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu on a machine that others use too")
    asked = parser.parse_args()
    try:
        sizes = [int(size) for size in asked.sizes.split(",")]
        chosen = [PEERS[name] for name in asked.peers.split(",")]
    except (KeyError, ValueError) as error:
        parser.error(f"cannot read {error}; --sizes takes whole numbers, --peers takes {', '.join(PEERS)}")
    missing = []
    for peer in [ECOSIM, *chosen]:
        try:
            peer.check()
        except CannotRunError as error:
            missing.append(str(error))
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 2

    from ecosim_engine import export

    def load() -> str:
        return "load {:.2f} {:.2f} {:.2f}".format(*os.getloadavg()) if hasattr(os, "getloadavg") else ""

    print(f"{DAYS} days, {asked.clock} clock, {os.cpu_count()} cores, {load()}\n{HEAD}", flush=True)
    rows = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for firms in sizes:
                economy = Path(folder) / f"{firms}.npz"
                export(firms).save(economy)
                with Worker(ECOSIM, economy) as ecosim:
                    for peer in chosen:
                        rows.append(compare(peer, economy, firms, ecosim, asked.clock))
                        print(rows[-1], flush=True)
    except CannotRunError as error:
        print(error, file=sys.stderr)
        return 2
    except DisagreementError as error:
        print(f"DISAGREES: {error}", file=sys.stderr)
        return 1
    print(load())
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
