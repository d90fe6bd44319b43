"""Numbers measured every day: one small file each, named as its column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Measured in every run; a scenario adds to these.
STANDARD = (
    "total_production",
    "value_added",
    "final_consumption",
    "unmet_demand",
    "goods_lost",
    "capacity_lost",
    "stock",
)

#: Measured as well where a mechanism is on.
OF_MECHANISMS = {
    "finance": ("firms_open", "cash", "debt"),
    "turnover": ("firms_open",),
    "pricing": ("price_level",),
    "workforce": ("staff",),
    "experiments": ("know_how",),
    "learning": ("readiness",),
}

#: Measured as well where a shock may write to a channel.
OF_CHANNELS = {
    "stocks": ("goods_destroyed",),
    "delivery": ("goods_in_transit",),
}


def standard(mechanisms: Iterable[str], channels: Iterable[str] = ()) -> tuple[str, ...]:
    """Metrics of every run with these mechanisms on, and shocks that may write to these channels."""
    found = [kind for mechanism in mechanisms for kind in OF_MECHANISMS.get(mechanism, ())]
    found += [kind for channel in channels for kind in OF_CHANNELS.get(channel, ())]
    return (*STANDARD, *dict.fromkeys(found))
