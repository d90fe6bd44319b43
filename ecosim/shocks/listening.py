"""What shocks ask of an economy before the first day: who listens, when each strike began, whom they reach at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError, hint

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


def require(world: World, channel: str, where: str, doing: str) -> None:
    """Refuse a shock that would do nothing because no mechanism listens to ``channel``; ``where`` is its path."""
    if channel not in world.sheet.channels:
        raise InputError(f"{where}: nobody would notice {doing}; {world.sheet.instead(channel)}")


def labour(world: World) -> str:
    """Channel by which missing staff are felt: nobody stands in for anybody where workforce is off."""
    return "labour" if "labour" in world.sheet.channels else "capacity"


def since(world: World, label: str) -> Array:
    """Days since the strike of each entry that is under way, 0 on its first day, in the order of `Hit.effect`."""
    entries = world.memory[label]
    found: Array = world.day - entries["day"][entries["left"] > 0]
    return found


def narrow(world: World, label: str, reached: Array, where: str, nobody: str) -> None:
    """Scale what was drawn for a shock by how far it reaches each firm, ``reached`` (n,) from 0 to 1.

    Raises InputError with the words ``nobody`` where it reaches none of those who would be hit.
    """
    entries = world.memory[label]
    before = entries["first"]
    entries["first"] = before * reached[entries["rows"]]
    if before.any() and not entries["first"].any():
        raise InputError(f"{where}: {nobody}")


def sector_row(world: World, name: str, where: str) -> int:
    """Number of a sector; raises InputError for one that does not exist."""
    names = world.plan.firms.sector_names
    if name not in names:
        raise InputError(f"{where}: no sector is named {name!r}; {hint(name, names)}")
    return names.index(name)


def by_sector(world: World, shares: float | dict[str, float]) -> Array:
    """A share for each firm, shape (n,), from one number for all, or numbers by sector, 0 for those not named."""
    firms = world.plan.firms
    if isinstance(shares, dict):
        each = np.array([shares.get(name, 0.0) for name in firms.sector_names])
        return each[firms.sector]
    return np.full(len(firms), shares)
