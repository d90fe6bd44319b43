"""Experiments: costly trials that are kept where they help, more of them under stress, and know-how that fades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Experiments(Mechanism):
    """Trial and error: a firm tries something near what it does now, pays for it, and keeps it if it is better.

    Know-how z multiplies what a firm can make with its means. A trial takes ``cost`` of capacity for ``trial_days``
    and ends with a result ``z + scale x N(0, 1)``, kept if above z (local search, Nelson & Winter 1982). Trials come
    at random, ``trials (1 + search x shortfall) x freedom`` a year: problems start a search (Cyert & March 1963;
    Greve 2003). The shortfall is that of production below aspiration, which follows production with a lag
    (Levinthal & March 1981), so a firm in lasting trouble gets used to it.

    Between trials ``dz/dt = -(z - 1)/erosion - obsolescence z (1 - activity)``: an advantage leaks out to rivals
    (Mansfield 1985), and what is not practised is forgotten (Argote, Beckman & Epple 1990), while doing the usual
    amount brings just the small steady gains that make up for obsolescence. At rest, z therefore settles where
    gains from trials and erosion meet, a little above 1. That is headroom: it raises no demand.

    Expresses trial and error (trials, scale), intrapreneurship and the freedom to experiment (trials; the column
    ``freedom`` of autonomy), continuous improvement against obsolescence (obsolescence), and learning to do more with
    less under stress (search).
    """

    kind: Literal["experiments"] = "experiments"

    trials: Level = parameter(1.0, unit="a year", source="assumption", low=0, high=50)
    """Trials a year while all is well (intrapreneurship); surveys count innovators, not trials."""
    search: Level = parameter(5.0, unit="multiple per unit of shortfall", source="assumption", low=0, high=100)
    """How much a shortfall speeds up trials: 5 makes them six times as many in a firm that stands still. The direction
    is well established, the size is not."""
    cost: Level = parameter(0.03, unit="share of capacity", source="assumption", low=0, high=1)
    """Capacity taken up by a trial while it lasts."""
    trial_days: int = parameter(20, unit="days", source="assumption", low=1, high=1000)
    """How long a trial lasts."""
    scale: Level = parameter(0.03, unit="share of know-how", source="assumption", low=0, high=1)
    """Standard deviation of what a trial would change."""
    erosion_days: float = parameter(450.0, unit="days", source="Mansfield (1985)", low=1, high=100_000)
    """Days in which an advantage leaks away; rivals have the information within 12 to 18 months."""
    obsolescence: Level = parameter(0.15, unit="share a year", source="Griliches & Mairesse (1984)", low=0, high=2)
    """Know-how lost in a year without any practice; the usual depreciation of research capital."""
    aspiration_days: float = parameter(180.0, unit="days", source="assumption", low=1, high=10_000)
    """Days over which a firm gets used to what it now achieves."""

    columns: ClassVar[dict[str, str]] = {
        "know_how": "productivity, 1 at rest",
        "aspiration": "production that the firm is used to, share of baseline output",
        "urge": "what is left until the next trial starts, in expected trials",
        "trial_ends": "day on which the running trial ends, -1 if there is none",
        "trial_rate": "trials started while all is well, 1/day",
        "trial_search": "how much a shortfall speeds up trials, multiple per unit of shortfall",
        "trial_cost": "capacity that a running trial takes up, share",
        "trial_scale": "standard deviation of what a trial would change, share of know-how",
        "trial_fading": "know-how lost without any practice, 1/day",
    }

    def prepare(self, world: World, rng: Stream) -> None:
        """Everybody knows the usual, and has a first trial to come."""
        firms = world.firms
        firms.ensure("know_how", 1.0)
        firms.ensure("freedom", 1.0)
        firms.ensure("alive", 1.0)
        firms.add("aspiration", 1.0)
        firms.add("trial_ends", -1.0)
        firms.add("trial_rate", self.per_firm(world, "trials") / YEAR)
        firms.add("trial_search", self.per_firm(world, "search"))
        firms.add("trial_cost", self.per_firm(world, "cost"))
        firms.add("trial_scale", self.per_firm(world, "scale"))
        firms.add("trial_fading", self.per_firm(world, "obsolescence") / YEAR)
        firms.add("urge", -np.log1p(-rng.uniform(0, np.arange(firms.rows))))

    def morning(self, world: World, rng: Stream) -> None:
        """Know-how multiplies means; those who try something out have a little less of them."""
        firms = world.firms.columns
        today = firms["know_how"].copy()
        trying = np.flatnonzero(firms["trial_ends"] >= 0)
        today[trying] *= 1.0 - firms["trial_cost"][trying]
        world.sheet.scale("capability", today)

    def evening(self, world: World, rng: Stream) -> None:
        """Practise, finish trials, and start others."""
        from ecosim.kernels.experiments import practise

        firms = world.firms.columns
        self._welcome(world, rng)
        practise(
            firms["production"], firms["output"], firms["alive"], firms["know_how"], firms["aspiration"],
            firms["urge"], firms["trial_ends"], firms["trial_rate"], firms["trial_search"], firms["trial_fading"],
            firms["freedom"], self.erosion_days, self.aspiration_days,
        )  # fmt: skip
        self._finish(world, rng)
        ready = np.flatnonzero(firms["urge"] <= 0.0)
        ready = ready[(firms["trial_ends"][ready] < 0.0) & (firms["alive"][ready] > 0.0)]
        firms["trial_ends"][ready] = world.day + self.trial_days

    def _finish(self, world: World, rng: Stream) -> None:
        """Keep what turned out better, and wait for the next idea."""
        firms = world.firms.columns
        done = np.flatnonzero(firms["trial_ends"] == world.day)
        if not len(done):
            return
        result = firms["know_how"][done] + firms["trial_scale"][done] * rng.normal(world.day, done)
        firms["know_how"][done] = np.maximum(firms["know_how"][done], result)
        firms["trial_ends"][done] = -1.0
        firms["urge"][done] = -np.log1p(-rng.uniform(world.day, done, draw=1))

    def _welcome(self, world: World, rng: Stream) -> None:
        """Whoever opened today has its own aspirations and ideas; its know-how it has from whom it imitates."""
        firms = world.firms.columns
        if "entered_on" not in firms:
            return
        new = np.flatnonzero(firms["entered_on"] == world.day)
        if len(new):
            firms["aspiration"][new] = firms["production"][new] / np.maximum(firms["output"][new], 1e-300)
            firms["trial_ends"][new] = -1.0
            firms["urge"][new] = -np.log1p(-rng.uniform(world.day, new, draw=2))
