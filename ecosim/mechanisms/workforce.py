"""People: who is at work, who can do another's job, who is worn out, and who hires those laid off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.calibration.profiles import PROFILES, profile_of
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, Spread, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

NOISE = 1e-9  # relative; less is rounding
LEAST_STAFF = 0.01  # of output, where a firm adds no value and would have nobody to count
MONEY = ("overtime_pay", "reserve")
LEVELS = (
    *MONEY, "cross_training", "flexibility", "training_days", "hiring_speed", "layoff_speed", "hoarding",
    "overtime", "overtime_days", "overtime_rest", "strain_above", "burnout", "rest", "wellbeing_effect",
)  # fmt: skip


class Workforce(Mechanism):
    """Talent resilience: cross-trained staff, overtime, a talent pool, and well-being as capacity under stress.

    *At work.* Channel ``labour`` (illness, a strike, a lockdown) leaves the share m of the staff. With e the share of
    usual staff employed, of which t in training, the firm's capability is ::

        labour     = min(1, (e - (1 - flexibility) t) (1 - (1 - m) (1 - cross_training) x labour_exposure))
        capability = labour x (1 - wellbeing_effect (1 - w)) x (1 + overtime today)

    where ``labour_exposure`` falls with automation, and w is well-being. Cross-trained staff stand in for each other,
    which costs strength: the load per head rises.

    *Well-being* w is 1 at rest. Load per head is production / output over the share of staff at work; where it exceeds
    1 + ``strain_above``, w <- w (1 - burnout (load - 1)); else w <- w + rest (1 - w). Demands that go on wear people
    out and resources let them recover (job demands and resources, Bakker & Demerouti 2007).

    *Overtime.* A firm asked for more than it can make works longer the next day, as far as people can. They have a bank
    of days of full overtime, B, which is ``overtime_days`` when they are rested. The more of it is gone, the shorter
    the hours that they can add, and each night gives back a share of what is missing ::

        x = min(asked / usual capacity - 1, overtime x B / overtime_days)
        B <- B' + overtime_rest (overtime_days - B'),   B' = B - x / overtime

    with max(1, ``overtime_days``) as the divisor. Overtime therefore fades smoothly, with no day on and day off, to
    what can be kept up for ever: where more is asked without end, to the share r / (r + (1 - r) / ``overtime_days``)
    of ``overtime`` for r = ``overtime_rest``, about half as it is set.

    *Talent pool.* Closed firms release everybody, at once; where fewer are needed for long (production over
    ``patience_days``) a firm lays off, slowly, what exceeds ``hoarding``. Those people wait in the pool of their region
    and profile, and firms there that are short of hands hire them, beyond the usual staff where more are needed for
    long or many are absent; at most ``hiring_speed`` a day, and in proportion when there are too few. The newly hired
    learn their job in ``training_days`` and are worth ``flexibility`` meanwhile. Nobody appears or disappears: staff of
    all firms, in units of value added at rest, and pools add up to the same every day. Keeping staff through a lull is
    labour hoarding (Oi 1962).

    With finance on, overtime is paid for at its rate, out of cash above the reserve, and nobody plans more of it than
    that can pay at today's wages.

    Which idea is which parameter: cross-training ``cross_training``; cross-functional flexibility ``flexibility``;
    talent pool ``pool_share``; hiring of those laid off by others ``hiring_speed``; well-being ``burnout``, ``rest``
    and ``wellbeing_effect``; flexible hours ``overtime``, ``overtime_days`` and ``overtime_rest``.
    """

    kind: Literal["workforce"] = "workforce"
    priced: ClassVar[tuple[str, ...]] = MONEY
    cross_training: Level = parameter(
        Spread(median=0.3, law="normal", by={"technology": 0.2, "services": 0.35, "retail": 0.4}),
        unit="share", source="assumption", low=0, high=1,
    )  # fmt: skip
    """Share of absent colleagues' work that the others can do. In shops nearly everyone can serve; specialists are hard
    to stand in for. No survey gives the share."""
    flexibility: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """What somebody newly hired is worth while learning the job: cross-functional flexibility."""
    training_days: Level = parameter(30.0, unit="days", source="assumption", low=1, high=3650)
    """Days after which 63 % of the newly hired know their job."""
    pool_share: float = parameter(0.05, unit="share of staff", source="assumption", low=0, high=1)
    """People looking for work in each region and profile at rest; about the unemployment rate of a calm year."""
    hiring_speed: Level = parameter(0.02, unit="share of staff a day", source="assumption", low=0, high=1)
    """Most that a firm can hire in a day; a firm that opens anew hires at once what it opens with: everyone, or where
    turnover is on, what its scale asks for."""
    layoff_speed: Level = parameter(0.02, unit="1/day", source="assumption", low=0, high=1)
    """Share of those idle beyond ``hoarding`` who are laid off each day."""
    hoarding: Level = parameter(0.3, unit="share of staff", source="assumption", low=0, high=1)
    """Idle staff that a firm keeps on: hiring anew is dearer than a lull (Oi 1962; the figure is ours)."""
    patience_days: float = parameter(60.0, unit="days", source="assumption", low=1, high=3650)
    """Days over which a firm judges how many it needs."""
    overtime: Level = parameter(0.15, unit="share", source="assumption", low=0, high=1)
    """Most that longer hours add to a day: an hour and a bit on eight."""
    overtime_days: Level = parameter(20.0, unit="days", source="assumption", low=0, high=365)
    """Days of full overtime that rested staff have in them; what is left of them bounds the hours they can add."""
    overtime_rest: Level = parameter(0.05, unit="1/day", source="assumption", low=0, high=1)
    """Share of the missing days of overtime that a night gives back: at 0.05, one day a night to people who are worn
    through, and in the long run about half of full overtime can be kept up."""
    strain_above: Level = parameter(0.05, unit="share", source="assumption", low=0, high=10)
    """Load per head above the usual at which strain begins."""
    burnout: Level = parameter(0.05, unit="1/day", source="assumption", low=0, high=1)
    """How fast well-being falls, for each unit of load above the usual."""
    rest: Level = parameter(0.02, unit="1/day", source="assumption", low=0, high=1)
    """How fast well-being comes back: slower than it goes, as recovery from exhaustion is slow."""
    wellbeing_effect: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of capability that is gone with all well-being."""
    overtime_pay: Level = parameter(
        1.5, unit="usual wages", source="US Fair Labor Standards Act (1938), section 7", low=0, high=10
    )
    """Pay of an hour of overtime."""
    reserve: Level = parameter(0.25, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash that the firm keeps for bills before it pays for overtime."""

    columns: ClassVar[dict[str, str]] = {
        "staff": "share of usual staff at work today",
        "wellbeing": "well-being of the staff, 1 rested, 0 worn out",
        "labour_exposure": "share of missing staff's work that only people can do; falls with automation",
    }
    channels: ClassVar[dict[str, str]] = {"labour": "share of the staff that can come to work"}

    def prepare(self, world: World, rng: Stream) -> None:
        """Give every firm its usual staff, and every region and profile its pool."""
        for name in ("staff", "wellbeing", "labour_exposure", "alive"):
            world.firms.ensure(name, 1.0)
        firms, n = world.plan.firms, world.firms.rows
        profile = np.array([PROFILES.index(profile_of(name)) for name in firms.sector_names])[firms.sector]
        market = firms.region.astype(np.int64) * len(PROFILES) + profile
        usual = world.firms.output * np.maximum(world.firms.value_added_share, LEAST_STAFF)
        markets = len(firms.region_names) * len(PROFILES)
        kept = {name: self.per_firm(world, name) for name in LEVELS}
        kept |= {"market": market, "usual": usual, "trainees": np.zeros(n), "extra": np.zeros(n)}
        kept |= {name: np.ones(n) for name in ("employed", "open", "need")}
        kept["saved"] = kept["overtime_days"].copy()
        kept["pool"] = self.pool_share * np.bincount(market, usual, minlength=markets)
        world.memory[self.kind] = kept

    # --- the morning: who is there ------------------------------------------------------------------------------

    def morning(self, world: World, rng: Stream) -> None:
        """People leave closed firms, others hire, and capability is what those at work can do."""
        from ecosim.kernels.workforce import calm, seek, work

        kept, firms, there = world.memory[self.kind], world.firms.columns, world.sheet.multipliers["labour"]
        employed, trainees, alive, extra = kept["employed"], kept["trainees"], firms["alive"], kept["extra"]
        at_rest = calm(alive, kept["open"], extra, trainees, firms["wellbeing"], employed)
        if at_rest and world.sheet.read("labour") is None:
            firms["staff"][:] = employed
            return
        wanted, needed = np.empty(world.firms.rows), np.zeros(len(kept["pool"]))
        seek(
            firms["demand"], firms["output"], employed, trainees, there, kept["cross_training"],
            firms["labour_exposure"], alive, firms.get("scale", alive), kept["open"], kept["need"],
            kept["strain_above"], kept["hiring_speed"], kept["market"], kept["usual"], kept["pool"], wanted, needed,
        )  # fmt: skip
        share = np.minimum(kept["pool"] / np.maximum(needed, 1e-300), 1.0)  # in proportion where it is too small
        kept["pool"] = np.maximum(kept["pool"] - share * needed, 0.0)
        able = np.empty(world.firms.rows)
        work(
            wanted, share, kept["market"], employed, trainees, there, kept["cross_training"],
            firms["labour_exposure"], kept["flexibility"], kept["training_days"], firms["wellbeing"],
            kept["wellbeing_effect"], extra, firms["staff"], able,
        )  # fmt: skip
        world.sheet.scale("capability", able)

    # --- the evening: how it went -------------------------------------------------------------------------------

    def settle(self, world: World, rng: Stream) -> None:
        """Pay for overtime out of cash above the reserve."""
        from ecosim.kernels.workforce import overtime_bill

        if world.money is None:
            return
        kept, firms, bill = world.memory[self.kind], world.firms.columns, np.empty(world.firms.rows)
        longer = overtime_bill(
            kept["extra"], kept["overtime_pay"], firms["wages"], firms["cash"], kept["reserve"], firms["cash_target"],
            firms.get("scale", firms["alive"]), firms["alive"], bill,
        )  # fmt: skip
        if longer:
            world.money.pay("overtime", "firms", "households", bill)

    def evening(self, world: World, rng: Stream) -> None:
        """Tire or rest, lay off those idle for long, and plan tomorrow's overtime."""
        from ecosim.kernels.workforce import plan_overtime, tire

        kept, firms = world.memory[self.kind], world.firms.columns
        tire(
            firms["production"], firms["output"], firms["staff"], kept["strain_above"], kept["burnout"], kept["rest"],
            firms["wellbeing"], self.patience_days, kept["need"], kept["employed"], kept["trainees"],
            kept["hoarding"], kept["layoff_speed"], kept["market"], kept["usual"], kept["pool"],
        )  # fmt: skip
        plan_overtime(
            firms["demand"], firms["capacity"], firms["ceiling"], kept["overtime"], kept["overtime_days"],
            kept["overtime_rest"], kept["extra"], kept["saved"], world.money is not None, kept["overtime_pay"],
            firms.get("wages", kept["usual"]), firms.get("cash", kept["usual"]), kept["reserve"],
            firms.get("cash_target", kept["usual"]), firms.get("scale", firms["alive"]),
        )  # fmt: skip
