"""What a page asks a world for, and the scenario behind it; `living` lives it, `jobs` asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import InputError, Scenario, load

from .choice import (
    AS_WRITTEN,
    ECOSYSTEMS,
    LEVERS,
    NOTHING,
    POLICIES,
    SHOCKS,
    STRUCTURES,
    WHO,
    Choice,
    Lever,
    Now,
    complaints,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecosim.resilience.estimate import Estimate

    type Array = NDArray[np.float64]

__all__ = [
    "AS_WRITTEN", "ECOSYSTEMS", "LEVERS", "NOTHING", "POLICIES", "SHOCKS", "STRUCTURES", "WHO",
    "Answer", "Choice", "Event", "Lever", "Now", "Own", "complaints", "paired", "scenario",
]  # fmt: skip

TEACHING = "main_street", 150
MOST_FIRM_DAYS = 75_000_000
"""Most firms x days x runs of one question."""
MOST_LINKS = 1_000_000
BLOCK_FIRMS = 1_200  # firms that are lived at once for a teaching answer: less than a tenth of a second
WEEK = 7
WHAT_IF = "what if"
SHOCK, POLICY = "shock", "policy"
PHASED = ("demand_collapse", "infrastructure")


@dataclass(frozen=True)
class Event:
    """Something that happened on a day of a run, for the axis of a chart; ``kind`` is shock, firms or end."""

    day: int
    label: str
    kind: str = "shock"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a world did, run by run; shares are percentages of its undisturbed twin, run by run.

    ``made`` and ``sold`` (days, runs) are output and sales to customers; ``hurt`` (days, runs) the share of firms that
    made less than half of their usual output. ``lost`` (runs,) is output lost over all days, ``worst`` (runs,) how far
    the worst day lay below the twin's, ``failed`` (runs,) the share of firms that fell below half at some time.
    ``frames`` holds each run for the network (`network.encode`), ``struck`` whom shocks strike in it, a byte a firm;
    beyond `encode.CELLS_FROM` firms both are of cells, sector by region.
    """

    choice: Choice
    title: str
    firms: int
    made: Array
    sold: Array
    hurt: Array
    lost: Array
    worst: Array
    failed: Array
    events: tuple[Event, ...]
    frames: tuple[bytes, ...]
    struck: tuple[bytes, ...]
    remarks: tuple[str, ...] = ()
    closures: tuple[int, int] | None = None
    seconds: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Days lived."""
        return len(self.made)

    @property
    def runs(self) -> int:
        """Runs lived, each with luck of its own."""
        return int(self.made.shape[1])

    @property
    def by_chance(self) -> bool:
        """Whether runs differ at all."""
        return bool(self.runs > 1 and np.ptp(self.lost) > 1e-9)

    def headline(self, name: str) -> Estimate | None:
        """Mean over runs of lost, worst or failed with its t interval; None for a single run."""
        from ecosim.resilience.estimate import mean_interval

        return mean_interval(getattr(self, name)) if self.runs > 1 else None

    def band(self, name: str) -> tuple[Array, Array, Array]:
        """Mean of ``made``, ``sold`` or ``hurt`` by day, and the lowest and highest tenth of runs, (days,) each."""
        values = getattr(self, name)
        low, high = np.percentile(values, [10, 90], axis=1)
        return values.mean(axis=1), low, high

    def recovered(self) -> NDArray[np.int64]:
        """Day from which output is `back`, -1 for never; (runs,)."""
        return np.array([back(self.made[:, run]) for run in range(self.runs)], dtype=np.int64)


def back(shares: Array) -> int:
    """First day from which shares (days,) stay within 1 % of 100 to the end, for a week at least; -1 for none.

    A second shock may strike after output was back from the first: what counts is that it stays.
    """
    away = np.flatnonzero(np.abs(shares - 100.0) > 1.0)
    first = int(away[-1]) + 1 if len(away) else 0
    return first if first <= len(shares) - WEEK else -1


def paired(one: Answer, other: Answer, name: str) -> Estimate | None:
    """Mean difference of a headline, run by run with the same luck, with its t interval; None for other runs."""
    from ecosim.resilience.estimate import mean_interval

    if one.runs != other.runs or one.runs < 2 or one.choice.seed != other.choice.seed:
        return None
    return mean_interval(getattr(one, name) - getattr(other, name))


# --- the scenario of a choice -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """An ecosystem of one's own, as it was uploaded; ``key`` stands for its contents and is what a choice names."""

    key: str
    title: str = field(compare=False)
    scenario: Scenario = field(compare=False, repr=False)


@lru_cache(maxsize=256)  # asked for several times at each move: what it costs, how many runs, to live it
def scenario(choice: Choice, own: Own | None = None) -> Scenario:
    """Scenario of a choice, of one's own where it names that. Raises InputError with the place and the mend."""
    base = base_of(choice, own)
    changes: dict[str, Any] = {"seed": choice.seed}
    if choice.days is not None:
        changes["days"] = choice.days
    if choice.firms is not None:
        if not hasattr(base.economy, "firms"):
            raise InputError("Number of firms: this ecosystem lists its firms; choose another ecosystem to change it.")
        changes["economy.firms"] = choice.firms
    if choice.stock is not None:
        changes["economy.inventory_days"] = float(choice.stock)
    if choice.spare is not None:
        changes["economy.headroom"] = choice.spare / 100.0
    changes |= _network(base, choice)
    # An imported network is set aside meanwhile: its rows would be checked again at each move of a slider.
    brings = hasattr(base.network, "blueprint")
    bare = base.model_copy(update={"network": _stand_in()}) if brings else base
    made = bare.with_(changes).with_(_happens(base, choice))
    return made.model_copy(update={"network": base.network}) if brings else made


@lru_cache(maxsize=1)
def _stand_in() -> Any:
    return Scenario().network


def base_of(choice: Choice, own: Own | None = None) -> Scenario:
    """The ecosystem of a choice as it is written."""
    return own.scenario if own is not None and own.key == choice.ecosystem else _base(choice.ecosystem)


@lru_cache(maxsize=64)
def _base(ecosystem: str) -> Scenario:
    if ecosystem == "sixty":
        return Scenario.from_yaml(SIXTY)
    if ecosystem not in ECOSYSTEMS:
        raise InputError(
            "This ecosystem was uploaded in another session; upload the file again, or choose another one."
        )
    found = load(ecosystem, allow_code=False)
    if ecosystem == TEACHING[0]:
        return found.with_({"economy.firms": TEACHING[1], "days": 180})
    return found


SIXTY = """
name: sixty
days: 120
economy: {kind: uniform, firms: 60, inventory_days: 10, inputs: 3, rationing: 2}
network: {kind: scale_free, suppliers: 4}
shocks:
  - {kind: outage, name: shock, who: {share: 0.2}, when: 20, severity: 0.6, recovery: {law: proportional, days: 30}}
"""


def _network(base: Scenario, choice: Choice) -> dict[str, Any]:
    """Changes that give the network chosen; an imported network keeps its firms and sectors under another structure."""
    network: Any = base.network
    imported = network.kind == "imported"
    if choice.structure == AS_WRITTEN:
        if choice.suppliers is None:
            return {}
        if imported:
            raise InputError(
                "Suppliers of a firm: this ecosystem brings its own links; choose another structure first."
            )
        return {"network.suppliers": choice.suppliers}
    if imported:
        raise InputError(
            "Structure: this ecosystem brings its own links; keep its structure, or choose another ecosystem."
        )
    return {"network.kind": choice.structure, "network.suppliers": choice.suppliers or network.suppliers}


def _happens(base: Scenario, choice: Choice) -> dict[str, Any]:
    """Changes that give shocks and policies; those injected into a run come after all others, each with its name."""
    shocks: list[Any] = list(base.shocks)
    if choice.shock == NOTHING:
        shocks = []
    elif choice.shock != AS_WRITTEN:
        levels = choice.who, choice.share, choice.severity, choice.start, choice.duration
        shocks = [_shock(base, SHOCK, choice.shock, *levels)]
    for at, now in enumerate(choice.now, 1):
        name = WHAT_IF if at == 1 else f"{WHAT_IF} {at}"
        shocks.append(_shock(base, name, now.shock, now.who, now.share, now.severity, now.day, now.duration))
    changes: dict[str, Any] = {"shocks": shocks}
    if choice.policy == NOTHING:
        changes["policies"] = []
    elif choice.policy != AS_WRITTEN:
        changes["policies"] = [_policy(choice, shocks)]
    return changes


def _shock(
    base: Scenario, name: str, kind: str, who: str, share: float, severity: float, day: int, days: int
) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": kind, "name": name, "when": day, "severity": severity / 100.0}
    made["who"] = _who(base, who, share)
    if kind == "outage":
        made["recovery"] = {"law": "proportional", "days": days}
    elif kind == "cyber_attack":
        made |= {"days": max(1, days // 3), "ease": days - max(1, days // 3)}
    elif kind in PHASED:
        made["days"] = days
    return made


def _who(base: Scenario, who: str, share: float) -> dict[str, Any]:
    if who == "random":
        return {"share": share / 100.0}
    if who == "region":
        return {"region": first_region(base)}
    count = max(1, round(firms_of(base) * share / 100.0))
    return {"top": count, "by": "clients" if who == "hubs" else "output"}


def _policy(choice: Choice, shocks: list[Any]) -> dict[str, Any]:
    _, what, full, _ = POLICIES[choice.policy]
    made: dict[str, Any] = {"kind": choice.policy, "name": POLICY, what: full * choice.strength / 100.0}
    if choice.policy == "emergency_grant" and shocks:
        first = shocks[0]
        made["trigger"] = {"after": first["name"] if isinstance(first, dict) else first.label}
    return made


# --- what is known of a scenario before it is built ------------------------------------------------------------------


def firms_of(of: Scenario) -> int:
    """Number of firms of a scenario."""
    economy: Any = of.economy
    if hasattr(economy, "firms"):
        return int(economy.firms)
    return len(imported(of).firms)


def first_region(of: Scenario) -> str:
    """Name of the first region."""
    from ecosim.calibration.places import region_names

    economy: Any = of.economy
    if hasattr(economy, "regions"):
        return region_names(economy.regions)[0]
    return str(imported(of).firms.region_names[0])


def written(of: Scenario) -> dict[str, float | None]:
    """Levels of an ecosystem as it is written, in the units of the levers; None where firms differ, or have none."""
    economy, network = of.economy, of.network
    stock: Any = economy.inventory_days
    links = hasattr(network, "blueprint")
    return {
        "stock": float(stock) if isinstance(stock, int | float) else None,
        "spare": 100.0 * economy.headroom,
        "suppliers": None if links else float(network.suppliers),
        "firms": float(economy.firms) if hasattr(economy, "firms") else None,
        "days": float(of.days),
    }


def imported(of: Scenario) -> Any:
    """Blueprint of an imported network; raises InputError where there is none."""
    network: Any = of.network
    if not hasattr(network, "blueprint"):
        raise InputError(
            f"network.kind: {network.kind} brings no firms, and the economy has none; choose economy.kind: table"
        )
    return network.blueprint()


def plain(of: Scenario) -> bool:
    """Whether runs can be lived side by side as blocks: the core day alone, and nothing in which blocks could meet."""
    from ecosim.policies.need import Need
    from ecosim.policies.trigger import Trigger
    from ecosim.shocks.hit import Hit

    parts: Any = of
    if parts.mechanisms or parts.metrics or parts.economy.agents:
        return False
    apart = all(one.budget is None and one.trigger == Trigger() and one.need == Need() for one in parts.policies)
    return apart and all(isinstance(shock, Hit) for shock in parts.shocks)


def runs_of(of: Scenario, asked: int | None = None) -> int:
    """How many runs are lived: 24 where that takes no time, fewer for larger worlds, at least 2 for a spread."""
    if asked is not None:
        return asked
    firms = firms_of(of)
    if plain(of):
        return int(np.clip(BLOCK_FIRMS // firms, 8 if firms <= 2_000 else 4 if firms <= 10_000 else 2, 24))
    return 6 if firms <= 2_000 else 2


def refuse_too_much(of: Scenario, runs: int) -> None:
    """Raise InputError, in plain words, for a question larger than a server for many can live."""
    firms, network = firms_of(of), of.network
    size = firms * of.days * runs
    links = firms * int(getattr(network, "suppliers", 0))
    if links > MOST_LINKS:
        raise InputError(
            f"{firms:,} firms with {links // firms:,} suppliers each are {links:,} links; this server holds at most "
            f"{MOST_LINKS:,}. Take fewer firms or suppliers, or run it yourself: ecosim run."
        )
    if size > MOST_FIRM_DAYS:
        raise InputError(
            f"{firms_of(of):,} firms for {of.days:,} days, {runs} times, are {size:,} firm-days; this server lives at "
            f"most {MOST_FIRM_DAYS:,} at once. Take fewer firms or days, or run it yourself: ecosim run."
        )


def to_csv(answer: Answer) -> Any:
    """Every day of every run as a table: run, day, made, sold, hurt (percent)."""
    import pandas as pd

    days, runs = answer.made.shape
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(1, runs + 1), days),
            "day": np.tile(np.arange(days), runs),
            "output_percent_of_undisturbed": answer.made.T.ravel().round(4),
            "sales_percent_of_undisturbed": answer.sold.T.ravel().round(4),
            "firms_below_half_percent": answer.hurt.T.ravel().round(4),
        }
    )
