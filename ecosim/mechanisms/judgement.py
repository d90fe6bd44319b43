"""Judgement: people who fear losses, remember the vivid, and do what others do, decide what to invest in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

#: What can be invested in, and how many steps of it a firm can hold at once.
OPTIONS = {"buffer": 3, "second_source": 1, "automation": 2, "plan": 2, "reserve": 2}
#: The column of another mechanism through which an option works; without it, the option is not on offer.
WORKS_THROUGH = {
    "buffer": "inventory_days", "second_source": "onboarding_days", "automation": "automation", "plan": "plan_quality",
    "reserve": "cash_target",
}  # fmt: skip
#: Options that are not given up: what systems and plans cost to keep, their own mechanisms say.
LASTING = ("automation", "plan")
NEW = 90.0  # days in which a firm that has opened is not surprised to fall short


class Judgement(Mechanism):
    """Investing in safety as people do it: by prospect theory, from what comes to mind, and with an eye on others.

    **Fear.** A firm remembers its worst recent shortfall, fading:
    ``fear = max(fear e^(-1/memory_days), 1 - production / min(demand, output))``, the share of what
    it was asked for, usually makes, and could not make. It hears of the fear of its suppliers and clients. What comes
    to mind counts as likely (availability, Tversky & Kahneman 1973): the perceived probability of a disruption within
    the firm's horizon is ``p = max(base_risk, own fear + talk x mean fear of those it deals with)``, 1 at most.

    **Choice.** Every ``review_days`` it considers one step of each option that it can pay from cash above
    ``reserve_share`` of its cash target. With x = ``outage_days`` of value added at stake and e the share of it that
    a step saves, by prospect theory (Tversky & Kahneman 1992)

        worth = l (w(p) - w(base_risk)) (x^0.88 - ((1 - e) x)^0.88),   w(p) = p^g / (p^g + (1 - p)^g)^(1/g),

    and the step with the largest ``worth - cost^0.88`` above 0 is taken. What is at stake is seen as a loss by those
    who were hit themselves (own fear at least as large as what they hear): l = 1 + 1.25 (1 - risk_tolerance), up to
    2.25, g = 0.69. Those who only heard of it see safety as a gain: l = 1, g = 0.61. Money set aside for a purpose is
    not felt as a loss (Novemsky & Kahneman 2005), so the cost has no l. Subtracting w(base_risk) says that what is
    worth its cost at rest is there already. Costs and savings count over
    the firm's ``horizon_days``: limited foresight.

    **Herding.** Whoever sees at least the share ``herding`` of those it deals with hold an option takes it if it can
    pay, whatever its own sum says (threshold behaviour, Granovetter 1978; Banerjee 1992).

    **Maintenance.** At a review, a step whose worth has fallen below ``keep`` of its cost, and that the others do not
    hold either, is given up: buffers, second sources and reserves fade as fear fades. Systems and plans stay: those
    wear off by the rules of automation, these cost their upkeep for good (continuity).

    A buffer adds days of stock, a second source shortens onboarding (sourcing), automation and the plan raise the
    columns of these mechanisms, a reserve raises the cash target. Options of mechanisms that are off are not on offer.

    Expresses loss aversion and risk tolerance (risk_tolerance), availability (memory_days, talk), herding (herding),
    limited foresight (horizon_days), and redundancy as a choice.
    """

    kind: Literal["judgement"] = "judgement"

    needs: ClassVar[tuple[str, ...]] = ("finance",)

    risk_tolerance: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """0 feels a loss 2.25 times as much as a gain, 1 no more than a gain. Owners of small businesses are less averse
    than others, by how much is disputed."""
    horizon_days: Level = parameter(365.0, unit="days", source="assumption", low=1, high=36_500)
    """How far ahead a firm reckons: one financial year."""
    herding: Level = parameter(0.5, unit="share of those it deals with", source="assumption", low=0, high=2)
    """Share of holders among suppliers and clients from which on a firm follows them; above 1 it never does.
    Granovetter gives the mechanism; thresholds differ by the matter."""
    memory_days: float = parameter(365.0, unit="days", source="assumption", low=1, high=36_500)
    """Days until a fear has faded to 37 %; after floods and earthquakes, demand for insurance is back within a few
    years."""
    talk: float = parameter(0.5, unit="share", source="assumption", low=0, high=10)
    """Weight of what others went through beside what the firm went through itself."""
    base_risk: float = parameter(0.02, unit="probability", source="assumption", low=0, high=1)
    """Disruptions that everybody reckons with at rest."""
    review_days: int = parameter(90, unit="days", source="assumption", low=1, high=3650)
    """Days between two reviews: once a quarter, not all firms on the same day."""
    reserve_share: float = parameter(0.5, unit="share of the cash target", source="assumption", low=0, high=10)
    """Cash that is not invested."""
    keep: float = parameter(0.25, unit="share of its cost", source="assumption", low=0, high=1)
    """Worth below which a step is given up; below 1, since what is there needs no effort."""
    outage_days: float = parameter(15.0, unit="days", source="assumption", low=1, high=3650)
    """Length of the disruption that people imagine: as long as stocks usually last."""
    buffer_days: float = parameter(5.0, unit="days of use", source="assumption", low=0.1, high=365)
    """Stock that a step of buffer adds; it saves as many days of an outage."""
    carrying_cost: float = parameter(0.2, unit="share of the stock's value a year", source="assumption", low=0, high=10)
    """Room, insurance and waste of the additional stock, paid for the horizon; textbooks give a fifth to a third."""
    second_source_saves: float = parameter(0.5, unit="share of the loss", source="assumption", low=0, high=1)
    """What a pre-qualified supplier is thought to save."""
    second_source_cost: float = parameter(2.0, unit="days of inputs", source="assumption", low=0, high=3650)
    """Cost of qualifying one."""
    prepared: float = parameter(0.25, unit="share", source="assumption", low=0.01, high=1)
    """Onboarding days that are left with one (sourcing)."""
    automation_step: float = parameter(0.1, unit="level", source="assumption", low=0.001, high=1)
    """Automation that one step adds."""
    automation_saves: float = parameter(0.1, unit="share of the loss", source="assumption", low=0, high=1)
    """What a step of automation is thought to save."""
    automation_cost: float = parameter(3.0, unit="days of output", source="assumption", low=0, high=3650)
    """Cost of a step of automation."""
    plan_step: float = parameter(0.2, unit="level", source="assumption", low=0.001, high=1)
    """Plan quality that one step adds."""
    plan_saves: float = parameter(0.2, unit="share of the loss", source="assumption", low=0, high=1)
    """What a step of planning is thought to save."""
    plan_cost: float = parameter(0.5, unit="days of output", source="assumption", low=0, high=3650)
    """Staff time of a step of planning."""
    reserve_days: float = parameter(10.0, unit="days of costs", source="assumption", low=0.1, high=3650)
    """Cash that a step of reserve sets aside; it is thought to save as many days of a loss."""
    reserve_cost: float = parameter(0.1, unit="share of the cash a year", source="assumption", low=0, high=10)
    """Return that idle cash forgoes; it weighs in the decision and nobody is paid."""

    columns: ClassVar[dict[str, str]] = {
        "fear": "worst recent shortfall, fading, 0 to 1",
        "risk": "perceived probability of a disruption at the last review",
        "shaken": "1 if what is at stake was seen as a loss at the last review, 0 if safety was a gain",
        "risk_tolerance": "0 fully averse to losses, 1 as averse to them as to missed gains",
        "horizon_days": "how far ahead the firm reckons, days",
        "herding": "share of its suppliers and clients that must hold a step before the firm follows them",
        **{f"holds_{name}": f"steps of {name.replace('_', ' ')} that the firm holds, number" for name in OPTIONS},
    }

    def prepare(self, world: World, rng: Stream) -> None:
        """Nobody is afraid, and nobody holds more than the usual."""
        firms = world.firms
        for name in ("risk_tolerance", "horizon_days", "herding"):
            firms.add(name, self.per_firm(world, name))
        firms.ensure("alive", 1.0)
        firms.ensure("age", NEW)  # turnover's; without it nobody is new
        firms.add("fear", 0.0)
        firms.add("risk", self.base_risk)
        firms.add("shaken", 0.0)
        for name in OPTIONS:
            firms.add(f"holds_{name}", 0.0)

    # --- the day --------------------------------------------------------------------------------------------------

    def evening(self, world: World, rng: Stream) -> None:
        """Remember today, and let those whose turn it is review what they hold."""
        self._welcome(world)
        self._remember(world)
        rows = np.arange(-world.day % self.review_days, world.firms.rows, self.review_days)
        rows = rows[world.firms.alive[rows] > 0]
        if not len(rows):
            return
        herd = self._listen(world, rows)
        if (world.firms.risk[rows] > self.base_risk).any() or herd.any() or self._held(world, rows).any():
            self._give_up(world, rows, herd)
            self._invest(world, rows, herd)

    def _remember(self, world: World) -> None:
        from ecosim.kernels.judgement import remember

        firms = world.firms.columns
        remember(
            firms["production"], firms["demand"], firms["output"], firms["alive"], firms["age"], NEW,
            np.exp(-1.0 / self.memory_days), firms["fear"],
        )  # fmt: skip

    def _welcome(self, world: World) -> None:
        """A new owner remembers nothing, and has its own suppliers and cash to find."""
        firms = world.firms.columns
        if "entered_on" not in firms:
            return
        new = np.flatnonzero(firms["entered_on"] == world.day)
        if len(new):
            firms["fear"][new] = 0.0
            for name in ("second_source", "reserve"):
                self._change(world, new, name, -firms[f"holds_{name}"][new])

    def _listen(self, world: World, rows: Array) -> Array:
        """Ask around; return which options the others hold widely enough to follow them, (options, rows)."""
        from ecosim.kernels.judgement import listen

        firms, links = world.firms.columns, world.links
        heard, share = np.zeros(len(rows)), np.zeros((len(OPTIONS), len(rows)))
        if not (firms["fear"].any() or any(firms[f"holds_{name}"].any() for name in OPTIONS)):
            firms["risk"][rows] = self.base_risk
            return share > 0.0
        holds = tuple(firms[f"holds_{name}"] for name in OPTIONS)
        listen(
            rows, links.ptr, links.supplier, links.buyer, links.out_ptr, links.out_link, firms["fear"], holds, heard,
            share,
        )  # fmt: skip
        own = firms["fear"][rows]
        firms["risk"][rows] = np.clip(own + self.talk * heard, self.base_risk, 1.0)
        firms["shaken"][rows] = own >= heard
        return (share >= firms["herding"][rows]) & (share > 0.0)

    def _held(self, world: World, rows: Array) -> Array:
        return np.stack([world.firms.columns[f"holds_{name}"][rows] for name in OPTIONS])

    # --- the sums -------------------------------------------------------------------------------------------------

    def _costs(self, firms: Any, rows: Any) -> dict[str, Any]:
        """Cost of a step of each option, currency units; ``firms`` has columns, or is one agent's attributes."""
        output = firms["output"][rows]
        bought = output * (1.0 - firms["value_added_share"][rows])
        years = firms["horizon_days"][rows] / YEAR
        return {
            "buffer": self.carrying_cost * years * self.buffer_days * bought,
            "second_source": self.second_source_cost * bought,
            "automation": self.automation_cost * output,
            "plan": self.plan_cost * output,
            "reserve": self.reserve_cost * years * self._set_aside(firms, rows),
        }

    def _set_aside(self, firms: Any, rows: Any) -> Any:
        """Cash of one step of reserve."""
        return self.reserve_days * (firms["output"][rows] - firms["usual_profit"][rows])

    def _saves(self) -> dict[str, float]:
        """Share of what is at stake that a step of each option is thought to save."""
        return {
            "buffer": min(1.0, self.buffer_days / self.outage_days),
            "second_source": self.second_source_saves,
            "automation": self.automation_saves,
            "plan": self.plan_saves,
            "reserve": min(1.0, self.reserve_days / self.outage_days),
        }

    def _worth(self, firms: Any, rows: Any) -> dict[str, Any]:
        """Prospect value of a step of each option."""
        shaken = firms["shaken"][rows]
        gamma = np.where(shaken > 0, 0.69, 0.61)
        dread = np.where(shaken > 0, 1.0 + 1.25 * (1.0 - firms["risk_tolerance"][rows]), 1.0)
        felt = dread * (weight(firms["risk"][rows], gamma) - weight(self.base_risk, gamma))
        stake = self.outage_days * firms["output"][rows] * np.maximum(firms["value_added_share"][rows], 0.0)
        return {name: felt * (value(stake) - value((1.0 - saves) * stake)) for name, saves in self._saves().items()}

    def _offers(self, world: World, rows: Array, costs: dict[str, Array]) -> Array:
        """Which options are open to each firm today: on offer, payable and not yet held in full; (options, rows)."""
        firms = world.firms.columns
        spare = firms["cash"][rows] - self.reserve_share * firms["cash_target"][rows]
        stock = self.buffer_days * firms["output"][rows] * (1.0 - firms["value_added_share"][rows])
        needed = costs | {"buffer": costs["buffer"] + stock, "reserve": np.zeros(len(rows))}
        return np.stack(
            [
                (WORKS_THROUGH[name] in firms) & (needed[name] <= spare) & (firms[f"holds_{name}"][rows] < most)
                for name, most in OPTIONS.items()
            ]
        )

    # --- the decision ---------------------------------------------------------------------------------------------

    def invest(self, agent: Any, options: Mapping[str, float]) -> str | None:
        """Take the option that is worth most above its cost, or one that most others have; None if there is none."""
        firms = {name: np.array([getattr(agent, name)]) for name in (
            "output", "value_added_share", "risk", "shaken", "risk_tolerance",
        )}  # fmt: skip
        worth = self._worth(firms, 0)
        peers = [*agent.suppliers, *agent.clients]
        best, most = None, 0.0
        for name, cost in options.items():
            holders = sum(getattr(peer, f"holds_{name}") > 0 for peer in peers)
            follows = holders > 0 and holders / len(peers) >= agent.herding
            gain = np.inf if follows else float(worth[name]) - float(value(cost))
            if gain > most:
                best, most = name, gain
        return best

    def _invest(self, world: World, rows: Array, herd: Array) -> None:
        """Let each firm choose one step, and pay for it."""
        firms = world.firms.columns
        costs, worth, names = self._costs(firms, rows), self._worth(firms, rows), tuple(OPTIONS)
        offers = self._offers(world, rows, costs)
        gain = np.stack([np.where(herd[at], np.inf, worth[name] - value(costs[name])) for at, name in enumerate(names)])
        gain = np.where(offers, gain, 0.0)
        choice = np.where(gain.max(axis=0) > 0.0, gain.argmax(axis=0), -1)
        own = set(world.choices.rows("invest"))
        for at in [at for at, row in enumerate(rows.tolist()) if row in own]:
            choice[at] = self._ask(
                world, int(rows[at]), {name: float(costs[name][at]) for name in costs}, offers[:, at]
            )
        paid = np.zeros(len(firms["output"]))
        for at, name in enumerate(names):
            chosen = choice == at
            if chosen.any():
                self._change(world, rows[chosen], name, np.ones(int(chosen.sum())))
                world.happened(f"invests in {name.replace('_', ' ')}", rows[chosen], costs[name][chosen])
                if name != "reserve":
                    paid[rows[chosen]] = costs[name][chosen]
        assert world.money is not None
        world.money.pay("investment", "firms", "households", paid)

    def _ask(self, world: World, row: int, costs: dict[str, float], offered: Array) -> int:
        """Answer of one firm that decides by itself, as the number of an option, -1 for none."""
        names = tuple(OPTIONS)
        options = {name: costs[name] for at, name in enumerate(names) if offered[at]}
        if not options:
            return -1
        answer = world.choices.ask("invest", row, dict(options))  # a copy, which its owner may change
        if answer is None:
            return -1
        if not (isinstance(answer, str) and answer in options):
            raise world.choices.wrong("invest", row, answer, f"one of {', '.join(options)}, or None")
        return names.index(answer)

    def _give_up(self, world: World, rows: Array, herd: Array) -> None:
        """Let go of a step that is no longer worth its cost, where the others do not hold it either."""
        firms = world.firms.columns
        costs, worth = self._costs(firms, rows), self._worth(firms, rows)
        for at, name in enumerate(OPTIONS):
            if name in LASTING:
                continue
            poor = (firms[f"holds_{name}"][rows] > 0) & (worth[name] < self.keep * value(costs[name])) & ~herd[at]
            if poor.any():
                self._change(world, rows[poor], name, -np.ones(int(poor.sum())))
                world.happened(f"gives up {name.replace('_', ' ')}", rows[poor], 0.0)

    def _change(self, world: World, rows: Array, name: str, steps: Array) -> None:
        """Add steps of an option to some firms, or take them away where ``steps`` (rows,) is below 0."""
        firms = world.firms.columns
        firms[f"holds_{name}"][rows] += steps
        if WORKS_THROUGH[name] not in firms:
            return
        column = firms[WORKS_THROUGH[name]]
        if name == "second_source":
            column[rows] *= self.prepared**steps
            return
        step = {
            "buffer": self.buffer_days,
            "automation": self.automation_step,
            "plan": self.plan_step,
            "reserve": self._set_aside(firms, rows),
        }[name]
        most = 1.0 if name in ("automation", "plan") else np.inf
        column[rows] = np.clip(column[rows] + steps * step, 0.0, most)


def value(amount: Any) -> Any:
    """Prospect value of an amount of at least 0, apart from the dread of losses."""
    return np.asarray(amount, dtype=np.float64) ** 0.88


def weight(probability: Any, gamma: Any) -> Any:
    """Decision weight of a probability: small ones are overweighted, large ones underweighted."""
    p = np.asarray(probability, dtype=np.float64) ** gamma
    q = (1.0 - np.asarray(probability, dtype=np.float64)) ** gamma
    return p / (p + q) ** (1.0 / np.asarray(gamma))
