"""How fast a firm repairs what is damaged: its money and hands, its neighbours, its authorities, what it has learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator

from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

MONEY = ("rebuild_cost", "own_hands", "reserve")
LEVELS = (*MONEY, "drag", "aid_effect", "readiness_effect", "community_help", "trust", "permit_days", "permit_above")


class Recovery(Mechanism):
    """Operational resilience: how fast each firm repairs, as a multiple of the speed in a shock's own recovery law.

    An outage gives capacity back by one of the six laws of Inoue & Todo (2019). What the law would repair in an
    evening is multiplied by the firm's speed, and a law that is a function of time runs by the firm's own clock::

        speed = size x means x help x readiness x neighbours x office x start
        size       = (1 + drag / 2) / (1 + drag d)       heavy damage d of outages takes longer than in proportion
        means      = own_hands + (1 - own_hands) min(1, spare cash a / (rebuild_cost x potential x d))
        help       = 1 + aid_effect (a - 1)              a: channel ``aid``; and all of channel ``repair``
        readiness  = 1 + readiness_effect r              r: column ``readiness`` (learning)
        neighbours = 1 + community_help (trust (1 - D) - 1/2)    D: mean damage of the firm's region, by output
        office     = 0 until permit_days have passed, where d is above permit_above; channel ``permits`` speeds it up
        start      = 0 until the firm has acted: its column ``delay`` (autonomy), in days

    A firm that is half damaged, among neighbours who stand and half trust each other, repairs at the law's own speed;
    each factor that another mechanism gives is 1 where that one is off. That rapidity is a property of its own, bought
    with means and with resourcefulness, is Bruneau et al. (2003); that rebuilding is held back by what it costs and by
    who can do the work, Hallegatte (2008); that small firms' way back depends on owners' means and on help, Marshall &
    Schrank (2014); that trust among neighbours speeds it up, Aldrich (2012).

    Only what outages have damaged counts (channel ``intact`` is what they left): a strike or a power cut scales
    capacity, and its end is no repair. With finance on, what was rebuilt is paid for, out of cash above the reserve, to
    the people next door who do the work (reconstruction is work done in the place: Hallegatte 2008), and the firm
    rebuilds only as far as it could pay for all that is broken; the share ``own_hands`` goes on without money. Aid of 2
    doubles the hands and halves the bill.

    Which idea is which parameter: resourcefulness and bootstrapping ``own_hands``; the emergency fund ``reserve`` (what
    is *not* spent on repairs); community support ``community_help``; trust in the community ``trust``,
    ``trust_by_region``; regulation speed ``permit_days``, ``permit_days_by_region`` and channel ``permits``; a
    region's policy environment, the two dictionaries; agility, the ``delay`` of autonomy; collaboration's and policies'
    help, channels ``repair`` and ``aid``.
    """

    kind: Literal["recovery"] = "recovery"
    priced: ClassVar[tuple[str, ...]] = MONEY
    drag: Level = parameter(1.0, unit="1", source="assumption", low=0, high=20)
    """How much longer heavy damage takes: at 1 a total loss is repaired at three quarters of the law's speed, and a
    scratch at one and a half of it. Nobody has measured it for small firms."""
    rebuild_cost: Level = parameter(30.0, unit="days of output", source="assumption", low=0, high=5000)
    """Cost of rebuilding all of a firm's capacity, net of insurance and of what the landlord pays. The whole capital of
    a firm is worth years of output; the share that falls to its own cash is not known, so it is set low."""
    own_hands: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Speed that is left without any money: owner and staff clear up by themselves. No measurement is known."""
    reserve: Level = parameter(0.25, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash that a firm keeps for wages and bills before it pays for repairs; a choice of the owner's."""
    aid_effect: Level = parameter(1.0, unit="1", source="assumption", low=0, high=10)
    """How much each unit of aid above 1 adds to the speed; at 1, as much as the firm's own effort."""
    readiness_effect: Level = parameter(0.5, unit="1", source="assumption", low=0, high=10)
    """How much faster a firm repairs that has learnt all there is to learn (readiness 1)."""
    community_help: Level = parameter(0.2, unit="1", source="assumption", low=0, high=10)
    """How far the speed differs between no trust at all and full trust among neighbours who all stand. The direction is
    Aldrich (2012); there is no figure for firms."""
    trust: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Trust in the community, 0 to 1; the middle, because surveys of trust differ more by place than by firm."""
    trust_by_region: dict[str, float] = parameter({}, unit="share, by region", source="assumption")
    """Trust in some regions, by name, in place of ``trust``."""
    permit_days: Level = parameter(7.0, unit="days", source="assumption", low=0, high=3650)
    """Days until the authorities let a heavily damaged firm rebuild. Varies with the law of the place; a week stands
    for an emergency procedure."""
    permit_days_by_region: dict[str, float] = parameter({}, unit="days, by region", source="assumption")
    """Permit days in some regions, by name, in place of ``permit_days``."""
    permit_above: Level = parameter(0.7, unit="share", source="assumption", low=0, high=1)
    """Damage above which a permit is needed: beyond this it is taken for structural."""

    columns: ClassVar[dict[str, str]] = {"repair": "speed of tonight's repairs, share of the recovery law's own"}
    channels: ClassVar[dict[str, str]] = {
        "repair": "speed of repairs, share of the usual",
        "aid": "hands and material for repairs, the firm's own being 1",
        "permits": "speed of authorities that permit rebuilding, share of the usual",
        "intact": "what outages have left undamaged, share; what comes back of it is repaired and paid for",
    }

    @field_validator("trust_by_region", "permit_days_by_region")
    @classmethod
    def _levels(cls, value: dict[str, float], info: Any) -> dict[str, float]:
        low, high = cls.bounds(info.field_name.removesuffix("_by_region"))
        for region, level in value.items():
            if not low <= level <= high:
                raise ValueError(f"{region}: {level!r} is out of range; give {low:g} to {high:g}")
        return value

    def prepare(self, world: World, rng: Stream) -> None:
        """Add speeds of 1, and what is remembered of damage."""
        firms, n = world.plan.firms, world.firms.rows
        for name, neutral in (("repair", 1.0), ("alive", 1.0), ("readiness", 0.0), ("delay", 1.0)):
            world.firms.ensure(name, neutral)
        kept = {name: self.per_firm(world, name) for name in LEVELS}
        for name in ("trust", "permit_days"):
            for region, level in getattr(self, f"{name}_by_region").items():
                kept[name][firms.region == _region(region, firms.region_names, f"{name}_by_region")] = level
        weight = np.bincount(firms.region, world.firms.output, minlength=len(firms.region_names))
        kept |= {"damage": np.zeros(n), "days": np.zeros(n), "permit": np.zeros(n), "region_output": weight}
        world.memory[self.kind] = kept

    def settle(self, world: World, rng: Stream) -> None:
        """Pay for what was rebuilt last night, as far as there is cash above the reserve."""
        kept, sheet = world.memory[self.kind], world.sheet.multipliers
        if world.money is None or not kept["damage"].any():
            return
        rebuilt = np.maximum(kept["damage"] - (1.0 - sheet["intact"]), 0.0) * world.firms.potential
        bill = kept["rebuild_cost"] * rebuilt / np.maximum(sheet["aid"], 1.0) * world.firms.alive
        world.money.pay("rebuilding", "firms", "households", np.minimum(bill, self._spare(world)))

    def evening(self, world: World, rng: Stream) -> None:
        """Set the speed of tonight's repairs."""
        from ecosim.kernels.recovery import speeds

        kept, firms, sheet = world.memory[self.kind], world.firms, world.sheet.multipliers
        if world.sheet.read("intact") is None and not kept["damage"].any():
            return
        np.maximum(1.0 - sheet["intact"], 0.0, out=kept["damage"])
        priced = world.money is not None
        spare = self._spare(world) if priced else np.empty(0)
        speeds(
            kept["damage"], firms.potential, firms.alive, self._standing(world), spare, priced, firms.readiness,
            firms.delay, sheet["repair"], sheet["aid"], sheet["permits"], kept["days"], kept["permit"],
            kept["drag"], kept["rebuild_cost"], kept["own_hands"], kept["aid_effect"], kept["readiness_effect"],
            kept["community_help"], kept["trust"], kept["permit_days"], kept["permit_above"], firms.repair,
        )  # fmt: skip

    def _standing(self, world: World) -> Array:
        """Share of the output of each firm's region that stands, shape (n,)."""
        region, kept = world.plan.firms.region, world.memory[self.kind]
        lost = np.bincount(region, kept["damage"] * world.firms.output, minlength=len(kept["region_output"]))
        return np.asarray((1.0 - lost / np.maximum(kept["region_output"], 1e-300))[region])

    def _spare(self, world: World) -> Array:
        """Cash above the reserve, shape (n,)."""
        firms = world.firms.columns
        kept_back = world.memory[self.kind]["reserve"] * firms.get("cash_target", 0.0)
        return np.asarray(np.maximum(firms["cash"] - kept_back, 0.0))


def _region(name: str, names: tuple[str, ...], where: str) -> int:
    if name not in names:
        raise InputError(f"mechanisms.recovery.{where}: no region is named {name!r}; there are {', '.join(names)}")
    return names.index(name)
