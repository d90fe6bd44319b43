"""Platforms: sales through a few marketplaces and work in a few clouds; wider reach, and one outage for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.errors import InputError
from ecosim.kernels import platforms as kernels
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Platforms(Mechanism):
    """Marketplaces that bring customers, and clouds that businesses work in: shared technology, shared risk.

    A share ``membership`` of firms is on one of a few marketplaces, a share ``cloud_users`` works in one of a few
    clouds; which one follows Zipf's law, P(k) ~ k^-concentration, the outcome of preferential attachment (Simon 1955).
    Who is on one at all depends on size and place (the digital divide): the chance of a firm is

        membership (1 + divide_size (2 rank - 1)) (1 + divide_region (2 u - 1)),

    rank being its place by size in its sector, from 0 to 1, and u its region's own draw.

    - *wider reach*: with sigma the share of sales made through the platform, the part sigma x reach of all members of
      a platform in a sector is one pool, from wherever the customers are. When the people of one town want less, their
      shops lose that much less, and the others share it: wanted_i += q_i (usual_i Z - wanted_i), where Z is the pool's
      wants over its usual ones. Total wants are conserved. Where finance is on, communities that buy elsewhere pay
      those that sell, so that nobody's neighbours pay for strangers.
    - *dependence*: on a day on which a platform works at a < 1 (channel ``platform``), a member loses the part
      sigma (1 - a)(1 - direct) of its customers. They still want the goods: with ``customers`` on, some find another
      business the same day, else they count as unmet.
    - *shared cloud*: capability x (1 - cloud_share (1 - a)) where the firm's cloud works at a (channel ``cloud``).
    - *cheaper search*: column ``search_reach`` = 1 + search x a for members, which `sourcing` reads.
    - *fee*: usual fees are among a member's usual costs, as finance knows them; what the platform takes beyond, and
      what it does not take because less is sold through it, is paid to or by the outside. Channel ``platform_fee``
      scales it (a fee cap).

    `members` and `users` give the firms of one platform or cloud, for a shock that takes down one of them; the columns
    ``platform`` and ``cloud`` say which it is.
    """

    kind: Literal["platforms"] = "platforms"

    platforms: int = parameter(
        5,
        unit="platforms",
        low=1,
        high=1000,
        source="assumption",
    )
    """Number of marketplaces. With 5 and a concentration of 1 the largest has 44 % of the members."""
    clouds: int = parameter(
        5,
        unit="clouds",
        low=1,
        high=1000,
        source="assumption",
    )
    """Number of cloud providers. The three largest have 80 % of the users at the default concentration."""
    concentration: float = parameter(
        1.0,
        unit="1",
        low=0,
        high=10,
        source="Simon (1955), Gabaix (2016): Zipf's law, exponent near 1; 0 is equal shares",
    )
    """Concentration: exponent of Zipf's law for the members of platforms and the users of clouds."""
    membership: float = parameter(
        0.2,
        unit="share",
        low=0,
        high=1,
        source="Eurostat (2021), E-commerce statistics: about a fifth of enterprises sell online",
    )
    """Share of firms that sell through a platform."""
    platform_share: Level = parameter(
        0.3,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Dependence: share of a member's sales to customers made through its platform. With a fifth of firms on one, the
    whole economy sells 6 % that way, less than half of the share of all e-commerce in retail sales."""
    reach: Level = parameter(
        0.5,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Wider reach: share of platform sales that are to customers from anywhere; the others only order at home."""
    direct: Level = parameter(
        0.3,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Multi-homing: share of platform customers who find the firm's own channel when the platform is down."""
    fee: Level = parameter(
        0.15,
        unit="share of sales",
        low=0,
        high=1,
        source="Amazon fee schedule (2024): referral fee of 15 % in most categories",
    )
    """Platform fee; paid where finance is on."""
    search: float = parameter(
        1.0,
        unit="1",
        low=0,
        high=100,
        source="assumption",
    )
    """Cheaper search: how many more candidates a member sees when it looks for a supplier; 1 is twice as many."""
    cloud_users: float = parameter(
        0.45,
        unit="share",
        low=0,
        high=1,
        source="Eurostat (2023), Cloud computing: 45 % of enterprises buy cloud services",
    )
    """Share of firms that work in a cloud."""
    cloud_share: Level = parameter(
        0.3,
        unit="share",
        low=0,
        high=1,
        source="assumption",
    )
    """Systemic dependence: share of a user's capacity that stands still while its cloud is down."""
    divide_size: float = parameter(
        0.5,
        unit="1",
        low=0,
        high=1,
        source="Eurostat (2021), E-commerce statistics: large enterprises sell online about twice as often as small",
    )
    """Digital divide by size: the smallest firm of a sector has (1 - divide) times the usual chance of access, the
    largest (1 + divide) times."""
    divide_region: float = parameter(
        0.3,
        unit="1",
        low=0,
        high=1,
        source="assumption",
    )
    """Digital divide by region: regions' chances of access lie between (1 - divide) and (1 + divide) times usual."""

    columns: ClassVar[dict[str, str]] = {
        "platform": "number of its platform, 0 the largest; -1 none",
        "platform_share": "share of its sales to customers made through the platform",
        "platform_pool": "share of its sales to customers who may be from anywhere",
        "platform_direct": "share of platform customers who find its own channel in an outage",
        "platform_fee": "what the platform takes of sales made through it, share",
        "cloud": "number of its cloud, 0 the largest; -1 none",
        "cloud_share": "share of its capacity that needs the cloud",
        "search_reach": "candidates it sees in a search for suppliers, times the usual",
    }
    channels: ClassVar[dict[str, str]] = {
        "platform": "how far the firm's platform works for it, share",
        "cloud": "how far the firm's cloud works for it, share",
        "platform_fee": "what the platform takes, share of the usual fee",
    }

    def check(self, on: frozenset[str]) -> str | None:
        """Refuse a fee that nobody could pay."""
        if self.changed("fee") and "finance" not in on:
            return "fee: nobody holds money while finance is off; add {kind: finance} or drop fee"
        return None

    def prepare(self, world: World, rng: Stream) -> None:
        """Who is on which platform and in which cloud."""
        firms = world.firms
        chance = self._access(world, rng)
        platform = self._choice(rng, self.platforms, self.membership * chance, firms.rows, 0)
        cloud = self._choice(rng, self.clouds, self.cloud_users * chance, firms.rows, 2)
        member, user = platform >= 0, cloud >= 0
        firms.add("platform", platform)
        firms.add("cloud", cloud)
        share = firms.ensure("platform_share", 0.0)
        share[:] = self.per_firm(world, "platform_share") * member
        firms.add("platform_pool", share * self.per_firm(world, "reach"))
        firms.add("platform_direct", self.per_firm(world, "direct"))
        firms.add("platform_fee", self.per_firm(world, "fee"))
        firms.add("cloud_share", self.per_firm(world, "cloud_share") * user)
        firms.ensure("search_reach", 1.0)[:] = 1.0 + self.search * member
        for name in ("alive", "posted_price"):
            firms.ensure(name, 1.0)
        rows = np.flatnonzero(member)
        key = platform[rows].astype(np.int64) * len(world.plan.firms.sector_names) + world.plan.firms.sector[rows]
        world.memory["platforms"] = {
            "rows": rows,
            "pool": np.unique(key, return_inverse=True)[1].astype(np.int64),
            # Of each of these rows, or empty on a day without any:
            "usual": np.zeros(0),  # usual wants, put aside while the platform changes them
            "missed": np.zeros(0),  # wants of those who cannot order today
            "gained": np.zeros(0),  # wants from elsewhere
        }

    def members(self, world: World, platform: int) -> Array:
        """Rows of the firms on one platform, 0 the largest."""
        return self._of(world, "platform", platform, self.platforms)

    def users(self, world: World, cloud: int) -> Array:
        """Rows of the firms in one cloud, 0 the largest."""
        return self._of(world, "cloud", cloud, self.clouds)

    def morning(self, world: World, rng: Stream) -> None:
        """What cannot be done while the cloud is down, and how far a search for suppliers reaches."""
        firms, rows = world.firms.columns, world.memory["platforms"]["rows"]
        cloud = _working(world, "cloud")
        if cloud is not None:
            world.sheet.scale("capability", 1.0 - firms["cloud_share"] * (1.0 - cloud))
        platform = _working(world, "platform")
        firms["search_reach"][rows] = 1.0 + self.search * (1.0 if platform is None else platform[rows])

    def expect(self, world: World, rng: Stream) -> None:
        """Share what platform customers want among members, and turn away those whom an outage keeps from ordering."""
        firms, plan, memory = world.firms.columns, world.plan, world.memory["platforms"]
        rows, platform = memory["rows"], _working(world, "platform")
        memory["usual"] = memory["gained"] = memory["missed"] = np.zeros(0)
        today = np.empty(len(rows))
        moved = kernels.pooled(
            rows, memory["pool"], len(rows), firms["platform_pool"], firms["posted_price"], firms["alive"],
            plan.customer, self._means(world), firms["final_demand"], firms["wanted"], today,
        )  # fmt: skip
        if moved:
            memory["gained"] = today - firms["wanted"][rows]
        if platform is not None:
            ordered_there, direct = today * firms["platform_share"][rows], firms["platform_direct"][rows]
            memory["missed"] = ordered_there * (1.0 - platform[rows]) * (1.0 - direct)
            today -= memory["missed"]
        if moved or platform is not None:
            memory["usual"] = firms["final_demand"][rows]
            kernels.reached(rows, today, firms["final_demand"], firms["wanted"])

    def trade(self, world: World, rng: Stream) -> None:
        """Those who could not order still want the goods."""
        firms, memory = world.firms.columns, world.memory["platforms"]
        if len(memory["usual"]):
            firms["final_demand"][memory["rows"]] = memory["usual"]
        if len(memory["missed"]):
            firms["wanted"][memory["rows"]] += memory["missed"]

    def settle(self, world: World, rng: Stream) -> None:
        """Fees beyond the usual, and what communities buy from each other."""
        if world.money is None:
            return
        self._fees(world)
        if len(world.memory["platforms"]["gained"]):
            self._between(world)

    def _access(self, world: World, rng: Stream) -> Array:
        """How much better than usual each firm's chance of access is."""
        firms = world.plan.firms
        order = np.lexsort((firms.size, firms.sector))
        count = np.bincount(firms.sector, minlength=len(firms.sector_names))
        place = np.empty(len(firms))
        place[order] = np.arange(len(firms)) - np.repeat(np.cumsum(count) - count, count)
        rank = (place + 0.5) / count[firms.sector]
        region = rng.uniform(0, np.arange(len(firms.region_names)), 4)
        by_place = 1.0 + self.divide_region * (2.0 * region[firms.region] - 1.0)
        chance: Array = (1.0 + self.divide_size * (2.0 * rank - 1.0)) * by_place
        return chance

    def _choice(self, rng: Stream, number: int, chance: Array, rows: int, draw: int) -> Array:
        """Which of several each firm uses, by Zipf's law, or -1."""
        every = np.arange(rows)
        weights = np.arange(1, number + 1, dtype=np.float64) ** -self.concentration
        which = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.uniform(0, every, draw + 1), side="right")
        chosen: Array = np.where(rng.uniform(0, every, draw) < chance, np.minimum(which, number - 1), -1).astype(float)
        return chosen

    def _of(self, world: World, column: str, which: int, number: int) -> Array:
        if not 0 <= which < number:
            raise InputError(f"no {column} {which}; there are 0 to {number - 1}, 0 the largest")
        return np.flatnonzero(world.firms.columns[column] == which)

    def _means(self, world: World) -> Array:
        """Each community's budget today over its usual one: `usual` wants of members are those of usual budgets."""
        people = world.customers
        if "spending" not in people:
            return np.ones(people.rows)
        usable = (people.budget > 0) & (people.spending > 0)
        means: Array = np.divide(people.spending, people.budget, out=np.ones(people.rows), where=usable)
        return means

    def _fees(self, world: World) -> None:
        """What platforms take today beyond the usual (or less), as far as the members' cash goes."""
        assert world.money is not None
        firms, sheet, due = world.firms.columns, world.sheet.multipliers, np.empty(world.firms.rows)
        some = kernels.fees(
            world.memory["platforms"]["rows"], firms["consumption"], firms["posted_price"], firms["platform_share"],
            firms["platform_direct"], firms["platform_fee"], sheet["platform"], sheet["platform_fee"],
            world.plan.firms.final_demand, firms["alive"], firms["output"], firms["cash"], due,
        )  # fmt: skip
        if some:
            world.money.pay_either_way("platform fees", "firms", "outside", due)

    def _between(self, world: World) -> None:
        """Communities whose people bought elsewhere pay those whose firms sold to strangers."""
        assert world.money is not None
        firms, memory, sold = world.firms.columns, world.memory["platforms"], np.zeros(world.customers.rows)
        kernels.sold_to_strangers(
            memory["rows"], memory["gained"], firms["consumption"], firms["wanted"], firms["posted_price"],
            world.plan.customer, sold,
        )  # fmt: skip
        elsewhere, strangers = np.maximum(-sold, 0.0), np.maximum(sold, 0.0)
        paid = min(elsewhere.sum(), strangers.sum())
        if paid > 0:
            world.money.pay(
                "platform purchases", "households", "households", elsewhere * (paid / elsewhere.sum()),
                strangers * (paid / strangers.sum()),
            )  # fmt: skip


def _working(world: World, channel: str) -> Array | None:
    """How far platforms or clouds work today, at most 1, or None where nothing happened to them."""
    today = world.sheet.read(channel)
    return None if today is None else np.minimum(today, 1.0)
