"""Pricing: a firm's price follows scarcity and costs, within bounds and not every day; customers resent gouging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from ecosim.choices import is_number
from ecosim.kernels import pricing as kernels
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Pricing(Mechanism):
    """Dynamic pricing: each evening some firms set tomorrow's price; at rest every price is 1.

    The price that a firm would like is its cost times a mark-up that follows scarcity,

        p*_i = k_i clip(1 + response x short_i - discount x slack_i, floor, cap),
        short = max(0, D - means) / P0,  slack = max(0, P0 - D) / P0,
        k_i = 1 + pass_through_i (input_cost_i - 1 + sum_j A_ij (price_j - 1) / P0_i),

    with demand D, means = min(capacity, what stocks allow), output at rest P0. A firm may change its price on a day
    with probability 1/price_days (Calvo 1983). Retail prices answer little to scarcity, even after earthquakes and
    storms (Cavallo, Cavallo & Rigobon 2014; Gagnon & Lopez-Salido 2020), so the mechanism is off unless listed and
    its response is small; what moves prices is cost. A firm of a class of one's own is asked for its price on such days
    only, and ``super().price()`` is p*, which looks at costs and scarcity and never at the price it has now.

    Customers answer in two ways. They shift spending inside their market, with the constant elasticity e of Dixit
    & Stiglitz (1977): the pull of an offer is price^(1 - e). And they resent a price above what costs justify
    (Kahneman, Knetsch & Thaler 1986): resentment x max(0, price/k - 1) is added to the rate at which they turn away,
    and what it did to market shares outlasts the price. That is why it needs `customers`: without budgets and rivals
    nothing would answer to a price, and gouging would be free.

    Firms pay suppliers' prices where finance is on; without finance, a price changes what customers want and nothing
    else. What dearer inputs from outside (channel ``input_cost``) cost is paid to the outside. Other firms buy at any
    price; sourcing decides from whom.

    A price war (channel ``price``) multiplies p*, or what a firm of a class of one's own answers, outside the bounds
    on the mark-up; who is in one sets its price every evening, and once more when it is over.
    """

    kind: Literal["pricing"] = "pricing"

    needs: ClassVar[tuple[str, ...]] = ("customers",)

    response: float = parameter(
        0.1,
        unit="1",
        low=0,
        high=10,
        source="assumption",
    )
    """Rise of the mark-up per unit of demand that cannot be met (share of usual output). Small, as prices hardly moved
    where goods were short after disasters (Cavallo, Cavallo & Rigobon 2014)."""
    discount: float = parameter(
        0.0,
        unit="1",
        low=0,
        high=10,
        source="Gagnon & Lopez-Salido (2020): prices hardly answer to large swings of demand; 0 is none",
    )
    """Fall of the mark-up per unit of demand that is missing (share of usual output)."""
    cap: float = parameter(
        1.1,
        unit="share",
        low=1,
        high=100,
        source="California Penal Code 396: at most 10 % above the price before an emergency",
    )
    """Largest mark-up, share of the one at rest; rises of cost come on top, as in the law."""
    floor: float = parameter(
        0.9,
        unit="share",
        low=0.01,
        high=1,
        source="assumption",
    )
    """Smallest mark-up, share of the one at rest; as far below as the law's cap is above."""
    price_days: Level = parameter(
        135.0,
        unit="days",
        low=1,
        high=3650,
        source="Nakamura & Steinsson (2008): median duration 4.4 to 4.6 months with sales; 8 to 11 without",
    )
    """Mean days between changes of price. Give 1 for prices that are set anew every day."""
    pass_through: Level = parameter(
        1.0,
        unit="share",
        low=0,
        high=5,
        source="Weyl & Fabinger (2013): one for one where rivals bear the same cost and compete",
    )
    """Share of a rise of cost that is passed on to the price."""
    elasticity: float = parameter(
        3.9,
        unit="1",
        low=1,
        high=50,
        source="Hottman, Redding & Weinstein (2016): median elasticity of substitution across firms",
    )
    """How readily customers of a market turn to a cheaper firm; 1 is not at all."""
    resentment: float = parameter(
        0.05,
        unit="1/day",
        low=0,
        high=10,
        source="assumption",
    )
    """Rate at which customers turn away per unit of price above what costs justify: 10 % too dear for a month costs
    14 % of the market share. That most people find it unfair is known (Kahneman, Knetsch & Thaler 1986), a rate is
    not."""

    columns: ClassVar[dict[str, str]] = {
        "posted_price": "price of its goods, 1 at rest",
        "unit_cost": "price that its costs justify, 1 at rest",
        "price_days": "mean days between changes of price",
        "pass_through": "share of a rise of cost that it passes on",
    }
    channels: ClassVar[dict[str, str]] = {
        "input_cost": "cost of making a unit: 1 as usual, 1.1 a tenth of the usual price more (dear energy)",
        "price": "price that a firm sets tonight, share of the one it would like (a price war)",
    }

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.cap == self.floor:
            raise ValueError("cap and floor are both 1, so that scarcity moves nothing; give a cap above 1")
        return self

    def prepare(self, world: World, rng: Stream) -> None:
        """All prices are 1."""
        firms = world.firms
        firms.add("price_days", self.per_firm(world, "price_days"))
        firms.add("pass_through", self.per_firm(world, "pass_through"))
        firms.ensure("grievance", 0.0)
        world.memory[self.kind] = {"at_war": np.zeros(0, dtype=np.int64)}
        for name in ("posted_price", "unit_cost", "alive", "appeal"):
            firms.ensure(name, 1.0)

    def settle(self, world: World, rng: Stream) -> None:
        """Pay for what costs more outside the economy, as far as the cash goes."""
        dearer = world.sheet.read("input_cost")
        if world.money is None or dearer is None:
            return
        firms = world.firms
        extra = np.minimum((dearer - 1.0) * firms.production, np.maximum(firms.cash, 0.0))
        if extra.any():
            world.money.pay_either_way("dearer inputs", "firms", "outside", extra)

    def evening(self, world: World, rng: Stream) -> None:
        """Set tomorrow's prices, and say how customers take them."""
        firms = world.firms.columns
        price = firms["posted_price"]
        self._costs(world)
        war = self._at_war(world)
        moving, wish = self._wish(world)
        now = self._revises(world, rng, moving) | war[moving]
        own = np.array([row for row in world.choices.rows("price") if firms["alive"][row] > 0], dtype=np.int64)
        own = own[self._revises(world, rng, own) | war[own]]
        answers = [self._answer(world, row) for row in own.tolist()]  # who is asked still sees the old prices
        price[moving[now]] = wish[now]
        price[own] = answers
        kernels.received(
            price, firms["unit_cost"], firms["alive"], self.elasticity, self.resentment, firms["appeal"],
            firms["grievance"],
        )  # fmt: skip

    def price(self, agent: Any) -> float:
        """Price that one firm would like: what its costs justify times the mark-up, whatever it charges now."""
        scale = agent.output if agent.output > 0 else 1.0
        short = max(0.0, agent.demand - min(agent.capacity, agent.ceiling)) / scale
        slack = max(0.0, agent.output - agent.demand) / scale
        markup = 1.0
        if short > kernels.NOISE:
            markup += self.response * short
        if slack > kernels.NOISE:
            markup -= self.discount * slack
        return float(agent.unit_cost * min(max(markup, self.floor), self.cap))

    def _revises(self, world: World, rng: Stream, rows: Array) -> Array:
        """Which of some firms may change their price this evening; the draw of one depends on no other."""
        if not len(rows):
            return np.zeros(0, dtype=np.bool_)
        return np.asarray(rng.uniform(world.day, rows) < 1.0 / world.firms.price_days[rows])

    def _at_war(self, world: World) -> Array:
        """Who sets its price tonight in any case, shape (n,): firms at war with their prices, or until yesterday."""
        kept, today = world.memory[self.kind], world.sheet.read("price")
        found = np.zeros(world.firms.rows, dtype=np.bool_)
        found[kept["at_war"]] = True
        kept["at_war"] = np.zeros(0, dtype=np.int64) if today is None else np.flatnonzero(today != 1.0)
        found[kept["at_war"]] = True
        return found

    def _wish(self, world: World) -> tuple[Array, Array]:
        """Rows of the firms that would like to charge another price than they do, and which (`price`, compiled)."""
        firms = world.firms.columns
        moving, wish = np.empty(world.firms.rows, np.int64), np.empty(world.firms.rows)
        found = kernels.wishes(
            firms["demand"], firms["capacity"], firms["ceiling"], firms["output"], firms["unit_cost"],
            firms["posted_price"], firms["alive"], world.sheet.multipliers["price"], self.response, self.discount,
            self.floor, self.cap, moving, wish,
        )  # fmt: skip
        return moving[:found], wish[:found]

    def _costs(self, world: World) -> None:
        """Price that each firm's costs justify, given its suppliers' prices today."""
        firms, links = world.firms.columns, world.links
        if world.sheet.read("input_cost") is None and (firms["posted_price"] == 1.0).all():
            firms["unit_cost"].fill(1.0)
            return
        kernels.costs(
            links.ptr, links.buyer, links.supplier, links.flow, links.out_ptr, links.out_link, firms["output"],
            firms["posted_price"], firms["pass_through"], world.sheet.multipliers["input_cost"], self.floor,
            firms["unit_cost"],
        )  # fmt: skip

    def _answer(self, world: World, row: int) -> float:
        """Price that a firm of a class of its own sets; the old one where the difference is rounding."""
        answer = world.choices.ask("price", row)
        if not is_number(answer) or answer <= 0:
            raise world.choices.wrong("price", row, answer, "a finite price above 0, such as 1.05")
        old = float(world.firms.posted_price[row])
        answer = float(answer) * float(world.sheet.multipliers["price"][row])
        return answer if abs(answer - old) > kernels.NOISE * old else old
