"""Machines and software that do people's work: more from the same hands, and more to lose when systems are down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, Spread, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

OF_PROFIT = 0.25  # most of its usual profit that a firm spends on keeping systems up to date
#: The ladder from no automation to artificial intelligence: level a of each rung.
RUNGS = {"none": 0.0, "office": 0.25, "rpa": 0.5, "machine_learning": 0.75, "ai": 1.0}
MONEY = ("upkeep_cost", "reserve")
LEVELS = (*MONEY, "gain", "labour_saving", "base_exposure", "hygiene", "synergy", "maintained")


class Automation(Mechanism):
    """Automation, cloud and cyber risk: a level a from 0 to 1, climbed in rungs that cost more and do more.

    With the defaults, and for a firm that reaches its rung in full:

    | rung | level a | capacity | absence felt | share of a cyber attack felt | upkeep, share of output |
    |---|---|---|---|---|---|
    | none | 0 | +0 % | 100 % | 14 % | 0 |
    | office (office and accounting software, web shop) | 0.25 | +3.5 % | 87.5 % | 28 % | 0.06 % |
    | rpa (robotic process automation: routine steps run by themselves) | 0.5 | +7 % | 75 % | 42 % | 0.25 % |
    | machine_learning (forecasts, planning) | 0.75 | +10.5 % | 62.5 % | 56 % | 0.56 % |
    | ai (assistants and agents in every process) | 1 | +14 % | 50 % | 70 % | 1 % |

    ::

        capability = (1 + gain a' (1 + synergy autonomy)) (1 - exposure (1 - m))
        exposure   = (base_exposure + (1 - base_exposure) a) (1 - hygiene)       m: channel ``cyber``, 1 no attack
        absence felt (column ``labour_exposure``, used by workforce) = 1 - labour_saving a'
        upkeep     = upkeep_cost a^2 output                                      a' = a x channel ``obsolescence``

    A level that is not kept up decays, and returns to the firm's own when it is kept up again ::

        a <- a (1 - (1 - (1 - decay)^(1/365)) (1 - kept up)) + kept up (goal - a) / adoption_days

    where the share kept up is ``maintained`` and, with finance on, what of the upkeep (paid to people who do it) cash
    above the reserve can pay. At rest automation changes nothing that is sold: it gives headroom, and people who are
    missed less. What a higher level gains is Brynjolfsson, Li & Raymond (2023); that robots and software save labour,
    Acemoglu & Restrepo (2020); that such gains come with decisions made near the work, Bresnahan, Brynjolfsson & Hitt
    (2002).

    Which idea is which parameter: RPA to AI ``rung``; cloud and shared technology, the channel ``cyber`` on many firms
    at once; cyber exposure ``base_exposure``, ``hygiene``; obsolescence ``decay`` and channel ``obsolescence`` (a jump
    in technology); digital divide ``small_gap``, ``remote`` and ``remote_gap``; synergy of automation and autonomy
    ``synergy``.
    """

    kind: Literal["automation"] = "automation"
    priced: ClassVar[tuple[str, ...]] = MONEY
    rung: Literal["none", "office", "rpa", "machine_learning", "ai"] = parameter(
        "rpa", unit="rung", source="assumption"
    )
    """How far firms have come: the rung that one with ``adoption`` 1 and no gap stands on. Mid-ladder."""
    adoption: Level = parameter(
        Spread(
            median=0.8, sigma=0.3, by={"technology": 1.3, "manufacturing": 1.0, "primary": 0.6, "construction": 0.6}
        ),
        unit="share of the rung's level", source="assumption", low=0, high=4,
    )  # fmt: skip
    """How far a firm differs from the rung, up to level 1. That technology leads and construction trails is common to
    all surveys of adoption; the spread is ours."""
    small_gap: float = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Digital divide by size: what the smallest firm lacks of the level of the largest, by rank. That small firms lag
    is OECD (2021), The Digital Transformation of SMEs."""
    remote: tuple[str, ...] = parameter((), unit="regions", source="assumption")
    """Regions with poor access, by name."""
    remote_gap: float = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Digital divide by place: what firms of remote regions lack."""
    gain: Level = parameter(
        0.14,
        unit="share of capacity",
        source="Brynjolfsson, Li & Raymond (2023), generative AI at work",
        low=0,
        high=10,
    )
    """Capacity that level 1 adds. Their 14 % is for support staff with an assistant; lower rungs are taken to add in
    proportion to their level."""
    labour_saving: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of missing people's work that level 1 does by itself."""
    base_exposure: Level = parameter(0.2, unit="share", source="assumption", low=0, high=1)
    """Part of a firm without automation that stops with its computers: tills, telephones and payments."""
    hygiene: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Backups and cyber hygiene: share of an attack that does no harm."""
    synergy: Level = parameter(0.5, unit="1", source="assumption", low=0, high=10)
    """How much full autonomy adds to the gain, where the mechanism autonomy is on. That both together give more than
    each alone is Bresnahan, Brynjolfsson & Hitt (2002)."""
    decay: float = parameter(
        0.33,
        unit="share a year",
        source="US Bureau of Economic Analysis, depreciation of custom software",
        low=0,
        high=1,
    )
    """Level that a firm loses in a year without any upkeep."""
    maintained: Level = parameter(1.0, unit="share", source="assumption", low=0, high=1)
    """Share of the upkeep that a firm does when it can pay; below 1 its level falls from the first day on."""
    adoption_days: float = parameter(365.0, unit="days", source="assumption", low=1, high=36_500)
    """Days in which a firm catches up 63 % of what it has lost."""
    upkeep_cost: Level = parameter(0.01, unit="share of output", source="assumption", low=0, high=1)
    """Cost of keeping up level 1, a day; lower levels cost as the square of their level. Small firms' spending on IT is
    a few per cent of revenue at most, most of it part of usual costs."""
    reserve: Level = parameter(0.25, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash that the firm keeps for wages and bills before it pays for upkeep."""

    columns: ClassVar[dict[str, str]] = {
        "automation": "level of automation, 0 to 1",
        "labour_exposure": "share of missing staff's work that only people can do; falls with automation",
    }
    channels: ClassVar[dict[str, str]] = {
        "cyber": "share of computer systems that work",
        "obsolescence": "what today's level of automation is still worth, share",
    }

    def check(self, on: frozenset[str]) -> str | None:
        """Refuse what would have no effect."""
        wrong = super().check(on)
        if wrong is None and self.changed("synergy") and "autonomy" not in on:
            wrong = "synergy: there is none where autonomy is off; add {kind: autonomy} or drop it"
        if wrong is None and self.changed("remote_gap") and not self.remote:
            wrong = "remote_gap: no region is remote; name some in remote, such as remote: [Harbour], or drop it"
        return wrong

    def prepare(self, world: World, rng: Stream) -> None:
        """Put every firm at its own level."""
        level = RUNGS[self.rung] * self.per_firm(world, "adoption") * self._access(world)
        kept = {name: self.per_firm(world, name) for name in LEVELS}
        kept["goal"] = np.minimum(level, 1.0)
        kept["funded"] = np.ones(world.firms.rows)
        world.memory[self.kind] = kept
        world.firms.ensure("alive", 1.0)
        world.firms.ensure("automation", 0.0)[:] = kept["goal"]
        world.firms.ensure("labour_exposure", 1.0)[:] = 1.0 - kept["labour_saving"] * kept["goal"]

    def _access(self, world: World) -> Array:
        """What the digital divide leaves each firm, shape (n,), by the rank of its output and by its region."""
        firms, output = world.plan.firms, world.firms.output
        ordered = np.sort(output)
        below = np.searchsorted(ordered, output, "left") + np.searchsorted(ordered, output, "right")
        access = 1.0 - self.small_gap * (1.0 - below / (2.0 * len(output)))
        for name in self.remote:
            if name not in firms.region_names:
                known = ", ".join(firms.region_names)
                raise InputError(f"mechanisms.automation.remote: no region is named {name!r}; there are {known}")
            access[firms.region == firms.region_names.index(name)] *= 1.0 - self.remote_gap
        return np.asarray(access)

    def morning(self, world: World, rng: Stream) -> None:
        """Add what automation makes possible, and take away what an attack stops."""
        from ecosim.kernels.automation import capability

        kept, firms, sheet = world.memory[self.kind], world.firms.columns, world.sheet
        able = np.empty(world.firms.rows)
        autonomy = firms["autonomy"] if "autonomy" in world.mechanisms else np.zeros(world.firms.rows)
        capability(
            firms["automation"], kept["gain"], kept["synergy"], autonomy, kept["base_exposure"],
            kept["hygiene"], sheet.multipliers["cyber"], sheet.multipliers["obsolescence"], able,
        )  # fmt: skip
        sheet.scale("capability", able)

    def settle(self, world: World, rng: Stream) -> None:
        """Pay for upkeep out of cash above the reserve."""
        from ecosim.kernels.automation import upkeep

        if world.money is None:
            return
        kept, firms, paid = world.memory[self.kind], world.firms.columns, np.empty(world.firms.rows)
        upkeep(
            firms["automation"], kept["maintained"], kept["upkeep_cost"], firms["output"], firms["usual_profit"],
            OF_PROFIT, firms["alive"], firms["cash"], kept["reserve"], firms["cash_target"], paid, kept["funded"],
        )  # fmt: skip
        world.money.pay("upkeep of systems", "firms", "households", paid)

    def evening(self, world: World, rng: Stream) -> None:
        """Keep systems up, or let them fall behind."""
        from ecosim.kernels.automation import keep_up

        kept, firms = world.memory[self.kind], world.firms.columns
        keep_up(
            firms["automation"], kept["goal"], kept["maintained"], kept["funded"],
            1.0 - (1.0 - self.decay) ** (1.0 / YEAR), self.adoption_days, kept["labour_saving"],
            world.sheet.multipliers["obsolescence"], firms["labour_exposure"],
        )  # fmt: skip
