"""Cash-flow management: accounts, trade credit, a credit line, owners' drawings, and bankruptcies that spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from ecosim.choices import is_amount
from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import YEAR, Mechanism
from ecosim.money import SECTORS, Money
from ecosim.spread import Level, Spread, parameter
from ecosim.state import OUT_OF_CASH

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import Table, World

Array = np.ndarray[Any, np.dtype[Any]]

#: Median cash of some trades, days of costs (JPMorgan Chase Institute 2016), by words in the name of a sector.
BUFFERS = {"*food services*": 16.0, "*restaurant*": 16.0, "*cafe*": 16.0, "*café*": 16.0, "*real estate*": 47.0}
CENT = 1e-4  # days of output below which a supplier that was left is paid in full
NOISE = 1e-9  # by which shares may exceed 1
#: What is worked out in a settlement, firm by firm.
TODAY = (
    "sales", "rent", "interest", "dues", "need", "costs", "settled", "put_off", "unpaid", "rate", "paid", "received",
    "added", "repaid", "recovered", "drawn",
)  # fmt: skip
HOUSEHOLDS, BANK = SECTORS.index("households"), SECTORS.index("bank")


class Finance(Mechanism):
    """Cash flow: what comes in, what falls due, what a firm holds in reserve, and what happens when that is gone.

    Every day, in this order, with price p, deliveries O*, unpaid invoices ``owed`` of each link, usual wages W0 =
    wage_share x value added, usual rent R0 = rent_share x value added, activity a = production / output, the scale s
    that an entrant has reached (see turnover; 1 for everybody else), the cash target, which is s times that of full
    size, and cash stress x = the share that a firm lacks of ``alarm`` x its cash target::

        sales           p x what customers bought, paid at once
        wages due       W0 (rigid_wages (1 - resourcefulness x) min(1, staff) + (1 - rigid_wages) a)
        rent due        R0 s (1 - resourcefulness x)
        interest due    debt x interest_rate / 365
        invoices due    owed / payment_days: invoices are paid after payment_days in the mean
        short           what is due - cash; the firm puts off min(invoices due, late_payment x short),
                        and asks the bank for the rest: borrow(need) = min(need, credit line - debt)
        paid            people first, then the bank, then suppliers, as far as cash goes; unpaid wages and rent are
                        arrears, unpaid interest is added to the debt, unpaid invoices stay owed
        receipts        what clients pay arrives in the evening and can be spent tomorrow; owed += p O*
        surplus         cash above the target repays debt; the rest is drawn by the owners, less the usual working
                        capital (receivables - payables) that is not tied up today and will be again

    A firm that misses more than ``tolerated_gap`` of what is due, its credit line used, for ``grace_days`` in a row is
    closed, and stays so unless turnover finds it a new owner. What it owes is written off: invoices are losses of its
    suppliers, debt is a loss of the bank, arrears of its people. What clients still pay to it goes to the bank up to
    its loss, then to the owners. A firm that somebody else closes winds up: it pays its debt and its invoices as they
    fall due, and the rest goes to its owners.

    At rest owed = payment_days x flow, so payments equal deliveries; each firm's cash is at its target, and owners draw
    exactly the profit. The owners of a firm that makes a loss at rest put in what is missing. So nothing moves. Where
    workforce is off, ``staff`` is s.

    Accounts follow Godley & Lavoie (2007), see `ecosim.money`. That firms pass part of a shortage on to their suppliers
    by paying late is Boissay & Gropp (2013); that unpaid invoices carry bankruptcies from firm to firm, Battiston et
    al. (2007) and Jacobson & von Schedvin (2015).

    Which idea is which parameter: cash reserve ``cash_days``; emergency fund ``emergency_days``; budgeting
    ``budgeting`` (owners live within what is left); trade credit ``payment_days``; late-payment habits
    ``late_payment``; credit line ``credit_days``, access to credit ``credit_access``, and in a crunch the channel
    ``credit``; resourcefulness and bootstrapping ``resourcefulness`` (costs) and ``bootstrapping`` (orders less cover).
    Diversified revenue streams are a matter of who buys: see customers.
    """

    kind: Literal["finance"] = "finance"
    cash_days: Level = parameter(
        Spread(median=27.0, sigma=1.16, by=BUFFERS),
        unit="days of costs",
        source="JPMorgan Chase Institute (2016), Cash is King: median 27, quarters at 13 and 62; restaurants 16, "
        "real estate 47",
        low=1,
        high=1000,
    )
    """Cash that a firm starts with and aims at. A day's costs is the least, because what comes in today is spent
    tomorrow. The spread is what the quarters of the source imply for a lognormal law; sectors whose name speaks of food
    services, restaurants or real estate have the source's medians for these."""
    emergency_days: Level = parameter(0.0, unit="days of costs", source="assumption", low=0, high=1000)
    """Emergency fund on top of ``cash_days``; none, because the measured balances hold whatever firms set aside."""
    budgeting: Level = parameter(1.0, unit="share", source="assumption", low=0, high=1)
    """Share of their usual drawings that owners give up while cash is below the target. At 0 they draw the usual profit
    until a day's costs are left."""
    wage_share: Level = parameter(
        0.6,
        unit="share of value added",
        source="Karabarbounis & Neiman (2014): corporate labour share near 0.6",
        low=0,
        high=1,
    )
    """Wages at rest."""
    rigid_wages: Level = parameter(0.7, unit="share", source="assumption", low=0, high=1)
    """Share of wages that is paid whatever is made; the rest goes with production. Firms shield wages from short shocks
    almost wholly and from lasting ones in part (Guiso, Pistaferri & Schivardi 2005), so it is above one half."""
    rent_share: Level = parameter(0.2, unit="share of value added", source="assumption", low=0, high=1)
    """Rent, leases, insurance, upkeep: what stays the same whatever is made, all of it paid to households. With wages
    at 0.6 the owners' profit is then a fifth of value added."""
    payment_days: Level = parameter(
        30.0, unit="days", source="Ng, Smith & Smith (1999): net 30 days is the usual term", low=1, high=365
    )
    """Trade credit: days after which a firm pays an invoice, in the mean. Each day 1/payment_days of what is owed falls
    due; at 1 a delivery is paid for on the next day."""
    late_payment: Level = parameter(
        0.25,
        unit="share of the shortage",
        source="Boissay & Gropp (2013): constrained firms pass on about a quarter",
        low=0,
        high=1,
    )
    """Part of a shortage of cash that a firm covers by paying suppliers later, before it asks the bank."""
    credit_days: Level = parameter(20.0, unit="days of output", source="assumption", low=0, high=1000)
    """Credit line of a firm that has one. Surveys ask who has a line and seldom how long it would last."""
    credit_access: float = parameter(
        0.34,
        unit="share of firms",
        source="Mach & Wolken (2006): 34 % of small businesses had a line of credit",
        low=0,
        high=1,
    )
    """Access to credit: share of firms that have a credit line."""
    interest_rate: float = parameter(0.07, unit="share a year", source="assumption", low=0, high=1)
    """Interest on debt; it is passed on to households the same day, as the bank is theirs."""
    grace_days: int = parameter(
        21, unit="days", source="German insolvency code, section 15a: file within three weeks", low=1, high=1000
    )
    """Days in a row on which a firm misses more than the tolerated gap, after which it is closed."""
    tolerated_gap: float = parameter(
        0.1, unit="share of what is due", source="German Federal Court of Justice (2005), IX ZR 123/04", low=0, high=1
    )
    """Part of what is due that a firm may miss without being taken for insolvent."""
    alarm: float = parameter(0.8, unit="share of the cash target", source="assumption", low=0, high=1)
    """Cash below which a firm feels stress and does with less; above it, ups and downs are everyday business."""
    resourcefulness: Level = parameter(0.3, unit="share", source="assumption", low=0, high=1)
    """Doing with less: share of fixed wages and rent that a firm without any cash saves; in proportion to what it
    lacks. Its people earn that much less."""
    bootstrapping: Level = parameter(0.3, unit="share of the target stock", source="assumption", low=0, high=1)
    """Share of its usual stock that a firm without any cash does without: it orders less until its stock is that much
    lower (Winborg & Landström 2001 describe the habit)."""
    savings_days: float = parameter(
        42.0,
        unit="days of purchases",
        source="JPMorgan Chase Institute (2019), Weathering Volatility 2.0: six weeks",
        low=1,
        high=10_000,
    )
    """Savings of households on the first day; a day's purchases at the least, because what people earn today is spent
    tomorrow. The source gives what families need. Owners put nothing into a firm that their community does not have.
    Where income is on, people spend less as savings shrink, and never more than they have; where it is off, they buy as
    usual and may overdraw their accounts."""

    columns: ClassVar[dict[str, str]] = {
        "alive": "1 in business, 0 closed; finance closes firms that are out of cash. Where a firm is alive that was "
        "closed at the last settlement, or was entered since, its owners pay in start-up capital: its cash target, "
        "and what it needs until clients pay",
        "cash": "money on its account, currency units",
        "debt": "drawn from its credit line, currency units",
        "credit_line": "credit line in usual times, currency units",
        "credit_limit": "most the bank lends it today, currency units",
        "cash_target": "cash that it aims at when full-grown, currency units",
        "cash_stress": "share that it lacks, before it orders, of the cash below which it is alarmed, 0 to 1",
        "revenue": "sales and invoices today, currency units",
        "costs": "wages, rent, interest and invoices of suppliers today, currency units",
        "wages": "wages paid today, currency units",
        "wage_bill": "wages a day at rest, currency units",
        "rent_bill": "rent a day at rest, currency units",
        "usual_profit": "profit a day at rest, currency units; below 0 the owners put it in",
        "distress": "days in a row on which it missed too much of what was due, days",
        "arrears": "wages and rent not yet paid, currency units",
        "payables": "unpaid invoices of its suppliers, currency units",
        "receivables": "unpaid invoices to its clients, currency units",
        "claim": "what the bank lost on it and may still recover, currency units",
        "rigid_wages": "share of wages paid whatever is made, share",
        "payment_days": "mean days after which it pays invoices, days",
        "late_payment": "part of a shortage that it covers by paying late, share",
        "budgeting": "part of drawings that owners give up in need, share",
        "resourcefulness": "fixed costs that it can save in need, share",
        "bootstrapping": "usual stock that it can do without in need, share",
    }
    people_columns: ClassVar[dict[str, str]] = {
        "savings": "money on the accounts of households, currency units",
        "usual_savings": "savings that they are used to, currency units; where income is on, they get used to others",
    }
    link_columns: ClassVar[dict[str, str]] = {"owed": "unpaid invoices of the link, currency units"}
    channels: ClassVar[dict[str, str]] = {
        "credit": "credit line, share of the usual",
        "guarantee": "credit line that somebody else stands for, 1 + days of output",
        "interest": "interest on debt, share of the usual",
        "rent": "rent to be paid today, share of the usual",
        "wages": "wages to be paid today, share of the usual",
        "invoices": "invoices of suppliers that fall due today, share of the usual (0 is a payment moratorium)",
    }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        shares = (self.wage_share, self.rent_share)
        wages, rent = (level.median if isinstance(level, Spread) else level for level in shares)
        if wages is not None and rent is not None and wages + rent > 1:
            raise ValueError(
                f"wage_share {wages:g} and rent_share {rent:g} are more than all of the value added; lower one of them"
            )
        if self.credit_days == 0 and self.changed("credit_access"):
            raise ValueError("credit_access: there is no credit line to have with credit_days 0; drop one of the two")
        return self

    def prepare(self, world: World, rng: Stream) -> None:
        """Open all accounts, at the values at which payments repeat day after day."""
        firms, links = world.firms, world.links
        firms.ensure("alive", 1.0)
        for name in ("rigid_wages", "payment_days", "late_payment", "budgeting", "resourcefulness", "bootstrapping"):
            firms.add(name, self.per_firm(world, name))
        bought = np.bincount(links.buyer, links.flow, minlength=firms.rows)
        self._add_costs(world, firms.output - bought, bought)
        self._add_credit(world)
        owed = links.add("owed", links.flow * firms.payment_days[links.buyer])
        payables = firms.add("payables", np.bincount(links.buyer, owed, minlength=firms.rows))
        receivables = firms.add("receivables", np.bincount(links.supplier, owed, minlength=firms.rows))
        profit = firms.usual_profit
        aim = self.per_firm(world, "cash_days") + self.per_firm(world, "emergency_days")
        cash = firms.add("cash_target", aim * firms.costs)
        world.money = Money.opened(
            firms, world.customers, world.plan.firms.role, world.plan.customer,
            made=firms.wage_bill + firms.rent_bill + np.maximum(profit, 0.0), put_in=np.maximum(-profit, 0.0),
            cash=cash, savings=self.savings_days * world.customers.budget,
        )  # fmt: skip
        world.customers.add("usual_savings", world.customers.savings)
        world.memory[self.kind] = {
            "creditor": links.supplier,
            "flow": links.flow,
            "old_buyer": np.zeros(0, dtype=np.int64),
            "old_supplier": np.zeros(0, dtype=np.int64),
            "old_owed": np.zeros(0),
            "working_capital": receivables - payables,
            "was_alive": firms.alive.copy(),
            "invoiced": np.zeros(len(SECTORS)),
            "put_off": np.zeros(len(SECTORS)),
            "written_off_trade_credit": np.zeros(len(SECTORS)),
            "written_off_loans": np.zeros(len(SECTORS)),
            "written_off_arrears": np.zeros(len(SECTORS)),
            "books": np.zeros(2),  # what the bank has lent, and what people are owed in arrears, by their own books
        }
        for item, held in stocks(world).items():
            world.memory[self.kind][f"opening_{item}"] = held

    def _add_costs(self, world: World, value_added: Array, bought: Array) -> None:
        firms = world.firms
        earned = np.maximum(value_added, 0.0)
        wage_share, rent_share = self.per_firm(world, "wage_share"), self.per_firm(world, "rent_share")
        over = int(np.count_nonzero(wage_share + rent_share > 1.0 + NOISE))
        if over:
            raise InputError(
                f"wage_share: with rent_share it is more than all of the value added for {over} of {firms.rows} firms; "
                "lower one of them, or their sigma"
            )
        firms.add("wage_bill", wage_share * earned)
        firms.add("rent_bill", rent_share * earned)
        firms.add("wages", firms.wage_bill)
        firms.add("revenue", firms.output)
        firms.add("costs", bought + firms.wage_bill + firms.rent_bill)
        firms.add("usual_profit", firms.output - firms.costs)
        for name in ("debt", "arrears", "claim", "distress", "cash_stress"):
            firms.add(name, 0.0)

    def _add_credit(self, world: World) -> None:
        firms = world.firms
        luck = world.streams[f"mechanism: {self.kind}: credit_access"].uniform(0, np.arange(firms.rows))
        line = self.per_firm(world, "credit_days") * firms.output * (luck < self.credit_access)
        firms.add("credit_line", line)
        firms.add("credit_limit", line)

    # --- decisions ----------------------------------------------------------------------------------------------

    def borrow(self, agent: Any, need: float) -> float:
        """Draw what is missing from the credit line, as far as it goes."""
        return float(min(need, max(0.0, agent.credit_limit - agent.debt)))

    def order(self, world: World, rng: Stream) -> None:
        """Let firms that lack cash order less cover, and closed ones nothing."""
        from ecosim.kernels import finance as kernel

        firms, links = world.firms, world.links
        lacking, out = kernel.feel_stress(
            firms.cash, firms.cash_target, self._scale(firms), firms.alive, self.alarm, firms.cash_stress
        )
        if lacking:
            need = firms.bootstrapping * firms.cash_stress * firms.alive
            rows = np.flatnonzero((need > 0.0) & (firms.output > 0.0))
            own = world.choices.rows("order")  # whoever has a rule of its own knows what it orders
            rows = np.setdiff1d(rows, own) if own else rows
            pace = firms.expected[rows] / firms.output[rows]
            less = need[rows] * pace * firms.inventory_days[rows] / firms.smoothing_days[rows]
            kernel.order_less(rows, links.ptr, links.flow, less, links.ordered, links.delivered)
        if out:
            rows = np.flatnonzero(firms.alive == 0.0)
            kernel.order_less(rows, links.ptr, links.flow, np.full(out, np.inf), links.ordered, links.delivered)

    # --- settlement ---------------------------------------------------------------------------------------------

    def settle(self, world: World, rng: Stream) -> None:
        """Let money change hands, once, for everything that happened today."""
        firms, sheet, money = world.firms, world.sheet, world.money
        assert money is not None
        np.multiply(firms.credit_line, sheet.multipliers["credit"], out=firms.credit_limit)
        guaranteed = sheet.read("guarantee")
        if guaranteed is not None:
            firms.credit_limit[:] += np.maximum(guaranteed - 1.0, 0.0) * firms.output
        blank = money.blank(len(TODAY) + 3)
        today = dict(zip(TODAY, blank[3:], strict=True)) | {"at": blank[:3].reshape(-1, 3)}
        np.multiply(firms.consumption, firms.columns.get("posted_price", 1.0), out=today["sales"])
        money.pay("sales", "households", "firms", today["sales"])
        self._start_up(world, today["sales"])
        if self._fall_due(world, today) > 0.0:
            self._borrow(world, today["need"])
        distressed = self._pay_in_turn(world, today)
        self._trade(world, today)
        firms.revenue[:] += today["sales"]
        firms.costs[:] += today["costs"]
        self._use_surplus(world, today)
        if distressed:
            self._close(world)

    def _start_up(self, world: World, sales: Array) -> None:
        """Give firms that entered since the last settlement what they need, beside today's sales, until clients pay."""
        firms, memory = world.firms, world.memory[self.kind]
        alive = firms.alive > 0.0
        new = alive & (memory["was_alive"] == 0.0)
        if "entered_on" in firms:
            seen = memory.setdefault("entered_on", firms.columns["entered_on"].copy())
            new |= alive & (firms.columns["entered_on"] != seen)
            seen[:] = firms.columns["entered_on"]
        memory["was_alive"][:] = firms.alive
        if not new.any():
            return
        rows = np.flatnonzero(new)
        firms.claim[rows] = 0.0
        firms.distress[rows] = 0.0
        gap = memory["working_capital"] - (firms.receivables - firms.payables)
        wanted = np.zeros(firms.rows)
        needed = self._scale(firms) * firms.cash_target + np.maximum(gap, 0.0)
        wanted[rows] = np.maximum(needed - (firms.cash - sales), 0.0)[rows]
        self._put_in(world, "start-up capital", wanted)

    @staticmethod
    def _put_in(world: World, item: str, amounts: Array) -> None:
        """Let owners pay amounts (n,) into their firms, as far as people beside these have any savings."""
        assert world.money is not None
        people, customer = world.customers, world.plan.customer
        asked = np.bincount(customer, amounts, minlength=people.rows)
        held = np.maximum(people.savings, 0.0)
        if (asked > held).any():
            amounts = amounts * np.divide(held, asked, out=np.ones(people.rows), where=asked > held)[customer]
        world.money.pay(item, "households", "firms", amounts)

    @staticmethod
    def _scale(firms: Table) -> Array:
        """Size that each firm has reached where turnover is on; elsewhere all are full-grown, unless closed."""
        return firms.columns.get("scale", firms.alive)

    def _fall_due(self, world: World, today: dict[str, Array]) -> float:
        """What each firm must pay today, by item; return what all need to borrow for that."""
        from ecosim.kernels import finance as kernel

        firms, channels = world.firms, world.sheet.multipliers
        scale = self._scale(firms)
        staff = firms.columns.get("staff", scale)
        needed: float = kernel.fall_due(
            firms.cash, firms.debt, firms.arrears, firms.payables, firms.production, firms.output, firms.alive, scale,
            staff, firms.cash_stress, firms.wage_bill, firms.rent_bill, firms.rigid_wages, firms.resourcefulness,
            firms.payment_days, firms.late_payment,
            channels["wages"], channels["rent"], channels["interest"], channels["invoices"], self.interest_rate / YEAR,
            firms.wages, today["rent"], today["interest"], today["dues"], today["need"], today["costs"],
        )  # fmt: skip
        return needed

    def _borrow(self, world: World, need: Array) -> None:
        """Let firms decide what to draw from their credit lines."""
        firms = world.firms
        room = np.maximum(0.0, firms.credit_limit - firms.debt) * (firms.alive > 0.0)
        drawn = np.minimum(need, room)
        for row in world.choices.rows("borrow"):
            if need[row] > 0.0:
                answer = world.choices.ask("borrow", row, float(need[row]))
                if not is_amount(answer) or answer > room[row]:
                    wanted = f"a finite amount from 0 to {room[row]:g}, which is left of its credit line"
                    raise world.choices.wrong("borrow", row, answer, wanted)
                drawn[row] = float(answer)
        self._lend(world, drawn)

    def _lend(self, world: World, amounts: Array) -> None:
        assert world.money is not None
        if amounts.any():
            world.money.pay("loans", "bank", "firms", amounts)
            world.firms.debt[:] += amounts
            world.memory[self.kind]["books"][0] += amounts.sum()

    def _pay_in_turn(self, world: World, today: dict[str, Array]) -> bool:
        """Pay people and the bank, and say what suppliers get; return whether any firm is in distress."""
        from ecosim.kernels import finance as kernel

        firms, people, money, memory = world.firms, world.customers, world.money, world.memory[self.kind]
        assert money is not None
        interest, late, new, distressed = kernel.pay_in_turn(
            firms.cash, firms.wages, today["rent"], firms.arrears, today["interest"], today["dues"], firms.payables,
            firms.distress, today["settled"], today["put_off"], today["unpaid"], today["rate"], firms.alive,
            self.tolerated_gap,
        )  # fmt: skip
        money.pay("wages", "firms", "households", firms.wages)
        money.pay("rent", "firms", "households", today["rent"])
        if late > 0.0:
            money.pay("arrears paid", "firms", "households", today["settled"])
        if interest > 0.0:
            self._lend(world, today["unpaid"])
            money.pay("interest", "firms", "bank", today["interest"])
            money.pay("bank profits", "bank", "households", interest * people.budget / people.budget.sum())
        if new > 0.0:
            memory["put_off"] += sides(HOUSEHOLDS, by_role(world, today["put_off"]))
        memory["books"][1] += new - late
        return bool(distressed)

    def _trade(self, world: World, today: dict[str, Array]) -> None:
        """Settle invoices and write new ones, which are the first part of revenue and costs."""
        from ecosim.kernels import finance as kernel

        firms, links, money, memory = world.firms, world.links, world.money, world.memory[self.kind]
        assert money is not None
        if links.supplier is not memory["creditor"] or links.flow is not memory["flow"]:  # `rewire` puts in new ones
            self._take_note_of_links(world)
        paid, received, rate = today["paid"], today["received"], today["rate"]
        kernel.trade(
            links.ptr, links.supplier, links.columns["owed"], links.delivered, rate, firms.alive,
            firms.columns.get("posted_price", firms.alive), "posted_price" in firms, money.role, today["at"],
            paid, received, firms.costs, firms.revenue, firms.payables, firms.receivables, memory["invoiced"],
        )  # fmt: skip
        if len(memory["old_owed"]):
            self._settle_old(world, rate, paid, received)
        money.pay("invoices paid", "firms", "firms", paid, received)

    def _take_note_of_links(self, world: World) -> None:
        """Keep open invoices of suppliers that a link no longer belongs to: they are still owed, to them."""
        from ecosim.kernels import finance as kernel

        links, memory = world.links, world.memory[self.kind]
        owed = links.columns["owed"]
        rows = kernel.note_moves(
            links.ptr, links.supplier, links.flow, memory["creditor"], memory["flow"], owed,
            world.firms.payment_days, memory["working_capital"],
        )  # fmt: skip
        if len(rows):
            buyer = np.searchsorted(links.ptr, rows, side="right") - 1
            memory["old_buyer"] = np.append(memory["old_buyer"], buyer)
            memory["old_supplier"] = np.append(memory["old_supplier"], memory["creditor"][rows].astype(np.int64))
            memory["old_owed"] = np.append(memory["old_owed"], owed[rows])
            owed[rows] = 0.0
        memory["creditor"], memory["flow"] = links.supplier, links.flow

    def _settle_old(self, world: World, rate: Array, paid: Array, received: Array) -> None:
        firms, memory = world.firms, world.memory[self.kind]
        buyer, supplier, owed = (memory[name] for name in ("old_buyer", "old_supplier", "old_owed"))
        usual, spare = firms.output[buyer], (firms.cash - paid)[buyer]
        last = (owed < CENT * usual) & (spare > 1000 * CENT * usual)  # or it would go on for ever
        share = owed * np.where(last, 1.0, rate[buyer])
        left = owed - share
        paid += np.bincount(buyer, share, minlength=firms.rows)
        gained = np.bincount(supplier, share, minlength=firms.rows)
        received += gained
        firms.receivables[:] -= gained
        firms.payables[:] += np.bincount(buyer, left, minlength=firms.rows)
        kept = left > 0.0
        for name, values in (("old_buyer", buyer), ("old_supplier", supplier), ("old_owed", left)):
            memory[name] = values[kept]

    def _use_surplus(self, world: World, today: dict[str, Array]) -> None:
        """Let owners and the bank take what is above the target, and owners add what is missing at rest."""
        from ecosim.kernels import finance as kernel

        firms, money, memory = world.firms, world.money, world.memory[self.kind]
        assert money is not None
        added, repaid, recovered, drawn = (today[name] for name in ("added", "repaid", "recovered", "drawn"))
        put_in, back, found = kernel.use_surplus(
            firms.cash, firms.cash_target, self._scale(firms), firms.alive, firms.debt, firms.claim, firms.payables,
            firms.receivables, memory["working_capital"], firms.arrears, today["costs"], firms.usual_profit,
            firms.budgeting, added, repaid, recovered, drawn,
        )  # fmt: skip
        if back > 0.0:
            money.pay("repayments", "firms", "bank", repaid)
            firms.debt[:] -= repaid
            memory["books"][0] -= back
        if found > 0.0:
            money.pay("recoveries", "firms", "bank", recovered)
            firms.claim[:] -= recovered
        money.pay("drawings", "firms", "households", drawn)
        if put_in > 0.0:
            self._put_in(world, "owners' contributions", added)

    # --- failure ------------------------------------------------------------------------------------------------

    def _close(self, world: World) -> None:
        """Close firms that could not pay for too long, and write off what closed firms cannot pay."""
        firms = world.firms
        failed = np.flatnonzero((firms.alive > 0.0) & (firms.distress >= self.grace_days))
        if len(failed):
            world.close(failed, OUT_OF_CASH)
        lost = np.flatnonzero((firms.alive == 0.0) & (firms.distress > 0.0))
        if len(lost):
            self._write_off(world, lost)
            firms.distress[lost] = 0.0

    def _write_off(self, world: World, rows: Array) -> None:
        """Strike out what some firms owe: losses of suppliers, of the bank, and of people."""
        from ecosim.kernels import finance as kernel

        firms, links, memory = world.firms, world.links, world.memory[self.kind]
        invoices = np.zeros(firms.rows)
        kernel.write_off(rows, links.ptr, memory["creditor"], links.columns["owed"], invoices)
        gone = np.isin(memory["old_buyer"], rows)
        invoices += np.bincount(memory["old_supplier"][gone], memory["old_owed"][gone], minlength=firms.rows)
        for name in ("old_buyer", "old_supplier", "old_owed"):
            memory[name] = memory[name][~gone]
        relieved = np.zeros((3, firms.rows))  # of invoices, debt and arrears
        for place, name in enumerate(("payables", "debt", "arrears")):
            relieved[place, rows] = firms.columns[name][rows]
            firms.columns[name][rows] = 0.0
        firms.claim[rows] += relieved[1, rows]
        firms.receivables[:] = np.maximum(firms.receivables - invoices, 0.0)
        memory["written_off_trade_credit"][:2] += by_role(world, relieved[0]) - by_role(world, invoices)
        memory["written_off_loans"] += sides(BANK, -by_role(world, relieved[1]))
        memory["written_off_arrears"] += sides(HOUSEHOLDS, -by_role(world, relieved[2]))
        memory["books"] -= relieved[1:].sum(axis=1)
        hurt = np.flatnonzero(invoices > 0.0)
        if len(hurt):
            world.happened("loses unpaid invoices", hurt, invoices[hurt])


def by_role(world: World, amounts: Array) -> Array:
    """Sums of amounts (n,) over SMBs and Suppliers, shape (2,)."""
    assert world.money is not None
    return np.bincount(world.money.role, amounts, minlength=2)


def sides(other: int, firms: Array) -> Array:
    """Entries of what firms, by role, owe more (+) to another sector: theirs negative, its positive."""
    entry = np.zeros(len(SECTORS))
    entry[:2] -= firms
    entry[other] += float(firms.sum())
    return entry


def stocks(world: World) -> dict[str, Array]:
    """What each sector holds (+) and owes (-) now, each side measured by itself, item by item."""
    firms, links, money = world.firms, world.links, world.money
    assert money is not None
    memory = world.memory["finance"]
    books = memory["books"]
    found = {name: np.zeros(len(SECTORS)) for name in ("deposits", "trade_credit", "loans", "arrears")}
    found["deposits"][:2] = by_role(world, firms.cash)
    found["deposits"][HOUSEHOLDS] = world.customers.savings.sum()
    found["deposits"][BANK:] = money.accounts
    owed = np.bincount(memory["creditor"], links.columns["owed"], minlength=firms.rows)
    owed += np.bincount(memory["old_supplier"], memory["old_owed"], minlength=firms.rows)
    found["trade_credit"][:2] = by_role(world, owed) - by_role(world, firms.payables)
    found["loans"][:2], found["loans"][BANK] = -by_role(world, firms.debt), books[0]
    found["arrears"][:2], found["arrears"][HOUSEHOLDS] = -by_role(world, firms.arrears), books[1]
    return found
