"""What befalls goods beside being made and used: stocks destroyed, deliveries on the road, trade cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

IN_TRANSIT = "in_transit"
DESTROYED = "destroyed"


def receive(world: World) -> bool:
    """Before firms take in what was shipped yesterday: destroy stocks, and hold back what is still on the road.

    Channel ``stocks`` is the share of a firm's stocks of inputs that survives the night: of what yesterday's production
    has left, which the core takes off only this morning. What is lost adds up in the firm's column ``destroyed``.
    Channel ``delivery`` is the share of what is on its way to a firm that gets there today: goods then take 1/delivery
    days on average instead of one, and none is lost. Returns whether anything is on the road.
    """
    links, sheet = world.links, world.sheet
    surviving = sheet.read("stocks")
    if surviving is not None:
        lost = _unused(world) * np.maximum(1.0 - surviving, 0.0)[links.buyer]
        links.stock -= lost
        firms = world.firms
        destroyed = np.bincount(links.buyer, lost, minlength=firms.rows)
        firms.ensure(DESTROYED, 0.0)[:] += destroyed
    arriving = sheet.read("delivery")
    waiting = links.columns.get(IN_TRANSIT)
    if arriving is None and (waiting is None or not waiting.any()):
        return False
    if waiting is None:
        waiting = links.add(IN_TRANSIT)
    under_way = waiting + links.delivered
    arrived = under_way if arriving is None else under_way * np.minimum(arriving, 1.0)[links.buyer]
    waiting[:] = under_way - arrived
    links.delivered[:] = arrived
    return bool(waiting.any())


def _unused(world: World) -> Array:
    """What yesterday's production has left of each link's stock, shape (L,), as the core will count it today."""
    links, firms = world.links, world.firms
    stock, buyer = links.stock, links.buyer
    if not len(stock):
        return stock
    first = np.concatenate(([True], (np.diff(buyer) != 0) | (np.diff(links.product) != 0)))  # of an input of a buyer
    start = np.flatnonzero(first)
    need, have = np.add.reduceat(links.flow, start), np.add.reduceat(stock, start)
    output = firms.output[buyer[start]]
    used = np.divide(need * firms.production[buyer[start]], output, out=np.zeros(len(start)), where=output > 0)
    share = np.divide(used, have, out=np.zeros(len(start)), where=have > 0)
    left: Array = stock * np.maximum(1.0 - share, 0.0)[np.cumsum(first) - 1]
    return left


def on_hand_and_on_the_way(world: World) -> tuple[Array, Array]:
    """Buyers to whom goods are on the road, shape (k,), and each link's stock with what is under way, shape (L,).

    What is on the road counts as stock when a firm orders (the inventory position of Arrow, Harris & Marschak 1951):
    a firm that forgot what it has ordered already would order it once more every day of the delay.
    """
    links = world.links
    waiting = links.columns[IN_TRANSIT]
    return np.unique(links.buyer[waiting > 0.0]).astype(np.int64), links.stock + waiting


def destroyed(world: World) -> float:
    """Stocks of inputs destroyed since the first day, currency units."""
    return float(world.firms.columns[DESTROYED].sum()) if DESTROYED in world.firms else 0.0


def in_transit(world: World) -> float:
    """Goods that should have arrived and are still on the road, currency units."""
    waiting = world.links.columns.get(IN_TRANSIT)
    return 0.0 if waiting is None else float(waiting.sum())


def cut(world: World) -> None:
    """Orders that do not reach their suppliers: shocks have said so link by link (`Sheet.cut`)."""
    for rows, left in world.sheet.cuts:
        world.links.delivered[rows] *= left


def withhold(world: World) -> None:
    """Lose what rationing gave through links that are cut off altogether.

    Rules 2 and 3 hand goods to clients who have ordered nothing, as the reference program does; where trade is cut
    off, these do not arrive.
    """
    links = world.links
    for rows, left in world.sheet.cuts:
        closed = rows[left == 0.0]
        given = links.delivered[closed]
        if given.any():
            world.firms.lost[:] += np.bincount(links.supplier[closed], given, minlength=world.firms.rows)
            links.delivered[closed] = 0.0
