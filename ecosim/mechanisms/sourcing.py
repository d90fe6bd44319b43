"""Sourcing: firms watch their suppliers, look for others when they fail, and change them for other reasons too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from ecosim.mechanisms.acquaintance import by_place, candidates
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.spread import Level, parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

WEEK = 7  # days between two rounds of natural change, and until whoever found nobody looks again
SPARES = 3  # most second sources that are asked for one input
ATTEMPTS = 8  # firms considered for a contract as second source
OFFERS = 4  # links that come up in a round, for each that changes: most pairs do not fit
FEW = 4096  # links that come up at least: in a small economy it is hard to find two of one size
PART = 0.5  # of its headroom that a firm promises away for good; closer to full, rationing starves whoever has grown
NEAR = 1e-3  # change of needs, share of output, that is not told to suppliers
TIERS = 20  # most rounds in which changes of needs are followed in an evening; they halve or so at each
FOLLOWED = 4000  # most changes of needs that are followed before a move is agreed
SPEND = 0.5  # share of its cash that a firm spends on new suppliers in a day
STAYS, DRAWN, ODD, TURN = range(4, 8)  # what a draw decides; those before decide who is found


class _Evening(NamedTuple):
    """What firms decide by, and on, in an evening."""

    supplier: Array  # of each link from tomorrow on, shape (L,)
    planned: Array  # of each link once all that is agreed has come about, shape (L,)
    limit: Array  # most that a firm may have to make by then, shape (n,)


class Sourcing(Mechanism):
    """Flexible supply chains: a firm leaves a supplier who fails it, in its own time and for whoever has room.

    Each evening the reliability of a link follows ``r += (min(1, delivered / min(ordered, flow)) - r) / memory_days``:
    who gets the usual amount has no reason to complain, even where it ordered more to refill its stocks. When r has
    stayed below ``threshold`` for ``delay`` days (the speed of decision: autonomy), the firm asks its second sources
    for this input, which deliver from the next day; if none has room it looks at ``candidates`` firms (times
    ``search_reach``, platforms) of the same sector as the supplier it wants to leave. A candidate is from its own
    region with the chance ``local_share``; else a supplier of a partner with the chance ``referrals`` (collaboration);
    else anybody. Within each group the chance of firm j is proportional to k_j^attachment, k_j its clients, customers
    counted as one: new links of 711,248 Hungarian firms attach like this (Reisch, Borsos & Thurner 2025). The candidate
    with the largest ``room / output`` wins, provided that it has room for the whole flow. Room is min(capacity,
    ceiling) - max(demand, x); x is what the firm must make once all that is agreed has come about, x = c + A x
    (Leontief), because orders are low in a crisis and come back. Nobody signs what its own suppliers, and theirs, could
    not make: with every move, one after the other, x has to stay within half of everybody's headroom. x is not solved
    anew each time: who needs a thousandth of its output more or less tells its suppliers, and what is less adds up
    until it is told. The flow moves after ``onboarding_days``, less the share ``second_source`` that a working plan has
    agreed beforehand (continuity); stock, product and total purchases of the buyer stay as they were. With the chance
    ``return_chance`` the firm goes back as soon as its old supplier has room again.

    With finance on, a search costs ``switching_cost`` days of the flow, paid from at most half of the cash; what is
    still owed to the old supplier stays owed (finance).

    Second sources. ``suppliers_per_input`` above what the network gives adds *contracts without a flow*: pre-agreed
    suppliers. Flows at rest cannot be split without changing what every firm makes, so a second source is dormant until
    it is needed. It changes places with the main one, which becomes the second.

    Natural change. Links also end for other reasons, so that the share ``link_survival`` lives through a year: 92 % of
    links to customers and 93 % of links to suppliers in Japan (Mizuno, Souma & Watanabe 2014; in Hungarian tax data,
    which hold every purchase, only 45 %: Reisch et al. 2025). Two buyers of similar amounts exchange suppliers, so
    totals stay. What does not match is met from spare capacity, half of ``economy.headroom`` at most; without headroom
    only equal flows are exchanged. With ``link_survival: 1`` an undisturbed economy is exactly at rest.

    Which idea is which parameter: several suppliers, redundancy and optionality ``suppliers_per_input``; localised
    sourcing ``local_share``; agility ``onboarding_days`` and autonomy's delay; patience ``threshold``;
    relations of trust ``return_chance``; open networks ``referrals``.
    """

    kind: Literal["sourcing"] = "sourcing"

    threshold: Level = parameter(0.8, unit="share", source="assumption", low=0, high=1)
    """Reliability below which a supplier counts as failing; firms differ, and no survey gives a level."""
    memory_days: float = parameter(7.0, unit="days", source="assumption", low=1, high=365)
    """Days over which reliability is averaged: a week, so that one bad day is forgiven."""
    candidates: int = parameter(5, unit="firms", source="assumption", low=1, high=100)
    """Firms that a search looks at; owners' time for it is short."""
    local_share: Level = parameter(0.5, unit="share", source="assumption", low=0, high=1)
    """Share of candidates taken from the firm's own region: localised sourcing. That suppliers are mostly near by is
    well known (Bernard, Moxnes & Saito 2019); the share depends on how large a region is."""
    referrals: float = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Share of the other candidates that partners name, out of their own suppliers (where collaboration is on)."""
    attachment: float = parameter(1.08, unit="1", source="Reisch, Borsos & Thurner (2025)", low=0, high=3)
    """Power of the number of clients in the chance to be considered."""
    onboarding_days: Level = parameter(14.0, unit="days", source="assumption", low=0, high=365)
    """Days until a new supplier delivers: terms, samples, first delivery. No survey across trades is known."""
    switching_cost: Level = parameter(5.0, unit="days of the flow", source="assumption", low=0, high=365)
    """Cost of a successful search and of starting up, in days of purchases through the link (needs finance)."""
    suppliers_per_input: Level = parameter(1.0, unit="suppliers", source="assumption", low=1, high=4)
    """Suppliers that a firm has for each input, second sources included; 1.3 gives 30 % of inputs a second one. At 1
    there are those of the network and no others."""
    return_chance: Level = parameter(1.0, unit="share", source="assumption", low=0, high=1)
    """Chance that a firm goes back to the supplier it had to leave, once that one can deliver. Firms keep the recipes
    of the economy at rest, and rationing measures everybody by usual purchases; what stays displaced strains both."""
    link_survival: float = parameter(0.92, unit="share a year", source="Mizuno et al. (2014)", low=0.05, high=1)
    """Share of links that live through a year in which nothing happens."""
    mismatch: float = parameter(0.1, unit="share", source="assumption", low=0, high=1)
    """Largest difference between two flows that are exchanged, a share of the larger one."""

    columns: ClassVar[dict[str, str]] = {
        "promised": "what clients need of it once all that is agreed has come about, currency units a day",
        "pace": "production that its suppliers reckon with in what they promise, share of output",
        "room": "what it could make beyond its promises, found out when somebody searches, currency units a day",
        "supplier_threshold": "reliability below which a supplier counts as failing, share",
        "onboarding_days": "days until a new supplier delivers",
        "local_preference": "share of candidates that are sought in the own region",
        "supplier_switching_cost": "cost of a new supplier, days of the flow",
        "return_chance": "chance of going back to a supplier that had failed, 0 to 1",
    }
    channels: ClassVar[dict[str, str]] = {
        "search": "candidates seen in a search for suppliers, share of the usual",
        "elsewhere": "candidates sought outside the own region, share of the usual",
        "onboarding": "speed at which a new supplier is taken on, share of the usual",
    }
    link_columns: ClassVar[dict[str, str]] = {
        "reliability": "smoothed share of orders delivered, 1 at rest",
        "onboarding": "1 while a new supplier is being taken on, else 0",
    }

    def check(self, on: frozenset[str]) -> str | None:
        """Refuse what other mechanisms would have to give."""
        for name, needed in (("switching_cost", "finance"), ("referrals", "collaboration")):
            if getattr(self, name) != type(self).model_fields[name].default and needed not in on:
                return f"{name}: nothing comes of it where {needed} is off; add {{kind: {needed}}} or drop it"
        return None

    # --- before the first day ---------------------------------------------------------------------------------------

    def lay_out(self, world: World, rng: Stream) -> None:
        """Lay out who can be found where, and agree second sources, as links without a flow."""
        from ecosim.kernels.sourcing import first_stranger

        world.memory[self.kind] = by_place(world)
        wanted = self.per_firm(world, "suppliers_per_input")
        if not (wanted > 1.0).any():
            return
        links, stream = world.links, world.streams["mechanism: sourcing: second sources"]
        first = np.flatnonzero(np.diff(links.buyer, prepend=-1) | np.diff(links.product, prepend=-1))
        buyer, product = links.buyer[first], links.product[first]
        have = np.diff(np.append(first, len(links)))
        target = np.floor(wanted[buyer] + stream.uniform(0, first, draw=DRAWN))
        near = self.per_firm(world, "local_share")
        for turn in range(SPARES):
            rows = np.flatnonzero(target > have + turn)
            # Spares have moved the rows of links; the main supplier of an input still comes first.
            first = np.flatnonzero(np.diff(links.buyer, prepend=-1) | np.diff(links.product, prepend=-1))
            offered = self._draw(world, stream, turn, first[rows], near, ATTEMPTS)
            found = first_stranger(buyer[rows], offered, links.ptr, links.supplier, links.flow)
            some = rows[found >= 0]
            if len(some):
                links.add_spare(buyer[some], product[some], found[found >= 0])

    def prepare(self, world: World, rng: Stream) -> None:
        """Trust all suppliers."""
        firms, links = world.firms, world.links
        for name, column in (
            ("threshold", "supplier_threshold"),
            ("local_share", "local_preference"),
            ("onboarding_days", "onboarding_days"),
            ("switching_cost", "supplier_switching_cost"),
            ("return_chance", "return_chance"),
        ):
            firms.add(column, self.per_firm(world, name))
        firms.add("promised", np.bincount(links.supplier, links.flow, minlength=firms.rows))
        firms.add("pace", 1.0)
        firms.add("room", 0.0)
        for name, neutral in (("delay", 1.0), ("alive", 1.0), ("search_reach", 1.0), ("second_source", 0.0)):
            firms.ensure(name, neutral)
        links.add("reliability", 1.0)
        links.add("onboarding", 0.0)
        nobody = np.empty(0, dtype=np.int64)
        world.memory[self.kind] |= {
            "short": np.zeros(len(links), dtype=np.int16),
            "new_link": nobody,
            "new_supplier": nobody,
            "new_day": nobody,
            "home_link": nobody,
            "home_supplier": nobody,
        }

    # --- the evening ------------------------------------------------------------------------------------------------

    def evening(self, world: World, rng: Stream) -> None:
        """Watch deliveries, take on new suppliers, look for others, go home, and drift."""
        from ecosim.kernels.sourcing import watch

        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        due = watch(
            links.ptr, links.flow, links.ordered, links.delivered, 1.0 / self.memory_days, firms["supplier_threshold"],
            firms["delay"], firms["alive"], links.columns["reliability"], kept["short"],
        )  # fmt: skip
        kept["short"][due] = -WEEK  # whoever finds nobody looks again in a week
        due = due[links.columns["onboarding"][due] == 0.0]
        drifts = self.link_survival < 1.0 and world.day % WEEK == WEEK - 1
        if not (len(due) or len(kept["new_link"]) or len(kept["home_link"]) or drifts):
            return
        supplier = links.supplier.copy()
        self._arrive(world, rng, supplier)
        tonight = self._take_stock(world, supplier)
        self._search(world, rng, self._fall_back(world, rng, due, tonight), tonight)
        self._go_home(world, tonight)
        if drifts:
            self._drift(world, rng, supplier)
        changed = np.flatnonzero(supplier != links.supplier)
        if len(changed):
            links.rewire(changed, supplier[changed])
            links.columns["reliability"][changed] = 1.0
            kept["short"][changed] = 0

    def _arrive(self, world: World, rng: Stream, supplier: Array) -> None:
        """Let flows move to suppliers that have been taken on."""
        from ecosim.kernels.sourcing import strangers

        links, kept, firms = world.links, world.memory[self.kind], world.firms.columns
        link, firm, day = kept["new_link"], kept["new_supplier"], kept["new_day"]
        ready = np.flatnonzero(day <= world.day)
        if not len(ready):
            return
        waits = np.ones(len(link), dtype=np.bool_)
        waits[ready] = False
        kept["new_link"], kept["new_supplier"], kept["new_day"] = link[waits], firm[waits], day[waits]
        link, firm = link[ready], firm[ready]
        links.columns["onboarding"][link] = 0.0
        buyer = links.buyer[link]
        # In vain where either has closed, or where the firm delivers to the buyer by now through another link.
        moves = (firms["alive"][buyer] > 0.0) & (firms["alive"][firm] > 0.0)
        moves &= strangers(buyer, firm, links.ptr, supplier, links.flow)
        back = np.where(moves, 0.0, links.flow[link] * firms["pace"][buyer])
        np.subtract.at(firms["promised"], firm, back)
        np.add.at(firms["promised"], supplier[link], back)
        self._leave(world, rng, link[moves], firm[moves], supplier)

    def _fall_back(self, world: World, rng: Stream, due: Array, tonight: _Evening) -> Array:
        """Let second sources take over from tomorrow; return the links whose buyers have to look further."""
        from ecosim.kernels.sourcing import spares

        links, supplier = world.links, tonight.supplier
        if not len(due) or len(links.out_link) == len(links):
            return due
        secondary = spares(due, links.buyer[due], links.ptr, links.product, supplier, links.flow, SPARES)
        chosen = self._best(world, due, secondary, supplier)
        found = self._agreed(world, due, chosen, tonight)
        self._leave(world, rng, due[found], chosen[found], supplier)
        return due[~found]

    def _search(self, world: World, rng: Stream, due: Array, tonight: _Evening) -> None:
        """Look for new suppliers, and start taking on those that are found."""
        due = due[self._pays(world, due)]
        if not len(due):
            return
        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        offered = self._seen(world, rng, due)
        chosen = self._chosen(world, due, offered, tonight.supplier)
        found = self._agreed(world, due, chosen, tonight)
        link = due[found]
        buyer = links.buyer[link]
        speed = world.sheet.read("onboarding")
        days = firms["onboarding_days"][buyer] * (1.0 - firms["second_source"][buyer])
        days = days if speed is None else days / np.maximum(speed[buyer], 1e-3)
        days = np.maximum(np.rint(days), 1.0).astype(np.int64)
        kept["new_link"] = np.concatenate((kept["new_link"], link))
        kept["new_supplier"] = np.concatenate((kept["new_supplier"], chosen[found]))
        kept["new_day"] = np.concatenate((kept["new_day"], world.day + days))
        links.columns["onboarding"][link] = 1.0
        if world.money is not None:
            bill = np.bincount(buyer, self._cost(world, link), minlength=world.firms.rows)
            world.money.pay("switching", "firms", "outside", bill)

    def _go_home(self, world: World, tonight: _Evening) -> None:
        """Return to suppliers that can deliver again, where the relation has outlived the failure."""
        kept = world.memory[self.kind]
        link, home = kept["home_link"], kept["home_supplier"]
        if not len(link):
            return
        asking = world.links.columns["onboarding"][link] == 0.0
        chosen = self._best(world, link, np.where(asking, home, -1)[:, None], tonight.supplier)
        found = self._agreed(world, link, chosen, tonight)
        kept["home_link"], kept["home_supplier"] = link[~found], home[~found]
        self._switch(world, link[found], home[found], tonight.supplier)

    def _drift(self, world: World, rng: Stream, supplier: Array) -> None:
        """Let pairs of links exchange their suppliers: relations end for reasons that no model knows."""
        from ecosim.kernels.sourcing import exchange

        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        ending = len(links.out_link) * (1.0 - self.link_survival ** (WEEK / 365.0)) / 2.0
        quota = int(ending + rng.uniform(world.day, 0, draw=ODD))
        offers = np.arange(max(2 * OFFERS * quota, min(len(links), FEW)))
        drawn = np.unique(rng.integers(len(links), world.day, offers, draw=DRAWN))
        alive = firms["alive"]
        free = (links.flow[drawn] > 0.0) & (links.columns["onboarding"][drawn] == 0.0)
        drawn = drawn[free & (alive[links.buyer[drawn]] > 0.0) & (alive[supplier[drawn]] > 0.0)]
        sector = world.plan.firms.sector[supplier[drawn]]
        drawn = drawn[np.lexsort((drawn, links.flow[drawn], sector))]
        one, other = drawn[:-1:2], drawn[1::2]
        same = world.plan.firms.sector[supplier[one]] == world.plan.firms.sector[supplier[other]]
        one, other = one[same], other[same]
        turn = np.argsort(rng.uniform(world.day, one, draw=TURN), kind="stable")
        one, other = one[turn], other[turn]
        done = exchange(
            one, other, quota, links.buyer, links.ptr, supplier, links.flow, firms["final_demand"], firms["output"],
            firms["potential"], self.mismatch, PART, firms["promised"], firms["pace"],
        )  # fmt: skip
        one, other = one[done], other[done]
        stays = ~np.isin(kept["home_link"], np.concatenate((one, other)))
        kept["home_link"], kept["home_supplier"] = kept["home_link"][stays], kept["home_supplier"][stays]

    def _take_stock(self, world: World, supplier: Array) -> _Evening:
        """Say how much every firm must make of what has been agreed, all tiers of needs included, and how much more."""
        from ecosim.kernels.sourcing import follow, means

        firms, links, kept = world.firms.columns, world.links, world.memory[self.kind]
        planned = supplier.copy()
        planned[kept["new_link"]] = kept["new_supplier"]
        output, final, promised = firms["output"], firms["final_demand"], firms["promised"]
        follow(links.ptr, planned, links.flow, final, output, NEAR, TIERS, promised, firms["pace"])
        limit = means(
            firms["capacity"], firms["ceiling"], firms["demand"], final, output, firms["potential"], PART, promised,
            firms["room"],
        )  # fmt: skip
        return _Evening(supplier, planned, limit)

    def _agreed(self, world: World, link: Array, new: Array, tonight: _Evening) -> Array:
        """Which of some moves are agreed, shape (k,): nobody signs what its suppliers and theirs cannot make."""
        from ecosim.kernels.sourcing import agree

        firms, links = world.firms.columns, world.links
        found: Array = agree(
            link, links.buyer[link], new, links.ptr, tonight.planned, links.flow, firms["final_demand"],
            firms["output"], tonight.limit, NEAR, FOLLOWED, firms["promised"], firms["pace"],
        )  # fmt: skip
        return found

    # --- who is found and chosen ------------------------------------------------------------------------------------

    def _draw(self, world: World, rng: Stream, day: int, links: Array, near: Array, count: int, turn: int = 0) -> Array:
        """Candidates (k, count) for some links (k,), -1 where there is none."""
        return candidates(world, rng, day, links, near, count, self.attachment, self.referrals, turn)

    def _seen(self, world: World, rng: Stream, links: Array) -> Array:
        """Candidates that buyers see in a search, -1 where there is none: ``candidates`` times their reach.

        They come in rounds of ``candidates`` with addresses of their own, so more reach never changes the first ones.
        """
        near, buyer, count = world.firms.local_preference, world.links.buyer[links], self.candidates
        elsewhere, reach = world.sheet.read("elsewhere"), world.sheet.read("search")
        if elsewhere is not None:
            near = np.maximum(1.0 - (1.0 - near) * elsewhere, 0.0)
        seen = np.rint(count * world.firms.search_reach[buyer] * (1.0 if reach is None else reach[buyer]))
        rounds = range(max(1, int(np.ceil(seen.max() / count))))
        drawn = [self._draw(world, rng, world.day, links, near, count, turn) for turn in rounds]
        offered = np.concatenate(drawn, axis=1)
        return np.where(np.arange(offered.shape[1]) < seen[:, None], offered, -1)

    def _best(self, world: World, links: Array, offered: Array, supplier: Array) -> Array:
        """The rule for many links: the candidate with most room for its size, -1 for none; taken off its room."""
        from ecosim.kernels.sourcing import choose

        firms, held = world.firms.columns, world.links
        found: Array = choose(
            links, held.buyer[links], offered, held.ptr, supplier, held.flow, firms["output"], firms["alive"],
            firms["room"],
        )  # fmt: skip
        return found

    def _chosen(self, world: World, links: Array, offered: Array, supplier: Array) -> Array:
        """Choices of firms, link by link: the rule for all but those whose class decides by itself."""
        own = np.flatnonzero(np.isin(world.links.buyer[links], world.choices.rows("choose_supplier")))
        chosen = np.full(len(links), -1, dtype=np.int64)
        start = 0
        for at in own.tolist():
            chosen[start:at] = self._best(world, links[start:at], offered[start:at], supplier)
            chosen[at] = self._asked(world, int(links[at]), offered[at], supplier)
            start = at + 1
        chosen[start:] = self._best(world, links[start:], offered[start:], supplier)
        return chosen

    def _asked(self, world: World, link: int, offered: Array, supplier: Array) -> int:
        """Choice of a firm whose class decides by itself."""
        from ecosim.kernels.sourcing import candidates_of

        firms, held = world.firms.columns, world.links
        buyer = int(held.buyer[link])
        options = candidates_of(
            link, buyer, offered, held.ptr, supplier, held.flow, firms["room"], firms["alive"]
        )  # fmt: skip
        if not len(options):
            return -1
        allowed: Sequence[int] = [*options.tolist(), -1]
        options.flags.writeable = False  # what may be answered is settled before anybody is asked
        answer = world.choices.ask("choose_supplier", buyer, options)
        if isinstance(answer, bool) or not isinstance(answer, int | np.integer) or int(answer) not in allowed:
            raise world.choices.wrong("choose_supplier", buyer, answer, f"one of {allowed}, -1 for none of them")
        if answer >= 0:
            firms["room"][answer] -= held.flow[link]
        return int(answer)

    def choose_supplier(self, agent: Any, candidates: Array) -> int:
        """Return the candidate with most spare capacity for its size; the first of equals."""
        best, most = -1, -np.inf
        for row in candidates.tolist():
            firm = agent.model.agent(row)
            if firm.room / firm.output > most:
                best, most = row, firm.room / firm.output
        return best

    # --- costs and contracts ---------------------------------------------------------------------------------------

    def _leave(self, world: World, rng: Stream, link: Array, firms: Array, supplier: Array) -> None:
        """Switch, and remember where to go back to, unless the relation is over."""
        kept, buyer = world.memory[self.kind], world.links.buyer[link]
        world.happened("takes another supplier", buyer, world.links.flow[link])
        loyal = rng.uniform(world.day, link, draw=STAYS) < world.firms.return_chance[buyer]
        loyal &= ~np.isin(link, kept["home_link"])
        kept["home_link"] = np.concatenate((kept["home_link"], link[loyal]))
        kept["home_supplier"] = np.concatenate((kept["home_supplier"], supplier[link[loyal]].astype(np.int64)))
        self._switch(world, link, firms, supplier)

    def _switch(self, world: World, link: Array, firms: Array, supplier: Array) -> None:
        """Give links (k,) to new suppliers; a second source changes places with the main one."""
        from ecosim.kernels.sourcing import take_over

        links = world.links
        take_over(link, links.buyer[link], firms, links.ptr, links.product, supplier, links.flow)

    def _cost(self, world: World, link: Array) -> Array:
        """Cost of a new supplier for each link, currency units."""
        return np.asarray(world.firms.supplier_switching_cost[world.links.buyer[link]] * world.links.flow[link])

    def _pays(self, world: World, link: Array) -> Array:
        """Which of these searches the buyers can pay for, all of a buyer's together, shape (k,)."""
        if world.money is None:
            return np.ones(len(link), dtype=np.bool_)
        buyers, at = np.unique(world.links.buyer[link], return_inverse=True)
        able: Array = np.bincount(at, self._cost(world, link)) <= SPEND * np.maximum(world.firms.cash[buyers], 0.0)
        return able[at]
