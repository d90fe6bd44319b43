"""What markets were asked for and did not make, where entrants look for a place."""

from typing import Any

from numba import njit


@njit(cache=True)
def add_up(market: Any, demand: Any, production: Any, asked: Any, made: Any) -> None:
    """Add up, by market, what firms were ``asked`` for (at least what they made) and what they ``made``."""
    for i in range(len(market)):
        asked[market[i]] += max(demand[i], production[i])
        made[market[i]] += production[i]
