"""How long a user waits for the first answer, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING

from ecosim.bench.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HELP, COLD, WARM = 0.5, 5.0, 1.0  # seconds at most
FIRST_STEP = """
import time
clock = time.perf_counter
started = clock()
import mesa
mesa_there = clock()
import ecosim
eco = ecosim.Ecosystem(ecosim.load("tiny"))
built = clock()
eco.step()
print(mesa_there - started, built - mesa_there, clock() - built)
"""


def lines(repeats: int = 5) -> Iterator[Line]:
    """``ecosim --help``; a first step whose kernels are compiled, and one that finds them in numba's cache."""
    helps = [_run(["-m", "ecosim", "--help"], {})[0] for _ in range(repeats)]
    yield Line("ecosim --help", "", median(helps), "s", HELP)
    with tempfile.TemporaryDirectory() as empty:
        cache = {"NUMBA_CACHE_DIR": empty}
        cold, said = _first_step(cache)
        yield Line("first step, empty cache of kernels", "", cold, "s", COLD, note=said)
        warm = sorted(_first_step(cache) for _ in range(repeats))
    middle, said = warm[len(warm) // 2]
    yield Line("first step, kernels in the cache", "", middle, "s", WARM, note=said)


def _run(arguments: list[str], changed: Mapping[str, str]) -> tuple[float, str]:
    """Seconds from start to end of a Python process, and what it said."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env=os.environ | changed, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} failed:\n{done.stderr}")
    return taken, done.stdout


def _first_step(changed: Mapping[str, str]) -> tuple[float, str]:
    """Seconds for what is ours (importing ecosim, building, the step), and the rest of the process in words."""
    whole, said = _run(["-c", FIRST_STEP], changed)
    mesa, built, step = map(float, said.split())
    return built + step, f"after importing Mesa, which takes {mesa:.2f} s of the process's {whole:.2f} s"
