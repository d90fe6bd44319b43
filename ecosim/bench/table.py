"""The table that ``ecosim bench`` prints, a line as soon as it is measured."""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecosim.bench.line import HEAD
from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecosim.bench.line import Line

#: What can be measured, in the order it is, with the module that does.
GROUPS = {
    "startup": "ecosim --help and the first step",
    "day": "the engine's day beside bare kernels, and how cost grows",
    "memory": "bytes a firm",
    "rationing": "rule 2 beside rule 0",
    "esri": "the Economic Systemic Risk Index",
    "country": "a million firms: build and year",
    "elsewhere": "targets that scripts beside other programs measure",
}
SIZED = ("sizes", "links", "days")  # belong to the day
FULL = ("esri", "country")  # have more to measure when there is time


def show(groups: Iterable[str] = (), *, full: bool = False, **of_the_day: Any) -> bool:
    """Measure some groups, all by default, and print their lines; return whether no target was missed.

    ``of_the_day`` (sizes, links, days) is for the engine's day alone, which then is the default.
    """
    of_the_day = {name: value for name, value in of_the_day.items() if value is not None}
    chosen = list(dict.fromkeys(groups)) or (["day"] if of_the_day else list(GROUPS))
    for name in chosen:
        if name not in GROUPS:
            raise InputError(f"nothing named {name!r} to measure; there are {', '.join(GROUPS)}")
    if of_the_day and "day" not in chosen:
        raise InputError(f"--{next(iter(of_the_day))} is for the day, which is not among {', '.join(chosen)}; add day")
    started = time.perf_counter()
    print(HEAD, flush=True)
    met = True
    for name in chosen:
        settings = of_the_day if name == "day" else {"full": True} if full and name in FULL else {}
        found: Iterable[Line] = import_module(f"ecosim.bench.{name}").lines(**settings)
        for line in found:
            print(line, flush=True)
            met &= line.met is not False
    print(f"One thread; measured in {time.perf_counter() - started:.0f} s.")
    return met


def script(about: str | None, *groups: str) -> int:
    """Measure the groups of a script under benchmarks/; return its exit code, 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if "day" in groups:
        parser.add_argument("--sizes", type=_sizes, help="numbers of firms, with commas")
        parser.add_argument("--links", type=int, help="suppliers per firm")
        parser.add_argument("--days", type=int, help="days per measurement; chosen by size by default")
    if set(FULL) & set(groups):
        parser.add_argument("--full", action="store_true", help="measure also what takes minutes")
    return 0 if show(groups, **vars(parser.parse_args())) else 1


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]
