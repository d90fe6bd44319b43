"""What a person has chosen: one frozen value, which is also the address of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_WRITTEN = "given"
NOTHING = "none"

#: Ecosystems by name: a plain title. `worlds.made_of` says what each is.
ECOSYSTEMS = {
    "sixty": "Sixty equal firms (teaching)",
    "tiny": "Thirty businesses of a small town (teaching)",
    "main_street": "Main street: small businesses of the United States (teaching)",
    "default_world": "Main street as in life: money, customers, owners; a flood",
    "regional_flood": "A flood on the river",
    "double_hit": "Two floods, three weeks apart",
    "cyber_wave": "A year of cyber attacks",
    "cloud_outage": "The largest cloud provider is down",
    "energy_price_spike": "Energy costs twice the usual",
    "recession": "A recession",
    "credit_crunch": "A credit crunch, then a flood",
    "pandemic_year": "A pandemic year",
    "tourism_collapse": "Visitors stay away for a season",
    "hub_store_closing": "The largest shop closes",
    "key_supplier_bankruptcy": "The key supplier goes bankrupt",
    "slow_burn": "Chronic stress: things get harder",
    "nation": "A nation of 100,000 firms",
}
STRUCTURES = {
    AS_WRITTEN: "As the ecosystem has it",
    "random": "Random: anyone buys from anyone",
    "scale_free": "Hubs: the popular get more popular",
    "star": "Star: a few hubs supply everybody",
    "modular": "Clusters that trade within",
    "small_world": "Neighbours with a few shortcuts",
    "core_periphery": "A core and its periphery",
    "nested": "Nested market areas",
    "hierarchy": "Tiers, one below the other",
    "local": "Nearby: who is close trades",
    "reconstructed": "By size: big firms supply many",
}
SHOCKS = {
    AS_WRITTEN: "As the ecosystem has it",
    NOTHING: "Nothing happens",
    "outage": "Outage: part of what firms can make is lost",
    "demand_collapse": "Customers stay away",
    "inventory_destruction": "Stocks of inputs are destroyed",
    "infrastructure": "Roads and power fail: deliveries are late",
    "cyber_attack": "Cyber attack: work stops, then eases",
}
WHO = {
    "random": "Firms by chance",
    "region": "One region (the first)",
    "hubs": "Those with most clients",
    "largest": "The largest",
}
#: Policies by kind: title, what is set, its unit, what full strength (100) means, and whether the core alone has it.
POLICIES: dict[str, tuple[str, str, float, bool]] = {
    AS_WRITTEN: ("As the ecosystem has it", "", 0.0, True),
    NOTHING: ("None", "", 0.0, True),
    "strategic_stock": ("Strategic stock: the state pays for extra stock", "extra", 2.0, True),
    "systemic_protection": ("Protect the ten with most clients", "protection", 1.0, True),
    "emergency_grant": ("Emergency grants after the shock", "costs", 28.0, False),
    "wage_subsidy": ("Short-time work: wages of lost hours are paid", "rate", 1.0, False),
    "loan_guarantee": ("Guaranteed credit lines", "line", 60.0, False),
    "supplier_matching": ("A platform that finds suppliers", "reach", 4.0, False),
    "continuity_subsidy": ("Subsidised continuity plans", "quality", 1.0, False),
}


@dataclass(frozen=True)
class Lever:
    """A slider: what it is called, its unit, its ends and its step; ``tip`` says what it does."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    tip: str


_LEVERS = (
    Lever("share", "Firms struck", "% of firms", 1, 100, 1, "How many firms the shock strikes directly."),
    Lever("severity", "Severity", "% lost", 0, 100, 5, "Share of means, customers or stocks that is lost."),
    Lever("duration", "Duration", "days", 1, 180, 1, "Days until it has passed; damage is repaired over as many."),
    Lever("start", "Strikes on day", "", 1, 120, 1, "Day on which the shock strikes; the first day is 0."),
    Lever("stock", "Stock of inputs", "days of use", 1, 60, 1, "How long a firm can go on when a supplier fails."),
    Lever("spare", "Spare capacity", "% of output", 0, 50, 5, "What a firm can make beyond its usual output."),
    Lever("suppliers", "Suppliers of a firm", "suppliers", 1, 10, 1, "How many others each firm buys from."),
    Lever("strength", "Policy strength", "% of full", 0, 100, 5, "How much of the policy's full strength is used."),
)
LEVERS = {lever.name: lever for lever in _LEVERS}
MOST_NOW = 3


@dataclass(frozen=True)
class Now:
    """One more shock, injected at a day of a run that is being looked at."""

    day: int
    shock: str = "outage"
    who: str = "random"
    share: float = 20.0
    severity: float = 60.0
    duration: int = 30

    def __str__(self) -> str:
        """The form it has in an address."""
        return f"{self.day}.{self.shock}.{self.who}.{self.share:g}.{self.severity:g}.{self.duration}"


@dataclass(frozen=True)
class Choice:
    """What to live: numbers that are None, and kinds that are "given", are as the ecosystem has them.

    ``share``, ``severity``, ``spare`` and ``strength`` are percentages; ``start`` and ``duration`` days, ``stock`` days
    of use. ``ecosystem`` is a key of `ECOSYSTEMS`, or ``own-...`` for an upload of this session.
    """

    ecosystem: str = "sixty"
    structure: str = AS_WRITTEN
    firms: int | None = None
    suppliers: int | None = None
    shock: str = "outage"
    who: str = "random"
    share: float = 20.0
    severity: float = 60.0
    start: int = 20
    duration: int = 30
    stock: float | None = None
    spare: float | None = None
    policy: str = AS_WRITTEN
    strength: float = 50.0
    days: int | None = None
    runs: int | None = None
    seed: int = 1
    now: tuple[Now, ...] = ()

    def with_(self, **changes: Any) -> Choice:
        """Another choice; another ecosystem begins as it is written."""
        if changes.get("ecosystem", self.ecosystem) != self.ecosystem:
            return replace(Choice(seed=self.seed, shock=AS_WRITTEN), **changes)
        return replace(self, **changes)

    def branch(self, now: Now) -> Choice:
        """The same with one more shock from that day on; beyond `MOST_NOW` the oldest is dropped."""
        return replace(self, now=(*self.now, now)[-MOST_NOW:])

    def to_query(self) -> dict[str, str]:
        """Parameters of the page's address: what differs from the plain choice."""
        plain, found = Choice(), {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == getattr(plain, field.name):
                continue
            if field.name == "now":
                found["now"] = "~".join(map(str, value))
            else:
                found[field.name] = f"{value:g}" if isinstance(value, float) else str(value)
        return found

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Choice:
        """Read an address; what cannot be read keeps its plain value, and `complaints` tells of it."""
        return cls(**_read(query)[0])


# --- reading an address ----------------------------------------------------------------------------------------------


def complaints(query: Mapping[str, str]) -> tuple[str, ...]:
    """What could not be read of an address, in words."""
    return _read(query)[1]


def _read(query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    values: dict[str, Any] = {}
    told: list[str] = []
    for name, read in READERS.items():
        if name not in query:
            continue
        try:
            values[name] = read(query[name])
        except ValueError as error:
            told.append(f"{name}={query[name][:40]} in the address: {error}; the usual value is shown instead.")
    return values, tuple(told)


def _one_of(names: Mapping[str, Any], *, own: bool = False) -> Any:
    def read(text: str) -> str:
        if text in names or (own and re.fullmatch(r"own-[0-9a-f]{12}", text)):
            return text
        raise ValueError(f"there are {', '.join(names)}")

    return read


def _number(low: float, high: float, *, whole: bool = False) -> Any:
    def read(text: str) -> float | int:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise ValueError("not a number") from None
        if not low <= value <= high:
            raise ValueError(f"give {low:g} to {high:g}")
        return value

    return read


def _lever(name: str, *, whole: bool = False) -> Any:
    lever = LEVERS[name]
    return _number(lever.low, lever.high, whole=whole)


def _nows(text: str) -> tuple[Now, ...]:
    found = []
    for part in text.split("~")[:MOST_NOW]:
        pieces = part.split(".")
        if len(pieces) != 6:
            raise ValueError("write day.shock.who.share.severity.duration")
        day, shock, who, share, severity, duration = pieces
        if shock in {AS_WRITTEN, NOTHING}:
            raise ValueError("name a shock")
        hit = _one_of(SHOCKS)(shock), _one_of(WHO)(who)
        levels = READERS["share"](share), READERS["severity"](severity), READERS["duration"](duration)
        found.append(Now(_number(0, 100_000, whole=True)(day), *hit, *levels))
    return tuple(found)


READERS: dict[str, Any] = {
    "ecosystem": _one_of(ECOSYSTEMS, own=True),
    "structure": _one_of(STRUCTURES),
    "firms": _number(30, 100_000, whole=True),
    "suppliers": _lever("suppliers", whole=True),
    "shock": _one_of(SHOCKS),
    "who": _one_of(WHO),
    "share": _lever("share"),
    "severity": _lever("severity"),
    "start": _lever("start", whole=True),
    "duration": _lever("duration", whole=True),
    "stock": _lever("stock"),
    "spare": _lever("spare"),
    "policy": _one_of(POLICIES),
    "strength": _lever("strength"),
    "days": _number(30, 730, whole=True),
    "runs": _number(2, 48, whole=True),
    "seed": _number(0, 2**31 - 1, whole=True),
    "now": _nows,
}
