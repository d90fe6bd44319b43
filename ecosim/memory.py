"""How much memory an economy takes, asked before it is built."""

from __future__ import annotations

import resource
from typing import Any

import psutil

from ecosim.errors import InputError

# Peak while building and running, measured (docs/performance.md) and rounded up.
BYTES_PER_FIRM = 600
BYTES_PER_LINK = 200
BYTES_ALWAYS = 400_000_000  # the interpreter, Mesa, numba and pandas


def estimate(firms: int, links: int) -> int:
    """Peak memory of a run, bytes."""
    return BYTES_ALWAYS + firms * BYTES_PER_FIRM + links * BYTES_PER_LINK


def available() -> int:
    """Memory that this process can still get, bytes: what the machine has, or what its limits leave."""
    free = int(psutil.virtual_memory().available)
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        free = min(free, soft - psutil.Process().memory_info().vms)
    return max(free, 0)


def refuse_too_large(economy: Any, network: Any) -> None:
    """Raise InputError where an economy that makes its own firms would not fit in memory."""
    firms = getattr(economy, "firms", None)
    if not isinstance(firms, int):
        return
    needed, free = estimate(firms, firms * network.suppliers), available()
    if needed > free:
        fits = int(firms * free / needed)
        raise InputError(
            f"economy.firms: {firms:,} firms with {network.suppliers} suppliers each need about {needed / 1e9:.1f} GB, "
            f"and {free / 1e9:.1f} GB are free; about {fits:,} firms would fit, or fewer suppliers"
        )
