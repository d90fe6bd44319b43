"""Who is found by a firm that looks for a supplier: firms of its region, firms that partners name, anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

CHANNEL, PLACE, PARTNER, THEIRS = range(4)  # what a draw decides


def by_place(world: World) -> dict[str, Array]:
    """Firms in order of sector and region, and that of each as one number."""
    plan = world.plan.firms
    place = plan.sector.astype(np.int64) * len(plan.region_names) + plan.region
    order = np.argsort(place, kind="stable")
    return {"order": order, "key": place[order]}


def candidates(
    world: World, rng: Stream, day: int, links: Array, near: Array, count: int, attachment: float, referrals: float,
    turn: int = 0,
) -> Array:  # fmt: skip
    """Firms that could take over some links (k,), shape (k, count), -1 where there is none; see `Sourcing`.

    All are of the sector of the supplier that a link has. ``near`` (n,) is the share that each buyer seeks in its own
    region, ``referrals`` the share of the others that its partners name. Each ``turn``
    draws others for the same links.
    """
    from ecosim.kernels.sourcing import reach_of

    plan, kept = world.plan.firms, world.memory["sourcing"]
    regions, order, key = len(plan.region_names), kept["order"], kept["key"]
    buyer = world.links.buyer[links]
    rows = (links + turn * len(world.links))[:, None] * count + np.arange(count)
    local = rng.uniform(day, rows, draw=CHANNEL) < near[buyer][:, None]
    sector = plan.sector[world.links.supplier[links]].astype(np.int64)[:, None]
    home = sector * regions + plan.region[buyer][:, None]
    low = np.searchsorted(key, np.where(local, home, sector * regions))
    high = np.searchsorted(key, np.where(local, home + 1, (sector + 1) * regions))
    reach = reach_of(order, world.links.out_ptr, attachment)
    where = reach[low] + rng.uniform(day, rows, draw=PLACE) * (reach[high] - reach[low])
    place = np.minimum(np.searchsorted(reach, where, side="right") - 1, high - 1)
    found = np.where(high > low, order[np.maximum(place, 0)], -1)
    named = _named(world, rng, day, rows, buyer, sector, referrals)
    return np.where((named >= 0) & ~local, named, found)


def _named(
    world: World, rng: Stream, day: int, rows: Array, buyer: Array, sector: Array, referrals: float
) -> Array:  # fmt: skip
    """Suppliers of the wanted sector that a partner names, like ``rows``; -1 where none does."""
    partners, links = world.memory.get("collaboration"), world.links
    if partners is None or "partner" not in partners or not referrals or not len(partners["partner"]):
        return np.full(rows.shape, -1)
    luck = rng.uniform(day, rows, draw=PARTNER)
    first = partners["ptr"][buyer][:, None]
    count = partners["ptr"][buyer + 1][:, None] - first
    asked = (luck < referrals) & (count > 0)
    at = first + np.minimum(luck / referrals, 0.999999) * count
    partner = partners["partner"][np.where(asked, at, 0).astype(np.int64)]
    have = links.ptr[partner + 1] - links.ptr[partner]
    pick = links.ptr[partner] + (rng.uniform(day, rows, draw=THEIRS) * have).astype(np.int64)
    known = links.supplier[np.where(have > 0, pick, 0)]
    fits = asked & (have > 0) & (world.plan.firms.sector[known] == sector)
    return np.where(fits, known, -1)
