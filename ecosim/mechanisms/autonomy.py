"""Autonomy: how soon a firm sees, how readily it follows, and how far its owner's attention reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

MOST_DAYS = 30  # longest extra delay, days: every firm's last 31 days are kept


class Autonomy(Mechanism):
    """Speed of decision: an autonomous firm acts on what happened yesterday, others on older news and more slowly.

    With a in 0..1 the autonomy of a firm, it sees its own sales of ``delay = 1 + (1 - a) slowness`` days ago (rounded)
    and plans for E, which follows by ``E += eta (seen - E)``, ``eta = 1 / (1 + (1 - a) habit)``: information delays
    and exponential smoothing of what is planned for, as in Forrester (1961). At a = 1 this is the published core, which
    plans for yesterday's production. That rule amplifies every change up to 1 + n/tau times at each stage upstream (the
    bullwhip), so a slow firm is also a calm one: it stays wrong for longer, and passes less of a disturbance on.

    Its limit at scale is the owner's attention (Lucas 1978, span of control). A firm whose output is more than ``span``
    times the median firm's gets 1/load of the attention it needs, load being output / (span x median), and
    ``a = autonomy (1/load)^(1 - decentralisation)``: delegated authority takes the load off the owner
    (Aghion & Tirole 1997; Bloom, Sadun & Van Reenen 2012). The freedom to experiment suffers in the same way.

    Expresses agility (autonomy, slowness, habit), decentralised decisions (decentralisation, span) and experimentation
    freedom (freedom, read by experiments). Sourcing waits for ``delay`` days before it searches.
    """

    kind: Literal["autonomy"] = "autonomy"

    autonomy: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """How far those who see a change may act on it: 1 decides on yesterday's news, 0 after the longest delay. Indices
    of decentralisation are scores without a natural zero, so the middle of the scale stands for a usual firm."""
    slowness: float = parameter(4.0, unit="days", source="assumption", low=0, high=MOST_DAYS)
    """Extra days between seeing and acting in a firm without any autonomy: a weekly meeting, less a day or two."""
    habit: float = parameter(56.0, unit="days", source="Forrester (1961)", low=0, high=1000)
    """Days over which a firm without any autonomy averages what it sees, beside the day itself: eight weeks, the delay
    in smoothing requisitions at each stage of Forrester's production and distribution system."""
    span: float = parameter(20.0, unit="multiples of the median firm's output", source="assumption", low=1e-3, high=1e9)
    """Size up to which one owner can attend to everything; theory gives the limit, not its place."""
    decentralisation: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """How much of the owner's load is delegated in a firm beyond its owner's span: 1 makes size no obstacle."""
    freedom: Level = parameter(1.0, unit="multiple", source="assumption", low=0, high=10)
    """How freely staff may try things out, as a multiple of the usual rate of trials (experiments)."""

    columns: ClassVar[dict[str, str]] = {
        "autonomy": "autonomy that is left at the firm's size, share",
        "delay": "days between seeing and acting, at least 1",
        "freedom": "freedom to experiment, multiple of the usual rate of trials",
        "eagerness": "share of the gap to what is seen that the plan closes in a day",
        "outlook": "what the firm plans for, currency units a day",
    }

    def prepare(self, world: World, rng: Stream) -> None:
        """Spread attention over firms, and let everyone remember days at rest."""
        firms = world.firms
        busy = firms.output > 0
        middle = float(np.median(firms.output[busy])) if busy.any() else 1.0
        load = np.maximum(firms.output / (self.span * middle), 1.0)
        attention = load ** (self.per_firm(world, "decentralisation") - 1.0)
        a = self.per_firm(world, "autonomy") * attention
        firms.ensure("autonomy", a)[:] = a
        firms.ensure("delay", 1.0)[:] = 1.0 + (1.0 - a) * self.slowness
        firms.ensure("freedom", 1.0)[:] = self.per_firm(world, "freedom") * attention
        firms.add("eagerness", 1.0 / (1.0 + (1.0 - a) * self.habit))
        firms.add("outlook", firms.output)
        firms.ensure("alive", 1.0)
        days = int(np.rint(firms.delay.max(initial=1.0)))
        world.memory[self.kind] = {"seen": np.tile(firms.output, (days, 1))}

    def expect(self, world: World, rng: Stream) -> None:
        """Plan for what was seen ``delay`` days ago, smoothed."""
        from ecosim.kernels.autonomy import plan

        firms, seen = world.firms.columns, world.memory[self.kind]["seen"]
        own = world.choices.rows("expect")
        answers = firms["expected"][own]
        today = world.day % len(seen)
        seen[today] = firms["production"]
        self._welcome(world)
        plan(
            seen, today, firms["delay"], firms["eagerness"], firms["alive"], firms["outlook"], firms["expected"]
        )  # fmt: skip
        firms["expected"][own] = firms["outlook"][own] = answers

    def _welcome(self, world: World) -> None:
        """Whoever opens today has seen nothing yet, and plans for what it can make."""
        firms = world.firms.columns
        if "entered_on" not in firms:
            return
        new = np.flatnonzero(firms["entered_on"] == world.day)
        if len(new):
            firms["outlook"][new] = np.minimum(firms["output"][new], firms["capacity"][new])
            world.memory[self.kind]["seen"][:, new] = firms["outlook"][new]
