"""What is written to the sheet, and by whom: which shock struck whom by which channel, what mechanisms did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

DEARER = frozenset(
    {"input_cost", "rent", "wages", "interest", "invoices", "obsolescence", "platform_fee"}
)  # more hurts
PRICE = "price"  # hurts either way: a price war takes customers from those who keep their prices
TRADE = "trade"  # what a shock that cuts links writes to, named like the channels of the sheet


class Witness:
    """Sees what is written to a sheet: which shock struck whom by which channel, and which mechanism did what."""

    def __init__(self, world: World) -> None:
        """See nothing yet."""
        self.world = world
        self.struck: dict[str, tuple[Array, Array]] = {}  # by channel: how much (n,), and by which shock (n,)
        self._blank: dict[str, tuple[Array, Array]] = {}  # arrays of yesterday, to be used again
        self.factors: dict[tuple[str, str], Array] = {}  # by channel and mechanism: (n,)
        self.cuts: list[tuple[Array, Array, int]] = []  # links, what of their orders gets through, by which shock
        self.spent: list[tuple[Array, Array, int]] = []  # stocks destroyed: links, amounts, by which shock

    def see(self, channel: str, rows: Array | None, factors: Array, writer: int | str) -> None:
        """Note one writing; called by the sheet."""
        if channel == TRADE:
            if isinstance(writer, int) and rows is not None:
                self.cuts.append((rows, factors, writer))
            return
        n = self.world.firms.rows
        if isinstance(writer, str):
            if channel in ("capability", "demand"):
                before = self.factors.get((channel, writer))
                now = np.broadcast_to(factors, n) if rows is None else _scattered(n, rows, factors)
                self.factors[channel, writer] = now if before is None else before * now
            return
        everyone = np.arange(n) if rows is None else rows
        if channel not in self.struck:
            blank = self._blank.pop(channel, None)
            self.struck[channel] = blank or (np.zeros(n, dtype=np.float32), np.full(n, -1, dtype=np.int32))
        much, who = self.struck[channel]
        today = factors if rows is None else _scattered(n, rows, factors)[rows]  # who is hit twice is there twice
        harm = np.broadcast_to(today - 1.0 if channel in DEARER else 1.0 - today, everyone.shape)
        if channel == PRICE:
            harm = np.abs(harm)
        more = harm > much[everyone]
        at = everyone[more]
        much[at], who[at] = harm[more], writer
        if channel == "stocks":
            self._destroyed(everyone, np.broadcast_to(factors, everyone.shape), writer)

    def _destroyed(self, rows: Array, factors: Array, writer: int) -> None:
        links = self.world.links
        left = _scattered(self.world.firms.rows, rows, factors)[links.buyer]
        at = np.flatnonzero(left < 1.0)
        self.spent.append((at, links.stock[at] * (1.0 - left[at]), writer))

    def forget(self) -> None:
        """Begin a new day."""
        for channel, (much, who) in self.struck.items():
            much.fill(0.0)
            who.fill(-1)
            self._blank[channel] = much, who
        self.struck.clear()
        self.factors.clear()
        self.cuts.clear()
        self.spent.clear()


def _scattered(n: int, rows: Array, factors: Array) -> Array:
    out = np.ones(n)
    np.multiply.at(out, rows, factors)
    return out


def today(world: World) -> Iterator[dict[str, Any]]:
    """What the diary says of today."""
    for event in reversed(world.events):
        if event["day"] != world.day:
            return
        yield event
