"""Targets against programs that are not installed with ecosim: which script measures them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.bench.line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = "uv run --group peers benchmarks/peers/compare.py"
AUTHORS = "benchmarks/authors_program.py --program PATH"


def lines() -> Iterator[Line]:
    """A line a target, without figures: none was measured now."""
    yield Line("times faster, 10,000 and 100,000 firms", "Mesa 3.5 objects", None, "x", 200, at_least=True, note=PEERS)
    for peer in ("agentpy", "mesa-frames", "starsim", "ambr"):
        yield Line("times faster, 10,000 and 100,000 firms", peer, None, "x", 1, at_least=True, note=PEERS)
    yield Line(
        "times faster, 100,000 firms, rule 2", "Inoue & Todo's own in C++", None, "x", 10, at_least=True, note=AUTHORS
    )
