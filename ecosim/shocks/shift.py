"""What some firms lose others gain: wants that move between firms, with the sum unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from ecosim.state import World
    from ecosim.who import Who

Array = np.ndarray[Any, np.dtype[Any]]

GAINERS = "{}: gainers"  # memory: who may gain from a shock of that name


def name_gainers(world: World, to: Who, label: str, where: str) -> None:
    """Choose who may gain, once, before the first day; refuse a shift that has nowhere to go."""
    rows = to.pick(world, world.streams[f"shock: {label}: to"], where)
    entries = world.memory[label]
    strikes = [entries["rows"][entries["number"] == number] for number in np.unique(entries["number"])]
    if strikes and not any(len(np.setdiff1d(rows, losers)) for losers in strikes):
        raise InputError(f"{where}: every firm that could gain is one that loses; name others in to, or fewer in who")
    world.memory[GAINERS.format(label)] = {"rows": rows}


def market(world: World) -> Array:
    """Market of each firm, a community and a sector, as a number, shape (n,)."""
    plan = world.plan
    found: Array = plan.customer.astype(np.int64) * len(plan.firms.sector_names) + plan.firms.sector
    return found


def move(world: World, loss: Array, gaining: Array, group: Array, kept: float = 1.0) -> None:
    """Move wants from firms to others of their group, in proportion to what these sell to customers.

    ``loss`` (n,) is the share of wants that each firm loses today, and ``gaining`` (n,) says who may gain (who
    loses does not). ``group`` (n,) numbers groups, in each of which the share ``kept`` of what is lost is gained, and
    the rest is not bought. Where a group has nobody to gain, only that rest is lost.
    """
    wants = world.firms.final_demand
    gaining = gaining & (loss == 0.0) & (wants > 0.0)
    if "alive" in world.firms:
        gaining &= world.firms.alive > 0.0
    groups = int(group.max()) + 1
    theirs = np.bincount(group, wants * gaining, minlength=groups)
    moving = np.bincount(group, wants * loss, minlength=groups) * kept
    loss = loss * np.where(theirs[group] > 0.0, 1.0, 1.0 - kept)
    gain = np.divide(moving, theirs, out=np.zeros(groups), where=theirs > 0.0)
    world.sheet.scale("demand", np.where(gaining, 1.0 + gain[group], 1.0 - loss))


def losses(world: World, rows: Array, strength: Array) -> Array:
    """Share of wants that each firm loses today, shape (n,), where one that was hit twice is in ``rows`` twice."""
    left = np.ones(world.firms.rows)
    np.multiply.at(left, rows, 1.0 - strength)
    return 1.0 - left
