"""A small world in which policies are paid for: what each lever brings, what it costs, and who gains or loses.

Every run of a replicate has the same firms, network, shock and luck, so all effects are paired differences from the run
without any policy. Money is told in days of the whole economy's usual output, so that cost and gain are in one unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ecosim.config import Scenario

    type Array = NDArray[np.float64]

FIRMS, DAYS, REPLICATES = 60, 120, 12
MECHANISMS = ("recovery", "continuity", "workforce", "customers", "income", "finance", "sourcing", "turnover")
UNIT = "days of output"
PURSE = 1.0
"""What all levers together may cost in the challenge, days of the whole economy's usual output."""
TARGET = 30.0
"""What the challenge asks for: this share of what customers lose is avoided, %."""
MONEY = "money_alone"
"""The yardstick: the purse paid out to people for nothing. Money that no tax pays for always brings consumption."""


@dataclass(frozen=True)
class Lever:
    """A policy that can be paid for: the words on the page, and what is written into the scenario beside its budget."""

    title: str
    tip: str
    policy: Mapping[str, Any]


LEVERS: dict[str, Lever] = {
    "emergency_grant": Lever(
        "Emergency grants",
        "Cash for firms that were struck, once each.",
        {"trigger": {"after": "flood"}, "lead_days": 7},
    ),
    "wage_subsidy": Lever(
        "Short-time work", "Part of the wages of people for whom there is no work.", {"trigger": {"after": "flood"}}
    ),
    "demand_voucher": Lever(
        "Vouchers",
        "People get vouchers for firms that have lost sales.",
        {"trigger": {"after": "flood"}, "lead_days": 7},
    ),
    "strategic_stock": Lever("Extra stocks", "Firms are paid to hold half as much stock again.", {"buys": False}),
    "diversification_subsidy": Lever("Second suppliers", "Retainers for suppliers who can step in.", {}),
    "continuity_subsidy": Lever("Continuity plans", "Part of the cost of plans and drills.", {}),
    "systemic_protection": Lever(
        "Protect the hubs", "Dykes and standby power for the ten firms with most clients.", {}
    ),
}


@dataclass(frozen=True)
class Assumption:
    """Something that no policy can choose: label, unit, limits, step and the value it has at first."""

    label: str
    unit: str
    low: float
    high: float
    step: float
    usual: float
    tip: str


ASSUMPTIONS: dict[str, Assumption] = {
    "severity": Assumption("Severity of the flood", "% of capacity", 20, 100, 10, 60, "What each flooded firm loses."),
    "repair": Assumption("Repairs take", "days", 10, 60, 10, 30, "Time constant of rebuilding without help."),
    "stock": Assumption(
        "Stocks of inputs", "days of use", 3, 30, 3, 15, "How long a firm can go on without a supplier."
    ),
    "spare": Assumption("Spare capacity", "% of usual output", 0, 50, 5, 25, "What firms can make beyond their usual."),
}


@dataclass(frozen=True)
class Question:
    """What is asked: budgets by lever (days of output; 0 leaves it out) under some assumptions.

    With ``alone`` every lever that has a budget is also lived alone, with its own budget and with the whole purse.
    """

    budgets: tuple[tuple[str, float], ...] = ()
    assumptions: tuple[tuple[str, float], ...] = ()
    alone: bool = False
    replicates: int = REPLICATES
    seed: int = 1

    @property
    def total(self) -> float:
        """What all levers may cost together."""
        return sum(budget for _, budget in self.budgets)

    def scenario(self, budgets: Mapping[str, float]) -> Scenario:
        """The world with some levers. Raises InputError for a lever or an assumption that does not exist."""
        from ecosim import load

        given = {name: one.usual for name, one in ASSUMPTIONS.items()} | dict(self.assumptions)
        for name in (*dict(self.assumptions), *budgets):
            if name not in ASSUMPTIONS and name not in LEVERS and name != MONEY:
                raise InputError(f"{name}: no such lever or assumption; there are {', '.join((*LEVERS, *ASSUMPTIONS))}")
        flood = {
            "kind": "outage",
            "name": "flood",
            "who": {"region": "Riverside"},
            "when": 30,
            "severity": given["severity"] / 100.0,
            "recovery": {"law": "exponential", "days": given["repair"], "start": 5},
        }
        return load("default_world").with_(
            {
                "name": "town",
                "days": DAYS,
                "seed": self.seed,
                "economy.firms": FIRMS,
                "mechanisms": list(MECHANISMS),
                "economy.inventory_days": given["stock"],
                "economy.headroom": given["spare"] / 100.0,
                "shocks": [flood],
                "policies": [_policy(name, budget) for name, budget in budgets.items() if budget > 0],
            }
        )


def _policy(name: str, budget: float) -> dict[str, Any]:
    if name == MONEY:
        return {"kind": "local_sourcing", "name": MONEY, "shift": 0.0, "cost": budget / DAYS}
    return {"kind": name, **LEVERS[name].policy, "budget": budget}


@dataclass(frozen=True)
class Effect:
    """A mean over replicates with its 95 % interval (Student's t)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Package:
    """What some levers together did: spent and gained in days of usual output, share of the loss avoided in %."""

    name: str
    spent: Effect
    consumption: Effect
    output: Effect
    failures: Effect
    avoided: Effect
    """Share of what customers lost that was avoided, %."""

    @property
    def ratio(self) -> float | None:
        """Consumption gained for each unit spent; None where next to nothing was spent."""
        return None if self.spent.value < 1e-3 else self.consumption.value / self.spent.value


@dataclass(frozen=True)
class Group:
    """How a group of firms did with the package: change of what they made, % of usual, and how many firms they are."""

    of: str
    name: str
    firms: int
    change: Effect


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a question. ``lost`` is what customers lost without any policy, days of usual consumption."""

    question: Question
    lost: Effect
    failed: Effect
    package: Package
    singles: tuple[Package, ...] = ()
    full: tuple[Package, ...] = ()
    """Each lever alone with the whole purse."""
    groups: tuple[Group, ...] = ()
    gainers: tuple[float, float] = (0.0, 0.0)
    """Share of firms that made at least 0.1 % more, and less, than without the package; %."""
    daily: Mapping[str, list[float]] = field(default_factory=dict)
    """What customers got on each day, % of usual: ``calm``, ``none``, ``package``; means over replicates."""


# --- living it -------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Run:
    """What is kept of one run; money in days of usual output, made by firms (n,)."""

    made: Array
    sold: Array
    failures: int
    spent: float


def answer(question: Question, report: Callable[[float], None] | None = None) -> Answer:
    """Live the town without a shock, without a policy, and with the levers; ``report`` hears the share that is done."""
    chosen = {name: budget for name, budget in question.budgets if budget > 0}
    variants: dict[str, dict[str, float]] = {"none": {}} | ({"package": chosen} if chosen else {})
    if question.alone:
        variants |= {f"single {name}": {name: budget} for name, budget in chosen.items()}
        variants |= {f"full {name}": {name: PURSE} for name in (*LEVERS, MONEY)}
    bare = question.scenario({})
    scenarios = {"calm": bare.with_({"shocks": []}), "none": bare}
    scenarios |= {name: question.scenario(budgets) for name, budgets in variants.items() if name != "none"}
    total, done = question.replicates * len(scenarios), 0
    lived: dict[str, list[_Run]] = {name: [] for name in scenarios}
    groups: list[tuple[dict[str, NDArray[Any]], Array]] = []
    for replicate in range(question.replicates):
        plan: Any = None
        for name, scenario in scenarios.items():
            run, plan, firms = _live(scenario, replicate, plan)
            lived[name].append(run)
            if name == "none":
                groups.append((firms, run.made))
            done += 1
            if report is not None:
                report(done / total)
    return _told(question, {"package": lived["none"], **lived}, groups)


def _live(scenario: Scenario, replicate: int, plan: Any) -> tuple[_Run, Any, dict[str, NDArray[Any]]]:
    """One run, and the network it was lived on, so that all variants of a replicate share it."""
    from ecosim import Ecosystem
    from ecosim.report.aid import told
    from ecosim.state import CLOSES

    eco = Ecosystem(scenario, blueprint=plan, replicate=replicate)
    eco.run_for(scenario.days)
    world, plan = eco.world, eco.world.plan
    usual = world.output_at_rest
    closed = [event["rows"] for event in world.events if event["event"].startswith(CLOSES)]
    failed = np.union1d(np.concatenate([[], *closed]), np.flatnonzero(world.firms.failed_on >= 0))
    sold = eco.series.loc[0:, "final_consumption"].to_numpy() / float(plan.firms.final_demand.sum())
    spent = sum(one["spent"] - one["returned"] for one in told(eco)) / usual
    firms = {
        "sector": np.asarray(plan.firms.sector_names, dtype=object)[plan.firms.sector],
        "region": np.asarray(plan.firms.region_names, dtype=object)[plan.firms.region],
        "size": _sizes(world.firms.output),
    }
    # What a firm made, in days of its own usual output.
    made = np.divide(world.firms.produced, world.firms.output, out=np.zeros(FIRMS), where=world.firms.output > 0)
    return _Run(made.copy(), sold, len(failed), float(spent)), plan, firms


def _sizes(output: Array) -> NDArray[Any]:
    """Third of the firms that each belongs to, by usual output."""
    rank = np.argsort(np.argsort(output, kind="stable"), kind="stable")
    return np.asarray(["small third", "middle third", "large third"], dtype=object)[3 * rank // len(output)]


# --- what is read off ------------------------------------------------------------------------------------------------


def _told(question: Question, lived: Mapping[str, list[_Run]], groups: list[Any]) -> Answer:
    none, calm = lived["none"], lived["calm"]
    lost = np.array([c.sold.sum() - n.sold.sum() for c, n in zip(calm, none, strict=True)])

    def package(name: str, runs: list[_Run]) -> Package:
        pairs = list(zip(runs, none, strict=True))
        gained = np.array([run.sold.sum() - bare.sold.sum() for run, bare in pairs])
        return Package(
            name,
            spent=effect(np.array([run.spent for run in runs])),
            consumption=effect(gained),
            output=effect(np.array([run.made.mean() - bare.made.mean() for run, bare in pairs])),
            failures=effect(np.array([float(bare.failures - run.failures) for run, bare in pairs])),
            avoided=ratio(gained, lost),
        )

    def each(prefix: str) -> tuple[Package, ...]:
        return tuple(
            package(name.removeprefix(f"{prefix} "), runs)
            for name, runs in lived.items()
            if name.startswith(f"{prefix} ")
        )

    shift = [run.made - bare.made for run, bare in zip(lived["package"], none, strict=True)]
    near = 0.001 * DAYS  # a tenth of a per cent of what a firm makes
    share = [(100 * (one > near).mean(), 100 * (one < -near).mean()) for one in shift]
    return Answer(
        question,
        lost=effect(lost),
        failed=effect(np.array([float(run.failures) for run in none])),
        package=package("package", lived["package"]),
        singles=each("single"),
        full=each("full"),
        groups=_groups(groups, shift),
        gainers=(float(np.mean([up for up, _ in share])), float(np.mean([down for _, down in share]))),
        daily={
            name: (100.0 * np.mean([run.sold for run in lived[name]], axis=0)).tolist()
            for name in ("calm", "none", "package")
        },
    )


def _groups(groups: list[Any], shift: list[Array]) -> tuple[Group, ...]:
    found = []
    for of in ("size", "region", "sector"):
        for name in sorted({str(one) for firms, _ in groups for one in firms[of]}):
            means = [
                100.0 * float(change[firms[of] == name].mean()) / DAYS
                for (firms, _), change in zip(groups, shift, strict=True)
                if (firms[of] == name).any()
            ]
            many = round(float(np.mean([(firms[of] == name).sum() for firms, _ in groups])))
            found.append(Group(of, name, many, effect(np.array(means))))
    return tuple(found)


def effect(values: Array) -> Effect:
    """Mean of some replicates with its interval; no width for a single one."""
    from ecosim.resilience import mean_interval

    if len(values) < 2:
        return Effect(float(values[0]), float(values[0]), float(values[0]))
    found = mean_interval(values)
    return Effect(found.value, found.low, found.high)


def ratio(gained: Array, lost: Array) -> Effect:
    """Gained over lost in %, both summed over replicates, with the jackknife's interval; 0 where nothing was lost."""
    from scipy import special

    n, whole = len(gained), float(lost.sum())
    if whole <= 0:
        return Effect(0.0, 0.0, 0.0)
    value = 100.0 * float(gained.sum()) / whole
    if n < 2:
        return Effect(value, value, value)
    left = 100.0 * (gained.sum() - gained) / (whole - lost)
    half = float(special.stdtrit(n - 1, 0.975) * np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))
    return Effect(value, value - half, value + half)


def front(packages: tuple[Package, ...]) -> frozenset[str]:
    """Names of those that no other beats: none is as cheap and gains more, or gains as much and is cheaper."""
    found = set()
    for one in packages:
        cost, gain = one.spent.value, one.consumption.value
        beaten = any(
            other.spent.value <= cost
            and other.consumption.value >= gain
            and (other.spent.value < cost or other.consumption.value > gain)
            for other in packages
        )
        if not beaten:
            found.add(one.name)
    return frozenset(found)


def reached(one: Package, target: float = TARGET, purse: float = PURSE) -> str:
    """Whether a package meets the challenge: "yes", "perhaps" where the interval holds the target, or "no"."""
    if one.spent.value > purse * 1.001 or one.avoided.high < target:
        return "no"
    return "yes" if one.avoided.low >= target else "perhaps"
